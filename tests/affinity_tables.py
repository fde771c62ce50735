"""Small tables and stores of losses whose answers are known, and oracles by brute force."""

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.taxonomy import (
    Affinities,
    LossStore,
    Transfer,
)
from models.taxonomy.affinities import Row
from models.taxonomy.program.policies import Policies
from models.taxonomy.program.program import make_program
from models.taxonomy.program.request import Request

PUBLISHED = Path(__file__).resolve().parents[2] / "shared" / "published"


there = pytest.mark.skipif(
    not PUBLISHED.exists(), reason="the published results of ../shared are not here"
)


def graded_table(seed: int, tasks: int = 6) -> Affinities:
    """first- and second-order transfers; quality grows with affinity."""
    rng, names, rows = np.random.default_rng(seed), [f"t{i}" for i in range(tasks)], []
    for target in names:
        others = [name for name in names if name != target]
        for some in [(a,) for a in others] + list(itertools.combinations(others, 2)):
            affinity = float(rng.random())
            rows.append(Row(Transfer(some, target), affinity, 0.5 + affinity / 2, affinity / 2))
        rows.append(Row(Transfer((), target, control="supervised"), 1.0, 0.9, 0.5))
    return Affinities(tuple(rows), {})


def regime_table(seed: int, tasks: int = 4, regimes=("",), source_only: int = 1) -> Affinities:
    rng, names, rows = np.random.default_rng(seed), [f"t{i}" for i in range(tasks)], []
    for target in names[: tasks - source_only]:
        for regime in regimes:
            sets = [(a,) for a in names if a != target] + list(
                itertools.combinations([name for name in names if name != target], 2)
            )
            rows += [
                Row(Transfer(s, target, regime), float(rng.random()), None, float(rng.random()))
                for s in sets
            ]
        rows.append(Row(Transfer((), target, control="supervised"), float(rng.random()), None, 0.5))
    return Affinities(tuple(rows), {})


def all_policies(table: Affinities, request: Request, *, reduced: bool = False):
    """every policy as (objective, supervised, edges): all node sets, all combinations of edges;
    only for tiny tables.
    """
    program = make_program(table, request, reduced=reduced)
    count = len(program.nodes)
    for bits in itertools.product((0, 1), repeat=count):
        nodes = {name for name, bit in zip(program.nodes, bits) if bit}
        ways = []
        for target in program.targets:
            if target in nodes and target in program.own:
                ways.append([None])
                continue
            ways.append(
                [
                    j
                    for j, edge in enumerate(program.edges)
                    if edge.target == target and set(edge.sources) <= nodes
                ]
            )
        for choice in itertools.product(*ways):
            x = np.zeros(len(program.reward))
            x[:count] = bits
            x[[count + j for j in choice if j is not None]] = 1
            if Policies(program).allowed(x):
                yield (
                    float(program.reward @ x),
                    frozenset(nodes),
                    tuple(program.edges[j] for j in choice if j is not None),
                )


def priced_request(seed: int, **more) -> Request:
    rng = np.random.default_rng(seed + 77)
    costs = {f"t{i}": float(rng.uniform(0.5, 2)) for i in range(4)}
    return Request(float(rng.uniform(1.5, 4)), 2, cost=costs, **more)


def gappy_table(seed: int, tasks: int = 5, source_only: int = 1, drop: float = 0.2) -> Affinities:
    """a random table: orders 1 and 2 among `tasks` tasks, the last `source_only` of them no
    targets.
    """
    rng, names, rows = np.random.default_rng(seed), [f"t{i}" for i in range(tasks)], []
    for target in names[: tasks - source_only]:
        sets = [(a,) for a in names] + list(itertools.combinations(names, 2))
        kept = [s for s in sets if rng.random() > drop or len(s) == 1 and s[0] != target]
        rows += [
            Row(Transfer(s, target), float(rng.random()), float(rng.random()), float(rng.random()))
            for s in kept
        ]
        rows.append(
            Row(
                Transfer((), target, control="supervised"),
                float(rng.random()),
                float(rng.random()),
                0.5,
            )
        )
    return Affinities(tuple(rows), {})


def brute_force(table: Affinities, request: Request) -> float:
    """best reward over all sets of supervised tasks; every target takes its best allowed edge."""
    program = make_program(table, request)
    count, best = len(program.nodes), -np.inf
    for bits in itertools.product((0, 1), repeat=count):
        nodes = {name for name, bit in zip(program.nodes, bits) if bit}
        if (
            sum(request.cost_of(name) for name in nodes) > request.budget + 1e-9
            or nodes & request.forbidden
        ):
            continue
        total, whole = 0.0, True
        reward_of = dict(zip(program.nodes, program.reward[:count]))
        own = {
            name for name in nodes if table.supervised(name) is not None and name in program.targets
        }
        total += sum(reward_of[name] for name in nodes)
        for target in program.targets:
            if target in own:
                continue
            open_ = [
                program.reward[count + j]
                for j, edge in enumerate(program.edges)
                if edge.target == target and set(edge.sources) <= nodes
            ]
            whole &= bool(open_)
            total += max(open_, default=0)
        if whole:
            best = max(best, total)
    return best


def valued_request(seed: int, order: int = 2) -> Request:
    rng = np.random.default_rng(seed + 1000)
    names = [f"t{i}" for i in range(5)]
    return Request(
        float(rng.uniform(1, 5)),
        order,
        value={name: float(rng.uniform(0.2, 3)) for name in names[:4]},
        cost={name: float(rng.uniform(0.3, 2)) for name in names},
        forbidden=frozenset(rng.choice(names, rng.integers(0, 2), replace=False).tolist()),
    )


def small_store(directory, targets=("a", "b", "c"), images=30) -> LossStore:
    store, rng = LossStore(directory), np.random.default_rng(0)
    for target in targets:
        store.set_images(target, [f"i{i}" for i in range(images)])
        for source in targets:
            store.append(Transfer((source,), target), rng.random(images) + 0.1 * (source != target))
        for control, extra in (("supervised", 0.0), ("scratch", 0.3), ("average", 0.6)):
            store.append(Transfer((), target, control=control), rng.random(images) + extra)
    return store


IMAGES = [f"i{i}" for i in range(60)]


def shifted_store(directory, regimes=("",), targets=("a", "b"), seed=0) -> LossStore:
    store, rng = LossStore(directory), np.random.default_rng(seed)
    for target in targets:
        store.set_images(target, IMAGES)
        for regime in regimes:
            for shift, source in enumerate("abcd"):
                store.append(Transfer((source,), target, regime), rng.random(60) + 0.1 * shift)
            store.append(Transfer((), target, regime, "scratch"), rng.random(60) + 0.5)
        store.append(Transfer((), target, control="supervised"), rng.random(60))
    return store


def stepped_store(
    directory, images=120, steps=0.15, targets=("a", "b", "c"), regimes=("",)
) -> LossStore:
    """sources a to d get worse by `steps`; the supervised network is better, scratch worse."""
    store, rng = LossStore(directory), np.random.default_rng(3)
    for target in targets:
        store.set_images(target, [f"{i}" for i in range(images)])
        for regime in regimes:
            for place, source in enumerate("abcd"):
                store.append(
                    Transfer((source,), target, regime), rng.random(images) + steps * place
                )
            store.append(Transfer((), target, regime, "scratch"), rng.random(images) + 0.6)
        store.append(Transfer((), target, control="supervised"), rng.random(images))
    return store


def built_store(
    directory, buildings=20, views=10, targets=("a", "b"), seed=0, steps=0.1
) -> LossStore:
    """test images of buildings, those of one building all alike."""
    store = LossStore(directory)
    for target in targets:
        rng = np.random.default_rng(seed)
        # names differ from target to target, buildings do not
        names = [
            f"h{i:02d}/point_0/view_{target}{j}" for i in range(buildings) for j in range(views)
        ]
        store.set_images(target, names)
        for place, source in enumerate("cde"):
            losses = rng.random(buildings) + steps * place
            store.append(Transfer((source,), target), np.repeat(losses, views))
        for control, extra in (("supervised", 0.0), ("scratch", 0.1), ("average", 0.3)):
            losses = rng.random(buildings) + extra
            store.append(Transfer((), target, control=control), np.repeat(losses, views))
    return store


def with_scratch(table: Affinities, seed: int) -> Affinities:
    """the table and, for every target and regime, its network from scratch on these data."""
    rng = np.random.default_rng(seed + 500)
    rows = [
        Row(Transfer((), target, regime, "scratch"), float(rng.random()), 0.5, float(rng.random()))
        for target in table.targets
        for regime in table.regimes
    ]
    return Affinities((*table.rows, *rows), table.diagnostics)


def shares(table: Affinities) -> Affinities:
    """the table with affinities that sum to 1 over a target, or to less; all divided by one number,
    so that policies stay the same.
    """
    sums = Counter()
    for row in table.rows:
        sums[row.transfer.target] += row.affinity
    most = max(sums.values())
    rows = (replace(row, affinity=row.affinity / most) for row in table.rows)
    return Affinities(tuple(rows), table.diagnostics)
