"""How long the program takes: all budgets and orders on the released affinities, and growth up to
200 tasks; GLPK beside HiGHS, and the paper's own form.

    python benchmarks/taxonomy_solver.py [--affinities ../shared/published/all_affinities_16k.json]
    [--largest 200]

Measured in one process, side by side; seconds of wall time. The paper's form (|S| x_e <= sum x_s,
all variables integer) gets 20 s for one budget.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.taxonomy import Affinities, Transfer, solve_all  # noqa: E402
from models.taxonomy.affinities import Row  # noqa: E402
from models.taxonomy.program.program import Program, Rows, make_program  # noqa: E402
from models.taxonomy.program.request import Request  # noqa: E402
from models.taxonomy.program.solver import solve_glpk, solve_highs  # noqa: E402
from models.taxonomy.tournament.published import read_any  # noqa: E402


def grown_table(tasks: int, transfers: int, seed: int = 0) -> Affinities:
    """tasks as points in six dimensions, near ones help each other; `transfers` a target: half of
    first order, the others of 2 to 4 good sources.
    """
    rng = np.random.default_rng(seed)
    names, place, skill = (
        [f"t{i:03d}" for i in range(tasks)],
        rng.normal(size=(tasks, 6)),
        rng.normal(size=tasks) / 2,
    )
    rows = []
    for target in range(tasks):
        help_ = skill - np.linalg.norm(place - place[target], axis=1) + 0.3 * rng.normal(size=tasks)
        ranked = [source for source in np.argsort(-help_) if source != target]
        sets = [(source,) for source in ranked[: transfers // 2]]
        for _ in range(20 * transfers):
            if len(sets) == transfers:
                break
            some = tuple(sorted(rng.choice(ranked[:8], rng.integers(2, 5), replace=False).tolist()))
            if some not in sets:
                sets.append(some)
        worth = np.exp(
            [
                *(help_[list(some)].max() + len(some) / 4 + 0.1 * rng.normal() for some in sets),
                help_[target] + 2,
            ]
        )
        worth /= worth.sum()
        rows += [
            Row(Transfer(tuple(names[i] for i in some), names[target]), float(value))
            for some, value in zip(sets, worth)
        ]
        rows.append(Row(Transfer((), names[target], control="supervised"), float(worth[-1])))
    return Affinities(tuple(rows), {})


def paper_form(program: Program) -> Program:
    """the aggregated constraints of the paper: |S| x_e <= sum of x_s, everything integer."""
    count, a = len(program.nodes), Rows(len(program.reward))
    at = {name: i for i, name in enumerate(program.nodes)}
    for j, edge in enumerate(program.edges, count):
        a.add([(j, float(edge.order)), *((at[name], -1.0) for name in edge.sources)])
    limits = np.append(np.zeros(a.count), program.b[-1])
    from scipy.sparse import vstack

    return replace(
        program,
        a=vstack([a.matrix(), program.a[-1]]).tocsr(),
        b=limits,
        integer=np.ones(len(program.reward), bool),
    )


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--affinities", default="../shared/published/all_affinities_16k.json")
    options.add_argument(
        "--largest", type=int, default=200, help="tasks of the largest generated instance"
    )
    chosen = options.parse_args()
    if Path(chosen.affinities).exists():
        table, since = read_any(chosen.affinities), time.perf_counter()
        found = solve_all(table, range(1, 27), range(1, 5))
        print(
            f"{len(found)} taxonomies (26 budgets x orders 1 to 4), "
            f"{', '.join({policy.status for policy in found})}: "
            f"{time.perf_counter() - since:.2f} s"
        )
        program, since = make_program(table, Request(6, 4), reduced=False), time.perf_counter()
        slow = solve_glpk(paper_form(program), 20)
        print(
            f"the paper's own form, budget 6, order 4: {slow.status} after "
            f"{time.perf_counter() - since:.1f} s, gap {slow.gap:.4f}"
        )
    else:
        print(f"no {chosen.affinities}: the released affinities are left out")
    print(
        "\ntasks  transfers  edges kept  rows    GLPK s  HiGHS s  GLPK objective  HiGHS "
        "objective  difference"
    )
    for tasks, transfers in ((26, 120), (50, 100), (100, 100), (200, 100)):
        if tasks <= chosen.largest:
            rng, table = np.random.default_rng(1), grown_table(tasks, transfers)
            costs = {name: float(rng.uniform(0.5, 2)) for name in table.targets}
            program = make_program(table, Request(tasks / 5, 4, cost=costs))
            ours, other = solve_glpk(program, 300), solve_highs(program, 300)
            size = (
                f"{tasks:5d}  {len(table.rows) - tasks:9d}  {len(program.edges):10d}  "
                f"{program.a.shape[0]:5d}"
            )
            objectives = (
                f"{ours.objective:14.6f}  {other.objective:15.6f}  "
                f"{ours.objective - other.objective:+.1e}"
            )
            print(f"{size}  {ours.seconds:7.2f}  {other.seconds:7.2f}  {objectives}  {ours.status}")


if __name__ == "__main__":
    main()
