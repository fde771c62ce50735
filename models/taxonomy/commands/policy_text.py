"""Writes a taxonomy as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from models.taxonomy.commands.layout import folded, shown, table
from models.taxonomy.program.costs import without_labels
from models.taxonomy.program.digits import cost_text
from models.taxonomy.program.request import Request
from models.taxonomy.program.taxonomy import Edge, Taxonomy
from models.taxonomy.tournament.scale import named

WAY_WORDS = {
    "supervised": "by their own labels",
    "share": "by a share of their labels",
    "transferred": "by transfer",
    "scratch": "from scratch",
}


def header(policy: Taxonomy, request: Request) -> str:
    """Returns the certificate, the sources and the scores of a taxonomy as text."""
    spent = cost_text(policy.spent, policy.budget)
    lines = [certificate(policy), f"labels cost {spent} of {cost_text(policy.budget)}"]
    supervised = ", ".join(policy.supervised) or "nothing"
    lines.append(folded(f"supervise: {supervised}"))
    bare = sorted(without_labels(policy.supervised))
    free = sorted(request.free.intersection(policy.supervised).difference(bare))
    if free:
        lines.append(folded(f"at no cost (an algorithm makes the labels): {', '.join(free)}"))
    if bare:
        lines.append(folded(f"without labels (there are none to buy): {', '.join(bare)}"))
    if policy.quality is not None or policy.gain is not None:
        lines += ["", ways(policy)]
    return "\n".join(lines)


def certificate(policy: Taxonomy) -> str:
    start = f"{policy.status}: objective {policy.objective:.6f}, "
    if policy.status == "optimal":
        return f"{start}proven (gap {policy.gap:.1e})"
    return (
        f"{start}not proven:\n  no policy is better than {policy.bound:.6f} (gap {policy.gap:.6f})"
    )


def ways(policy: Taxonomy) -> str:
    """Returns a table of gain and quality of all targets, then of the targets of each way."""
    facts = policy.ways
    rows = [
        [WAY_WORDS[way], str(entry["targets"]), shown(entry["gain"]), shown(entry["quality"]), ""]
        for way, entry in facts.items()
    ]
    every = ["all targets", str(len(policy.edges)), shown(policy.gain), shown(policy.quality), ""]
    return table(["how", "targets", "gain", "quality", ""], [every, *rows])


def edge_lines(
    policy: Taxonomy, reasons: Mapping[str, str], notes: Mapping[str, str] | None = None
) -> str:
    """Returns one line for every target that says how it is answered. notes: target -> more text
    about it, on a line of its own.
    """
    edges = sorted(
        policy.edges, key=lambda edge: (edge.way == "transferred", edge.way, edge.transfer.target)
    )
    titles = [title(edge, reasons) for edge in edges]
    width = max(map(len, titles), default=0)
    lines = []
    for name, edge in zip(titles, edges):
        text = f"{name.ljust(width)} <- {edge.transfer.means}"
        lines.append(folded(text, "  ", " " * (width + 6)))
        note = (notes or {}).get(edge.transfer.target)
        if note:
            lines.append(folded(note, " " * 6, " " * 6))
    return "\n".join(lines)


def tournament_of(edge: Edge) -> str:
    """Returns the name of the edge's tournament in a table's diagnostics."""
    return named(edge.transfer.target, edge.transfer.regime)


def title(edge: Edge, reasons: Mapping[str, str]) -> str:
    """Returns the name of the edge's target, with a star if its sources are not ranked."""
    return f"{edge.transfer.target} *" if tournament_of(edge) in reasons else edge.transfer.target


def reason_lines(reasons: Mapping[str, str], names: Iterable[str]) -> str:
    """Returns why the tournaments of these names are not ranked; "" if all are."""
    lines = [
        folded(f"* {name} is not ranked: {reasons[name]}", "", "    ")
        for name in dict.fromkeys(names)
        if name in reasons
    ]
    return "\n".join(lines)


def policy_reasons(reasons: Mapping[str, str], policy: Taxonomy) -> str:
    """Returns why the tournaments of a policy's edges are not ranked; "" if all are."""
    return reason_lines(reasons, [tournament_of(edge) for edge in policy.edges])
