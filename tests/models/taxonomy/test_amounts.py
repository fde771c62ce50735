"""What less data costs."""

import pytest

from models.taxonomy import (
    Affinities,
    Transfer,
    by_amount,
)
from models.taxonomy.affinities import Row


def test_what_less_data_costs_is_said_target_by_target(tmp_path):
    sources = {f"s{i}": 0.1 * i for i in range(5)}
    rows = [Row(Transfer((name,), "t", regime), value, 0.9, value) for regime, sign in (("", 1), ("1k", -1)) for name, place in sources.items()
            for value in (0.5 + sign * place / 2,)]  # fmt: skip
    own = Row(Transfer(("t",), "t"), 0.99)
    (row,) = by_amount(Affinities((*rows, own), {}))
    assert row["spearman"] == {"1k": pytest.approx(-1)} and {
        name: best["source"] for name, best in row["best"].items()
    } == {"": "s4", "1k": "s0"}
    level = [Row(Transfer((name,), "t", regime), 0.5) for regime in ("", "1k") for name in sources]
    assert by_amount(Affinities(tuple(level), {}))[0]["spearman"] == {"1k": None}
    assert by_amount(Affinities((own,), {})) == []
