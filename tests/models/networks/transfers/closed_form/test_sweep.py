"""Sets of sources are measured side by side; what was found before an error is given away."""

import numpy as np
import pytest
from closed_form_bench import MadeUpBench, collected

from models.networks.transfers.closed_form import sweep
from models.networks.transfers.closed_form.sweep import side_by_side

SUBSETS = [(i,) for i in range(5)]


def losses_of(subset):
    return {"normal": np.full(2, subset[0]), "reshading": np.full(2, -subset[0])}


@pytest.mark.parametrize("trainers", [1, 3])
def test_every_set_is_given_once_for_each_target(trainers):
    bench = MadeUpBench(trainers=trainers)
    losses = collected(side_by_side(bench, SUBSETS, losses_of, "two targets"))
    assert {name: list(rows) for name, rows in losses.items()} == {
        "normal": SUBSETS,
        "reshading": SUBSETS,
    }
    assert all((losses["normal"][subset] == subset[0]).all() for subset in SUBSETS)
    assert "source sets 5/5 into two targets" in bench.out.getvalue()


def test_what_was_found_before_an_error_is_given(monkeypatch):
    monkeypatch.setattr(sweep, "SAVED", 2)

    def fails(subset):
        if subset == (3,):
            raise KeyboardInterrupt
        return losses_of(subset)

    given = []
    with pytest.raises(KeyboardInterrupt):
        for name, rows in side_by_side(MadeUpBench(), SUBSETS, fails, "two targets"):
            given += [(name, subset) for subset in rows]
    assert given == [(name, (i,)) for name in ("normal", "reshading") for i in (0, 1)]
