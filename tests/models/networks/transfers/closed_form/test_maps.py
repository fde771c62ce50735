"""The closed form on labels with holes and on too little data: what is masked is as if it were not
there, what cannot be fitted is named.
"""

import dataclasses
import io
import types

import numpy as np
import pytest
from tiny_store import TINY, TinyStore

from models.networks.losses.block_layout import fit_targets
from models.networks.transfers.closed_form.maps import (
    GlobalTarget,
    LocalFeatures,
    known_cells,
    local_moments,
    local_transfers,
)
from models.networks.transfers.closed_form.ridge import KernelRidge, RidgeInverses, sample_kernel
from models.networks.transfers.regimes import Regime
from models.tasks import TASKS

GRID, VIEWS = 4, np.arange(8)


class Holed(TinyStore):
    """a store whose samples of one task are what `change` makes of them; split val alone."""

    def __init__(self, task, change) -> None:
        super().__init__()
        self.task, self.change = task, change

    def samples(self, name, split):
        data = super().samples(name, split)
        if name != self.task or split != "val":
            return data
        target, mask = np.array(data.target, "float32"), np.array(data.mask, "float32")
        return dataclasses.replace(data, **dict(zip(("target", "mask"), self.change(target, mask))))


class Measured(types.SimpleNamespace):
    """what the closed form asks of a bench: three made-up representations."""

    def __init__(self, store=None, **changes) -> None:
        super().__init__(
            store=store or TinyStore(),
            config=dataclasses.replace(TINY, **changes),
            grid=GRID,
            kernels={},
            kept={},
            out=io.StringIO(),
        )

    def maps(self, index, split):
        return (
            np.random.default_rng([index, len(split)])
            .normal(size=(8, GRID, GRID, 8))
            .astype("float32")
        )

    def keep(self, target, rows, regime):
        self.kept.setdefault(target, {}).update(rows)


def regime(views=VIEWS, held=0) -> Regime:
    return Regime("", 2, 100, np.asarray(views), np.arange(len(views)) >= len(views) - held)


def weights(bench, name, views=VIEWS, subset=(0, 2)):
    moments, parts = local_moments(bench, regime(views), [subset], [name], LocalFeatures(bench))
    return moments.solve(subset, bench.config.ridges, parts)[0]


def hide(rows):
    """the mask of these samples 0, their label far away."""

    def change(target, mask):
        target[rows], mask[rows] = 1e4, 0
        return target, mask

    return change


@pytest.mark.parametrize("name", ["normal", "reshading"])
def test_masked_pixels_act_as_if_their_cells_were_removed(name):
    store = Holed(name, hide([1, 4, 5]))
    np.testing.assert_allclose(
        weights(Measured(store), name),
        weights(Measured(), name, views=[0, 2, 3, 6, 7]),
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
        weights(Measured(Holed("normal", change(value))), "normal") for value in (1e4, 0.0)
    )
    np.testing.assert_array_equal(far, near)
    target, mask = change(7.0)(np.ones((1, 8, 8, 1), "float32"), np.ones((1, 8, 8, 1), "float32"))
    assert (fit_targets(TASKS["reshading"], target, mask, None, cells=4) == 1).all()


def test_targets_with_other_holes_are_measured_beside_each_other_as_alone():
    bench, alone = (Measured(Holed("reshading", hide([2, 3]))) for _ in range(2))
    todo = {name: [(0,), (0, 2)] for name in ("normal", "reshading")}
    local_transfers(bench, regime(), todo)
    assert not np.array_equal(
        *(known_cells(bench.store, name, "val", VIEWS, GRID) for name in todo)
    )
    for name in todo:
        local_transfers(alone, regime(), {name: todo[name]})
        for subset, losses in alone.kept[name].items():
            np.testing.assert_allclose(bench.kept[name][subset], losses, rtol=1e-4)


@pytest.mark.parametrize("name", ["room_layout", "class_scene", "fixated_pose"])
def test_masked_samples_of_vectors_and_classes_teach_nothing(name):
    bench, rows = Measured(Holed(name, hide([0, 3]))), np.array([1, 2, 4, 5, 6, 7])
    holed, removed = (
        GlobalTarget(bench, name, regime()),
        GlobalTarget(Measured(), name, regime(), rows=rows),
    )
    np.testing.assert_array_equal(holed.rows, rows)
    np.testing.assert_allclose(
        holed.losses(*holed.kernels(bench, (0, 1))),
        removed.losses(*removed.kernels(bench, (0, 1))),
        rtol=1e-5,
    )


@pytest.mark.parametrize("name", ["normal", "segment_semantic", "segment_unsup2d"])
def test_a_map_whose_labels_are_all_masked_is_named(name):
    bench = Measured(Holed(name, lambda target, mask: (target, 0 * mask)))
    with pytest.raises(
        LookupError,
        match=f"all labels of {name} are masked or missing in the 8 teaching views of val",
    ):
        local_transfers(bench, regime(), {name: [(0,)]})


@pytest.mark.parametrize("name", ["room_layout", "class_scene", "egomotion"])
def test_a_vector_or_class_without_two_labelled_samples_is_named(name):
    bench = Measured(
        Holed(name, lambda target, mask: (target, np.where(np.arange(8) == 3, mask, 0)))
    )
    with pytest.raises(LookupError, match=f"1 samples of {name} with a label that is not masked"):
        GlobalTarget(bench, name, regime())


def test_pairs_of_no_views_are_named():
    with pytest.raises(LookupError, match="0 samples of fixated_pose"):
        GlobalTarget(Measured(), "fixated_pose", regime(), rows=np.arange(0))


def one_class(target, mask):
    target[:] = np.eye(target.shape[1])[5]
    return target, mask


@pytest.mark.parametrize("name", ["class_scene", "class_object", "point_matching"])
def test_one_class_in_training_is_answered_and_the_others_stay_possible(name):
    """the answer is log((n p + 1/K) / (n + 1)): one sample's weight over all classes."""
    bench = Measured(
        Holed(
            name,
            lambda target, mask: (
                one_class(target, mask) if target.shape[1] > 5 else (target * 0 + [1, 0], mask)
            ),
        )
    )
    target = GlobalTarget(bench, name, regime())
    teach, test = target.kernels(bench, (0,))
    answer = target.fit(teach).predict(test)
    classes, sure = answer.shape[1], min(5, 0 if answer.shape[1] == 2 else 5)
    share = np.exp(answer - np.log(np.exp(answer).sum(1, keepdims=True)))
    np.testing.assert_allclose(share[:, sure], (8 + 1 / classes) / 9, rtol=1e-3)
    assert (share > 0).all() and np.isfinite(target.losses(teach, test)).all()


def test_a_class_map_that_knows_nothing_answers_the_weighted_shares():
    """representations without information leave the constant, which is the best one of the weighted
    loss.
    """
    bench = Measured(ridges=(1e9,))
    found = weights(bench, "segment_semantic")
    assert np.abs(found[:-1]).max() < 1e-5
    data, logits = (
        bench.store.samples("segment_semantic", "val"),
        6 * found[-1].reshape(-1, 17),
    )  # [pixel of a block, class]
    weight = np.asarray(data.mask, "float64")[..., 0]
    shares = np.array([weight[data.target[..., 0] == k].sum() for k in range(17)]) / weight.sum()
    assert shares.max() > 10 * shares.min()
    np.testing.assert_allclose(logits.mean(0), np.log(shares + 1e-4), atol=0.05)


@pytest.mark.parametrize("name", ["normal", "class_scene"])
def test_fewer_images_than_features_and_equal_sources_still_have_an_answer(name):
    """a singular Gram matrix: 2 views, 600 features, the same source twice."""
    bench, few = Measured(random_features=600, ridges=(1e-9,)), regime([0, 1])
    bench.maps = lambda index, split: Measured.maps(bench, 0, split)
    if TASKS[name].output.dense:
        found = weights(bench, name, views=[0, 1], subset=(0, 1))
        assert np.isfinite(found).all() and np.abs(found).max() < 1e3
    else:
        target = GlobalTarget(bench, name, few)
        assert np.isfinite(target.losses(*target.kernels(bench, (0, 1)))).all()


def test_views_of_one_building_are_left_out_together_and_one_building_is_cut_into_samples():
    bench = Measured()
    bench.store.views = lambda split: [f"house{i // 4}/{i}" for i in range(8)]
    target = GlobalTarget(bench, "room_layout", regime())
    kernel = target.kernels(bench, (0,))[0]
    rest, strength = np.arange(4, 8), 0.1 * np.trace(kernel) / 8
    mean = target.target.mean(0)
    dual = np.linalg.solve(
        kernel[np.ix_(rest, rest)] + strength * np.eye(4), target.target[rest] - mean
    )
    left_out = lambda target: (
        KernelRidge(RidgeInverses(kernel, (0.1,), target.buildings), target.target, (0.1,)).left_out
    )
    np.testing.assert_allclose(left_out(target)[:4], kernel[:4, rest] @ dual + mean, atol=1e-4)
    bench.store.views = lambda split: [f"house/{i}" for i in range(8)]
    alone = GlobalTarget(bench, "room_layout", regime())
    others = np.arange(1, 8)
    dual = np.linalg.solve(
        kernel[np.ix_(others, others)] + strength * np.eye(7), target.target[others] - mean
    )
    np.testing.assert_allclose(
        left_out(alone)[0],
        sample_kernel(kernel, np.array([[0]]), others[:, None])[0] @ dual + mean,
        atol=1e-4,
    )


def test_a_vector_is_pulled_towards_the_mean_where_left_out_buildings_like_that():
    def noise(target, mask):
        return np.random.default_rng(3).normal(size=target.shape), mask

    bench = Measured(Holed("room_layout", noise))
    target = GlobalTarget(bench, "room_layout", regime())
    teach, test = target.kernels(bench, (0,))
    whole, pulled = (
        KernelRidge(teach, target.target, (0.1,)).predict(test),
        target.fit(teach).predict(test),
    )
    mean = target.target.mean(0)
    factor = (pulled - mean) / (whole - mean)
    np.testing.assert_allclose(factor, factor.flat[0], rtol=1e-3)
    assert factor.flat[0] < 0.9


def test_targets_that_ask_the_same_of_a_code_are_solved_once_and_both_are_kept(monkeypatch):
    from models.networks.transfers.closed_form import maps

    bench, columns = Measured(), []
    solve = maps.Moments.solve
    monkeypatch.setattr(
        maps.Moments,
        "solve",
        lambda self, subset, ridges, parts: (
            columns.append(list(parts)) or solve(self, subset, ridges, parts)
        ),
    )
    local_transfers(
        bench, regime(), {"autoencoding": [(0,), (1,)], "normal": [(0,)], "denoising": [(0,)]}
    )
    assert sorted(map(tuple, columns)) == [("autoencoding",), ("autoencoding", "normal")]
    assert {name: set(rows) for name, rows in bench.kept.items()} == {
        "autoencoding": {(0,), (1,)},
        "normal": {(0,)},
        "denoising": {(0,)},
    }
    np.testing.assert_array_equal(bench.kept["denoising"][0,], bench.kept["autoencoding"][0,])
    alone = Measured()
    local_transfers(alone, regime(), {"denoising": [(0,)]})
    np.testing.assert_allclose(alone.kept["denoising"][0,], bench.kept["denoising"][0,], rtol=1e-5)
