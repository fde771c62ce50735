"""Collects what a program chooses among: the ways into each target that a request offers, their
rewards, and which of them an optimum may need.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.taxonomy.affinities import Affinities, Row
from models.taxonomy.program.request import Request
from models.taxonomy.transfer import Transfer

# The web solver's clip of a root of an affinity: a reward of 0 would make an edge as good as none.
LEAST = 1e-5
MOST = 1.0


@dataclass(frozen=True)
class Offer:
    """What a program chooses among. nodes: tasks that may be supervised. targets: tasks to be
    reached. edges: target -> [(reward, transfer)]. own: targets that their own supervised network
    reaches, with its reward.
    """

    nodes: tuple[str, ...]
    targets: tuple[str, ...]
    edges: dict[str, list[tuple[float, Transfer]]]
    own: dict[str, float]


def check_names(table: Affinities, request: Request) -> None:
    tasks = sorted(set(table.sources) | set(table.targets))
    for name in request.names():
        check_name(name, tasks)
    for regime in {*request.regimes, *(request.regime_cost or {})}:
        check_name(regime, table.amounts, "regime")


def offered(table: Affinities, request: Request) -> Offer:
    """Returns the nodes, targets and edges of a request, with their rewards."""
    tasks = sorted(set(table.sources) | set(table.targets))
    targets = [name for name in table.targets if name not in request.source_only]
    nodes = [name for name in tasks if name not in request.target_only]
    sources = set(nodes)
    edges: dict[str, list[tuple[float, Transfer]]] = {target: [] for target in targets}
    for row in on_offer(table, request):
        transfer = row.transfer
        if transfer.target in edges and sources.issuperset(transfer.sources):
            edges[transfer.target].append((reward_of(row, request), transfer))
    own = {}
    # the paper's program knows no supervision in place of an edge
    if request.variant == "web":
        for name in sources.intersection(targets):
            row_of_own = table.supervised(name)
            if row_of_own is not None:
                own[name] = reward_of(row_of_own, request)
    return Offer(tuple(nodes), tuple(targets), edges, own)


def on_offer(table: Affinities, request: Request) -> Iterator[Row]:
    """Yields the rows by which the request allows to reach a target. Training from scratch is among
    them only if the table places it on the scale of the transfers.
    """
    for row in table.rows:
        placed = row.transfer.control is None or row.affinity > 0
        if placed and request.offers(row.transfer):
            yield row


def reward_of(row: Row, request: Request) -> float:
    """Returns the value of the target times the affinity (variant "paper") or times its clipped
    square root ("web").
    """
    value = (request.value or {}).get(row.transfer.target, 1.0)
    if request.variant == "paper":
        return value * row.affinity
    # the web solver's clip, which its published answers were computed with
    return value * min(max(row.affinity**0.5, LEAST), MOST)


def undominated(
    edges: Iterable[tuple[float, Transfer]], request: Request
) -> list[tuple[float, Transfer]]:
    """Returns the edges into one target that an optimum may need. Of equal edges the first by size
    and names is kept.
    """
    bit: dict[str, int] = {}
    # Best reward first: what is kept is at least as good, and only costs and sources are left to
    # compare. The place is last, since transfers have no order; no two edges need it.
    entries = sorted(
        (-reward, request.edge_cost_of(edge), len(edge.sources), edge.sources, place, edge)
        for place, (reward, edge) in enumerate(edges)
    )
    frontier: dict[int, list[tuple[float, float]]] = {}
    needed = []
    for loss, cost, size, sources, _, edge in entries:
        # one bit for each source, so that a set is one number
        mask = 0
        for name in sources:
            mask |= bit.setdefault(name, 1 << len(bit))
        second = second_cost(edge, request)
        # stored by their sources, so that later edges are compared only with subsets of theirs
        if not dominated(mask, size, (cost, second), frontier):
            frontier.setdefault(mask, []).append((cost, second))
            needed.append((-loss, edge))
    return needed


def dominated(
    mask: int,
    size: int,
    costs: tuple[float, float],
    frontier: Mapping[int, Sequence[tuple[float, float]]],
) -> bool:
    """Returns whether an edge with a subset of some sources is no dearer in either budget. mask:
    the sources, a bit each; size: how many. frontier: sources -> costs of edges. Plain loops: a
    program asks tens of thousands of times.
    """
    cost, second = costs
    if 1 << size > len(frontier):
        # fewer than there are subsets
        for other, prices in frontier.items():
            if other & mask == other:
                for price, more in prices:
                    if price <= cost and more <= second:
                        return True
        return False
    among = mask
    while True:
        for price, more in frontier.get(among, ()):
            if price <= cost and more <= second:
                return True
        if not among:
            return False
        # the next smaller subset of the bits
        among = (among - 1) & mask


def second_cost(edge: Transfer, request: Request) -> float:
    return request.second.of_edge(edge) if request.second else 0.0


def check_name(name: str, vocabulary: Sequence[str], kind: str = "task") -> None:
    """Raises KeyError that suggests the closest names, unless `name` is in `vocabulary`."""
    if name not in vocabulary:
        close = difflib.get_close_matches(name, vocabulary, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(close)}? " if any(close) else ""
        # the amount of data that decides has no name
        names = ", ".join(one or "one without a name" for one in vocabulary)
        raise KeyError(f"unknown {kind} {name!r}; {hint}the table knows {names}")
