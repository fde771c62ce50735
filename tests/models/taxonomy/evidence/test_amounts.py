"""What less data costs."""

import pytest
from affinity_tables import regime_table, with_scratch

from models.taxonomy import (
    Affinities,
    Transfer,
    by_amount,
    efficiency,
)
from models.taxonomy.affinities import Row
from models.taxonomy.evidence.amounts import by_size, stated


def test_what_less_data_costs_is_said_target_by_target(tmp_path):
    sources = {f"s{i}": 0.1 * i for i in range(5)}
    rows = [
        Row(Transfer((name,), "t", regime), value, 0.9, value)
        for regime, sign in (("", 1), ("1k", -1))
        for name, place in sources.items()
        for value in (0.5 + sign * place / 2,)
    ]
    own = Row(Transfer(("t",), "t"), 0.99)
    (row,) = by_amount(Affinities((*rows, own), {}))
    assert row["spearman"] == {"1k": pytest.approx(-1)} and {
        name: best["source"] for name, best in row["best"].items()
    } == {"": "s4", "1k": "s0"}
    level = [Row(Transfer((name,), "t", regime), 0.5) for regime in ("", "1k") for name in sources]
    assert by_amount(Affinities(tuple(level), {}))[0]["spearman"] == {"1k": None}
    assert by_amount(Affinities((own,), {})) == []


def test_curves_hold_transfer_and_scratch_at_every_amount():
    table = with_scratch(regime_table(2, regimes=("1k", "16k")), 2)
    rows = {(row["target"], row["regime"]): row for row in efficiency(table)}
    assert set(rows) == {(target, regime) for target in table.targets for regime in ("1k", "16k")}
    for (target, regime), row in rows.items():
        scratch = table.of[Transfer((), target, regime, "scratch")]
        assert row["scratch"]["quality"] == scratch.quality
        best = table.of[Transfer((row["source"],), target, regime)]
        firsts = [
            other
            for other in table.rows
            if other.transfer.order == 1
            and (other.transfer.target, other.transfer.regime) == (target, regime)
        ]
        assert best.affinity == max(other.affinity for other in firsts)
        assert row["transfer"]["quality"] == best.quality
        assert row["supervised"]["quality"] == 0.5


def test_names_of_amounts_are_ordered_by_what_they_state():
    names = ["all of it", "", "192", "48", "16k", "2.5k", "1m", "48"]
    assert by_size(names) == ["48", "192", "2.5k", "16k", "1m", "all of it", ""]
    assert [stated(name) for name in ("48", "2.5k", "1M", "", "half")] == [
        48.0,
        2500.0,
        1e6,
        None,
        None,
    ]
