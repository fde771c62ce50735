"""Intervals in a table, honest about noise."""

from affinity_tables import built_store, stepped_store

from models.taxonomy import (
    Affinities,
    Transfer,
    measure,
)
from models.taxonomy.resampling import bootstrap
from models.taxonomy.spread import with_spread


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
