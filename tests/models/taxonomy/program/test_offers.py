"""Which ways into a target are on offer, and which some optimum may need."""

from dataclasses import replace

import numpy as np
import pytest
from affinity_tables import regime_table, with_scratch

from models.taxonomy import Affinities, Transfer
from models.taxonomy.affinities import Row
from models.taxonomy.program.offers import check_name, offered, on_offer, reward_of, undominated
from models.taxonomy.program.request import Request


def transfers(table: Affinities, request: Request) -> set[Transfer]:
    return {row.transfer for row in on_offer(table, request)}


def test_scratch_is_on_offer_if_asked_for_and_placed_on_the_scale():
    table = with_scratch(regime_table(0, regimes=("1k", "16k")), 0)
    scratch = {row.transfer for row in table.rows if row.transfer.control == "scratch"}
    request = Request(3, 2, scratch=True)
    assert transfers(table, request) >= scratch
    assert not transfers(table, replace(request, scratch=False)) & scratch
    few = transfers(table, replace(request, regimes=frozenset({"1k"}))) & scratch
    assert {transfer.regime for transfer in few} == {"1k"}
    nowhere = Affinities(
        tuple(
            replace(row, affinity=0.0) if row.transfer.control == "scratch" else row
            for row in table.rows
        ),
        {},
    )
    assert not transfers(nowhere, request) & scratch


def test_the_own_encoder_is_on_offer_in_the_papers_variant_only():
    own = Row(Transfer(("t0",), "t0"), 0.4)
    table = Affinities((*regime_table(1).rows, own), {})
    assert own.transfer in transfers(table, Request(3, 2, "paper"))
    assert own.transfer not in transfers(table, Request(3, 2, "web"))


def test_rewards_are_the_affinity_or_its_clipped_root_times_the_value():
    row = Row(Transfer(("a",), "t"), 0.25)
    assert reward_of(row, Request(1, value={"t": 2.0})) == 1.0
    assert reward_of(row, Request(1, 2, "paper", value={"t": 2.0})) == 0.5
    assert reward_of(Row(Transfer(("a",), "t"), 0.0), Request(1)) == 1e-5


def test_target_only_tasks_are_no_nodes_and_source_only_ones_no_targets():
    table = regime_table(2)
    roles = {"target_only": frozenset({"t0"}), "source_only": frozenset({"t1"})}
    offer = offered(table, Request(3, 2, **roles))
    assert "t0" not in offer.nodes and "t1" not in offer.targets
    assert all("t0" not in edge.sources for pairs in offer.edges.values() for _, edge in pairs)
    assert set(offer.own) == {"t2"}


@pytest.mark.parametrize("seed", range(10))
def test_a_dominated_edge_has_a_better_one_among_its_sources_at_no_more_cost(seed):
    rng = np.random.default_rng(seed)
    names = list("abcd")
    sets = {tuple(sorted(rng.choice(names, rng.integers(1, 4), replace=False))) for _ in range(12)}
    edges = [(float(rng.random()), Transfer(tuple(map(str, some)), "t")) for some in sorted(sets)]
    price = {edge: float(rng.integers(0, 3)) for _, edge in edges}
    request = Request(3, 3, edge_cost=price)
    rows = undominated(edges, request)

    def beats(pair, other) -> bool:
        subset = set(pair[1].sources) <= set(other[1].sources)
        return subset and pair[0] >= other[0] and price[pair[1]] <= price[other[1]]

    for pair in edges:
        better = [other for other in edges if other != pair and beats(other, pair)]
        assert (pair in rows) == (not better)


def test_an_unknown_name_is_answered_with_the_closest():
    with pytest.raises(KeyError, match="did you mean normal"):
        check_name("normals", ["normal", "depth"])
