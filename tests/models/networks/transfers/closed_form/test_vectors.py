"""The closed form on vectors and classes with holes and on too little data: what is masked is as if
it were not there, what cannot be fitted is named.
"""

import numpy as np
import pytest
from closed_form_bench import (
    Holed,
    MadeUpBench,
    collected,
    hide,
    kernels_of,
    losses_alone,
    regime,
)

from models.networks.transfers.closed_form.kernel_ridge import (
    KernelRidge,
    RidgeInverses,
    sample_kernel,
)
from models.networks.transfers.closed_form.vectors import (
    GlobalTarget,
    vector_transfers,
)
from models.networks.transfers.closed_form.view_kernels import global_features


@pytest.mark.parametrize("name", ["room_layout", "class_scene", "fixated_pose"])
def test_masked_samples_of_vectors_and_classes_teach_nothing(name):
    bench, rows = MadeUpBench(Holed(name, hide([0, 3]))), np.array([1, 2, 4, 5, 6, 7])
    holed, removed = (
        GlobalTarget(bench, name, regime()),
        GlobalTarget(MadeUpBench(), name, regime(), rows=rows),
    )
    np.testing.assert_array_equal(holed.rows, rows)
    np.testing.assert_allclose(
        losses_alone(holed, bench, (0, 1)),
        losses_alone(removed, bench, (0, 1)),
        rtol=1e-5,
    )


@pytest.mark.parametrize("name", ["room_layout", "class_scene", "egomotion"])
def test_a_vector_or_class_without_two_labelled_samples_is_named(name):
    bench = MadeUpBench(
        Holed(name, lambda target, mask: (target, np.where(np.arange(8) == 3, mask, 0)))
    )
    with pytest.raises(LookupError, match=f"1 samples of {name} with a label that is not masked"):
        GlobalTarget(bench, name, regime())


def test_pairs_of_no_views_are_named():
    with pytest.raises(LookupError, match="0 samples of fixated_pose"):
        GlobalTarget(MadeUpBench(), "fixated_pose", regime(), rows=np.arange(0))


def one_class(target, mask):
    target[:] = np.eye(target.shape[1])[5]
    return target, mask


@pytest.mark.parametrize("name", ["class_scene", "class_object", "point_matching"])
def test_one_class_in_training_is_answered_and_the_others_stay_possible(name):
    """the answer is log((n p + 1/K) / (n + 1)): one sample's weight over all classes."""
    bench = MadeUpBench(
        Holed(
            name,
            lambda target, mask: (
                one_class(target, mask) if target.shape[1] > 5 else (target * 0 + [1, 0], mask)
            ),
        )
    )
    target = GlobalTarget(bench, name, regime())
    teach, test = kernels_of(target, bench, (0,))
    answer = target.fit(teach).predict(test)
    classes, sure = answer.shape[1], min(5, 0 if answer.shape[1] == 2 else 5)
    share = np.exp(answer - np.log(np.exp(answer).sum(1, keepdims=True)))
    np.testing.assert_allclose(share[:, sure], (8 + 1 / classes) / 9, rtol=1e-3)
    assert (share > 0).all() and np.isfinite(losses_alone(target, bench, (0,))).all()


def test_views_of_one_building_are_left_out_together_and_one_building_is_cut_into_samples():
    bench = MadeUpBench()
    bench.store.views = lambda split: [f"house{i // 4}/{i}" for i in range(8)]
    target = GlobalTarget(bench, "room_layout", regime())
    kernel = kernels_of(target, bench, (0,))[0]
    rest, strength = np.arange(4, 8), 0.1 * np.trace(kernel) / 8
    mean = target.target.mean(0)
    dual = np.linalg.solve(
        kernel[np.ix_(rest, rest)] + strength * np.eye(4), target.target[rest] - mean
    )

    def left_out(target):
        return KernelRidge(
            RidgeInverses(kernel, (0.1,), target.buildings), target.target, (0.1,)
        ).left_out

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

    bench = MadeUpBench(Holed("room_layout", noise))
    target = GlobalTarget(bench, "room_layout", regime())
    teach, test = kernels_of(target, bench, (0,))
    whole, pulled = (
        KernelRidge(teach, target.target, (0.1,)).predict(test),
        target.fit(teach).predict(test),
    )
    mean = target.target.mean(0)
    factor = (pulled - mean) / (whole - mean)
    np.testing.assert_allclose(factor, factor.flat[0], rtol=1e-3)
    assert factor.flat[0] < 0.9


def test_fewer_samples_than_features_and_equal_sources_still_have_an_answer():
    """a singular kernel: 2 views, 600 features, the same source twice."""
    bench = MadeUpBench(random_features=600, ridges=(1e-9,))
    bench.maps = lambda index, split: MadeUpBench.maps(bench, 0, split)
    target = GlobalTarget(bench, "class_scene", regime([0, 1]))
    assert np.isfinite(losses_alone(target, bench, (0, 1))).all()


@pytest.mark.parametrize("buildings", [8, 2])
def test_targets_with_the_same_samples_share_a_kernel_and_lose_as_alone(buildings):
    """where a building has several views, all of them are left out together, shared or not."""
    bench = MadeUpBench(ridges=(1e-3, 0.1, 10.0))
    bench.store.views = lambda split: [f"house{i * buildings // 8}/{i}" for i in range(8)]
    expected = {"class_scene": [(0,), (0, 1)], "room_layout": [(0, 1)], "fixated_pose": [(2,)]}
    together = collected(vector_transfers(bench, regime(), expected))
    assert {name: list(rows) for name, rows in together.items()} == expected
    for name, subsets in expected.items():
        target = GlobalTarget(bench, name, regime())
        for subset in subsets:
            np.testing.assert_allclose(
                together[name][subset], losses_alone(target, bench, subset), rtol=1e-5
            )


def test_features_of_a_view_have_a_mean_square_norm_of_about_one():
    maps = np.random.default_rng(0).normal(size=(300, 4, 4, 8))
    features = global_features(maps, 500, seed=0)
    assert features.shape == (300, 4 * 4 * 8 + 500)
    # the map itself gives 1; of a standard normal number, the square of its ReLU has the mean 1/2
    np.testing.assert_allclose((features**2).sum(1).mean(), 1.5, rtol=0.05)
