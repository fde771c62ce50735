"""Intervals in a table, honest about noise."""

import numpy as np
import pytest
from affinity_tables import built_store, stepped_store

from models.taxonomy import (
    Affinities,
    Transfer,
    measure,
)
from models.taxonomy.affinities import Row
from models.taxonomy.evidence.spread import rank_bounds, with_spread
from models.taxonomy.tournament.resampling import Resamples, bootstrap


def test_intervals_hold_the_measured_value_and_survive_files(tmp_path):
    store = stepped_store(tmp_path / "store")
    table = with_spread(measure(store), bootstrap(store, resamples=300))
    best = next(row for row in table.rows if row.transfer == Transfer(("a",), "b"))
    assert best.spread.affinity_low <= best.affinity <= best.spread.affinity_high
    assert best.spread.rank_low == 1
    for name in ("table.json", "table.csv"):
        table.save(tmp_path / name)
        assert Affinities.load(tmp_path / name).rows == table.rows


def test_noise_is_called_noise_and_order_is_not(tmp_path):
    clear, noise = (
        stepped_store(tmp_path / "clear", images=200),
        stepped_store(tmp_path / "noise", images=30, steps=0.0),
    )
    assert not any(
        facts["warning"]
        for facts in with_spread(
            measure(clear), bootstrap(clear, resamples=200)
        ).diagnostics.values()
    )
    assert all(
        "noise" in facts["warning"]
        for facts in with_spread(
            measure(noise), bootstrap(noise, resamples=200)
        ).diagnostics.values()
    )


def test_noise_over_buildings_asks_for_more_of_them(tmp_path):
    store = built_store(tmp_path, steps=0.0)
    table = with_spread(measure(store), bootstrap(store, resamples=100))
    assert all("of more buildings" in facts["warning"] for facts in table.diagnostics.values())


def drawn(measured: dict[Transfer, float], *draws: tuple[float, ...], friedman: float = 0.0):
    """a table of one target "t", and resamples with these affinities."""
    table = Affinities(
        tuple(Row(transfer, affinity) for transfer, affinity in measured.items()),
        {"t": {"friedman": friedman}},
    )
    affinity = np.array(draws)
    unknown = np.full(affinity.shape, np.nan)
    return table, Resamples(tuple(measured), affinity, unknown, unknown)


SINGLES = {Transfer((source,), "t"): affinity for source, affinity in zip("abc", (0.5, 0.3, 0.2))}


def test_a_rank_is_among_transfers_of_one_order_and_amount():
    pair, few = Transfer(("a", "b"), "t"), Transfer(("a",), "t", "few")
    measured = {pair: 0.6, Transfer(("a",), "t"): 0.3, Transfer(("b",), "t"): 0.1, few: 0.2}
    table, resamples = drawn(measured, (0.6, 0.3, 0.1, 0.2), (0.5, 0.4, 0.05, 0.01))
    assert [rank_bounds(table, resamples)[transfer] for transfer in measured] == [
        (1, 1),
        (1, 1),
        (2, 2),
        (1, 1),
    ]


def test_the_best_source_is_counted_where_it_is_the_best_again():
    draws = ((0.5, 0.3, 0.2), (0.4, 0.3, 0.3), (0.6, 0.2, 0.2), (0.3, 0.5, 0.2))
    facts = with_spread(*drawn(SINGLES, *draws)).diagnostics["t"]
    assert facts["best_share"] == 0.75


@pytest.mark.parametrize(
    ("draws", "friedman", "warned"),
    [
        ([(0.5, 0.3, 0.2)] * 2, 0.0, False),
        ([(0.5, 0.3, 0.2), (0.2, 0.3, 0.5)], 0.0, True),  # the other way round in one
        ([(0.5, 0.3, 0.2)] * 2, 0.02, True),
    ],
)
def test_a_ranking_is_noise_by_its_resamples_or_by_the_test_of_all_sources(draws, friedman, warned):
    facts = with_spread(*drawn(SINGLES, *draws, friedman=friedman)).diagnostics["t"]
    assert (facts["warning"] is not None) == warned
