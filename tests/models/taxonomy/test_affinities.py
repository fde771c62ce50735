"""The table, and its files."""

import pytest
from affinity_tables import small_store, stepped_store

from models.taxonomy import (
    Affinities,
    Transfer,
    measure,
    solve,
)
from models.taxonomy.affinities import Row, sums_doubt
from models.taxonomy.evidence.spread import with_spread
from models.taxonomy.tournament.published import read_any
from models.taxonomy.tournament.resampling import bootstrap


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_a_table_reads_back(tmp_path, suffix):
    table = measure(small_store(tmp_path / "losses"))
    table.save(tmp_path / f"table{suffix}")
    assert Affinities.load(tmp_path / f"table{suffix}").rows == table.rows


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_a_table_may_start_with_a_byte_order_mark(tmp_path, suffix):
    path = tmp_path / f"table{suffix}"
    table = measure(small_store(tmp_path / "losses"))
    table.save(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert Affinities.load(path).rows == read_any(path).rows == table.rows


def test_a_sum_far_above_1_is_doubted_unless_it_was_measured_here(tmp_path):
    def table(*affinities, loss=None):
        return Affinities(
            tuple(
                Row(Transfer((f"s{i}",), "t"), value, mean_loss=loss)
                for i, value in enumerate(affinities)
            ),
            {},
        )

    assert "these to 2.4 over t" in sums_doubt(table(0.9, 0.8, 0.7))
    assert sums_doubt(table(0.5, 0.4)) is sums_doubt(table(0.9, 0.8, 0.7, loss=0.1)) is None
    assert sums_doubt(measure(small_store(tmp_path))) is None


def test_cautious_taxonomies_use_the_lower_bound(tmp_path):
    store = stepped_store(tmp_path)
    table = with_spread(measure(store), bootstrap(store, resamples=200))
    lower = table.at("lower")
    assert all(row.affinity == row.spread.affinity_low for row in lower.rows if row.spread)
    assert solve(lower, 1, 1).objective < solve(table, 1, 1).objective
    with pytest.raises(ValueError, match="no"):
        measure(store).at("lower")
    with pytest.raises(ValueError, match="one of point"):
        table.at("upper")
