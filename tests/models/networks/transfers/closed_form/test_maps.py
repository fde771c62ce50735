"""The closed form on map labels with holes and on too little data: what is masked is as if it were
not there, what cannot be fitted is named.
"""

import numpy as np
import pytest
from closed_form_bench import (
    GRID,
    VIEWS,
    Holed,
    MadeUpBench,
    collected,
    hide,
    regime,
    solved_weights,
)

from models.networks.losses.block_layout import fit_targets
from models.networks.transfers.closed_form.map_outputs import known_cells
from models.networks.transfers.closed_form.maps import map_transfers
from models.networks.transfers.closed_form.ridge import Moments
from models.tasks import TASKS


@pytest.mark.parametrize("name", ["normal", "reshading"])
def test_masked_pixels_act_as_if_their_cells_were_removed(name):
    store = Holed(name, hide([1, 4, 5]))
    np.testing.assert_allclose(
        solved_weights(MadeUpBench(store), name),
        solved_weights(MadeUpBench(), name, views=[0, 2, 3, 6, 7]),
        rtol=1e-3,
        atol=1e-4,
    )


def test_a_masked_pixel_counts_as_the_mean_of_its_cell_whatever_it_holds():
    def change(value):
        def made(target, mask):
            target[:, 0, 0], mask[:, 0, 0] = value, 0
            return target, mask

        return made

    far, near = (
        solved_weights(MadeUpBench(Holed("normal", change(value))), "normal")
        for value in (1e4, 0.0)
    )
    np.testing.assert_array_equal(far, near)
    target, mask = change(7.0)(np.ones((1, 8, 8, 1), "float32"), np.ones((1, 8, 8, 1), "float32"))
    assert (fit_targets(TASKS["reshading"], target, mask, None, cells=4) == 1).all()


def test_targets_with_other_holes_are_measured_beside_each_other_as_alone():
    bench = MadeUpBench(Holed("reshading", hide([2, 3])))
    todo = {name: [(0,), (0, 2)] for name in ("normal", "reshading")}
    together = collected(map_transfers(bench, regime(), todo))
    assert not np.array_equal(
        *(known_cells(bench.store, name, "val", VIEWS, GRID) for name in todo)
    )
    for name in todo:
        alone = collected(map_transfers(bench, regime(), {name: todo[name]}))
        for subset, losses in alone[name].items():
            np.testing.assert_allclose(together[name][subset], losses, rtol=1e-4)


@pytest.mark.parametrize("name", ["normal", "segment_semantic", "segment_unsup2d"])
def test_a_map_whose_labels_are_all_masked_is_named(name):
    bench = MadeUpBench(Holed(name, lambda target, mask: (target, 0 * mask)))
    with pytest.raises(
        LookupError,
        match=f"all labels of {name} are masked or missing in the 8 teaching views of val",
    ):
        collected(map_transfers(bench, regime(), {name: [(0,)]}))


def test_a_class_map_that_knows_nothing_answers_the_weighted_shares():
    """representations without information leave the constant, which is the best one of the weighted
    loss.
    """
    bench = MadeUpBench(ridges=(1e9,))
    weights = solved_weights(bench, "segment_semantic")
    assert np.abs(weights[:-1]).max() < 1e-5
    data, logits = (
        bench.store.samples("segment_semantic", "val"),
        6 * weights[-1].reshape(-1, 17),
    )  # [pixel of a block, class]
    weight = np.asarray(data.mask, "float64")[..., 0]
    shares = np.array([weight[data.target[..., 0] == k].sum() for k in range(17)]) / weight.sum()
    assert shares.max() > 10 * shares.min()
    np.testing.assert_allclose(logits.mean(0), np.log(shares + 1e-4), atol=0.05)


def test_targets_that_ask_the_same_of_a_code_are_solved_once_and_both_are_given(monkeypatch):
    solved_parts = []
    solve = Moments.solve

    def watched(self, subset, ridges, parts):
        solved_parts.append(tuple(parts))
        return solve(self, subset, ridges, parts)

    monkeypatch.setattr(Moments, "solve", watched)
    bench = MadeUpBench()
    expected = {"autoencoding": [(0,), (1,)], "normal": [(0,)], "denoising": [(0,)]}
    losses = collected(map_transfers(bench, regime(), expected))
    assert sorted(solved_parts) == [("autoencoding",), ("autoencoding", "normal")]
    assert {name: list(rows) for name, rows in losses.items()} == expected
    np.testing.assert_array_equal(losses["denoising"][0,], losses["autoencoding"][0,])
    alone = collected(map_transfers(bench, regime(), {"denoising": [(0,)]}))
    np.testing.assert_allclose(alone["denoising"][0,], losses["denoising"][0,], rtol=1e-5)


def test_fewer_images_than_features_and_equal_sources_still_have_an_answer():
    """a singular Gram matrix: 2 views, 600 features, the same source twice."""
    bench = MadeUpBench(random_features=600, ridges=(1e-9,))
    bench.maps = lambda index, split: MadeUpBench.maps(bench, 0, split)
    weights = solved_weights(bench, "normal", views=[0, 1], subset=(0, 1))
    assert np.isfinite(weights).all() and np.abs(weights).max() < 1e3
