"""python -m models.taxonomy solve | sweep | tree | significance | compare"""

from __future__ import annotations

import argparse
import json
import sys


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m models.taxonomy",
        description="Which tasks to supervise under a budget, and how to reach the others.",
        epilog="example: python -m models.taxonomy solve --affinities affinities.json --budget 6 --order 2",
    )
    commands = top.add_subparsers(dest="command", required=True)
    for name, text in (
        ("solve", "one proven taxonomy"),
        ("sweep", "all budgets and orders"),
        ("significance", "against random policies"),
        ("tree", "which tasks are alike"),
        ("compare", "two affinity tables, target by target"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--affinities", required=True, help="affinities.json or .csv of a run, or a released all_affinities file (.json, .pkl)")
        command.add_argument("--json", action="store_true", help="print JSON")
        if name == "compare":
            command.add_argument("--with", dest="other", required=True, help="the second table")
        if name in ("solve", "significance", "sweep"):
            command.add_argument("--order", type=int, default=2 if name != "sweep" else 4, help="most sources of a transfer")
            command.add_argument("--variant", choices=("web", "paper"), default="web", help="web: the authors' solver; paper: affinity as reward")
            command.add_argument("--exclude", default="", help="sources to leave out, comma separated")
            command.add_argument("--cost", action="append", default=[], metavar="TASK=NUMBER", help="labelling cost of a task (default 1)")
            command.add_argument("--value", action="append", default=[], metavar="TASK=NUMBER", help="importance of a target (default 1)")
        if name in ("solve", "significance"):
            command.add_argument("--budget", type=float, required=True)
        if name == "solve":
            command.add_argument("--explain", action="store_true", help="for every target the runner-up among the supervised sources")
    return top


def numbers(pairs: list[str]) -> dict[str, float]:
    """["a=2", ...] -> {"a": 2.0}; ValueError says which pair is wrong."""
    made = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            made[name] = float(value)
        except ValueError:
            raise ValueError(f"expected TASK=NUMBER, got {pair!r}") from None
    return made


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    from models.taxonomy.published import read_any

    try:
        return COMMANDS[options.command](read_any(options.affinities), options)
    except (ValueError, KeyError, LookupError, OSError) as error:
        print(f"error: {error.args[0] if isinstance(error, KeyError) else error}", file=sys.stderr)
        return 1


def request(options) -> dict:
    return {
        "variant": options.variant,
        "forbidden": frozenset(name for name in options.exclude.split(",") if name),
        "cost": numbers(options.cost),
        "value": numbers(options.value),
    }


def do_solve(table, options) -> int:
    from models.taxonomy.solving import solve

    found = solve(table, options.budget, options.order, **request(options))
    if options.json:
        print(json.dumps(found.to_json()))
        return 0
    print(f"{found.status}: objective {found.objective:.6f}, gap {found.gap:.1e}, labels cost {found.spent:g} of {found.budget:g}")
    print(f"supervise: {', '.join(found.supervised)}")
    if found.quality is not None:
        print(f"gain {found.gain:.3f} over training from scratch, quality {found.quality:.3f} against full supervision (0.5: as good)")
    for edge in sorted(found.edges, key=lambda edge: (edge.transfer.control is None, edge.transfer.target)):
        means = " + ".join(edge.transfer.sources) or "its own labels"
        print(f"  {edge.transfer.target:30s} <- {means}" + (runner_up(table, found, edge) if options.explain else ""))
    return 0


def runner_up(table, found, edge) -> str:
    """the next best transfer that the supervised sources allow, and how far behind it is."""
    rest = [
        row
        for row in table.rows
        if row.transfer.target == edge.transfer.target
        and row.transfer != edge.transfer
        and row.transfer.control is None
        and row.transfer.order <= found.order
        and set(row.transfer.sources) <= set(found.supervised)
        and edge.transfer.target not in row.transfer.sources
    ]
    if not rest:
        return "   (no other way)"
    best = max(rest, key=lambda row: row.affinity)
    return f"   affinity {edge.affinity:.4f}; next {' + '.join(best.transfer.sources)} {best.affinity:.4f}"


def do_sweep(table, options) -> int:
    from models.taxonomy.solving import solve_all

    found = solve_all(table, range(1, len(table.sources) + 1), range(1, options.order + 1), **request(options))
    if options.json:
        print(json.dumps([answer.to_json() for answer in found]))
        return 0
    print("order  budget  status    objective  gain   quality  supervised")
    show = lambda value: "  -  " if value is None else f"{value:.3f}"
    for answer in found:
        scores = f"{answer.objective:9.6f}  {show(answer.gain)}  {show(answer.quality)}"
        print(f"{answer.order:5d}  {answer.budget:6g}  {answer.status:8s}  {scores}    {', '.join(answer.supervised)}")
    return 0


def do_significance(table, options) -> int:
    from models.taxonomy.evidence import significance
    from models.taxonomy.solving import solve

    found = significance(table, solve(table, options.budget, options.order, **request(options)), 1000, 0)
    print(json.dumps(found) if options.json else "\n".join(f"{key:9s} {value}" for key, value in found.items()))
    return 0


def do_tree(table, options) -> int:
    from models.taxonomy.similarity import similarity_tree

    tree = similarity_tree(table)
    if options.json or not tree["linkage"]:
        print(json.dumps(tree))
        return 0
    groups = {i: [name] for i, name in enumerate(tree["names"])}
    for step, (a, b, distance, _) in enumerate(tree["linkage"]):
        groups[len(tree["names"]) + step] = groups.pop(int(a)) + groups.pop(int(b))
        print(f"{distance:7.2f}  {', '.join(groups[len(tree['names']) + step])}")
    print(f"cophenetic correlation {tree['cophenetic']:.3f}")
    return 0


def do_compare(table, options) -> int:
    import numpy as np

    from models.tasks import TASKS
    from models.taxonomy.published import read_any
    from models.taxonomy.similarity import agreement

    rename = {entry.published: name for name, entry in TASKS.items()}
    other = read_any(options.other)
    found = agreement(table, other, rename) or agreement(other, table, rename)
    if not found:
        raise ValueError("the tables share no target with four common sources")
    if options.json:
        print(json.dumps(found))
        return 0
    for target, value in sorted(found.items(), key=lambda pair: -pair[1]):
        print(f"{target:30s} {value:6.2f}")
    print(f"{'mean over ' + str(len(found)) + ' targets':30s} {np.mean(list(found.values())):6.2f}   Spearman, first order, diagonal excluded")
    return 0


COMMANDS = {"solve": do_solve, "sweep": do_sweep, "significance": do_significance, "tree": do_tree, "compare": do_compare}


if __name__ == "__main__":
    sys.exit(main())
