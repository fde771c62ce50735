"""Targets against the published definitions, by hand."""

import dataclasses

import numpy as np
import pytest
from synthetic import SIZE, draws, view

from models.tasks import TASKS
from models.tasks.targets import smoothed, target


def of(name: str, **labels):
    whole = view(0)
    codes = {folder: np.full_like(whole.labels[folder], value) for folder, value in labels.items()}
    return target(
        TASKS[name], [dataclasses.replace(whole, labels={**whole.labels, **codes})], draws
    )


def test_a_surface_two_metres_away_is_log_1025_over_log_65536():
    value, mask = of("depth_zbuffer", depth_zbuffer=1024)
    assert value[0, 0, 0] == pytest.approx(np.log(1025) / np.log(65536)) and mask.all()


def test_missing_depth_masks_normals_edges_and_curvature():
    for name in (
        "normal",
        "edge_occlusion",
        "principal_curvature",
        "keypoints3d",
        "reshading",
        "depth_euclidean",
        "depth_zbuffer",
    ):
        assert not of(name, depth_zbuffer=65535, depth_euclidean=65535)[1].any(), name


def test_edges_and_keypoints_are_clipped_at_the_published_values():
    assert of("edge_texture", edge_texture=round(0.04 * 65535))[0] == pytest.approx(0, abs=1e-3)
    assert of("edge_texture", edge_texture=65535)[0].max() == 1
    assert of("keypoints2d", keypoints2d=0)[0].min() == -1


def test_occlusion_edges_are_not_clipped():
    assert of("edge_occlusion", edge_occlusion=65535, depth_zbuffer=1)[0].max() == pytest.approx(
        2 / 0.00625 - 1
    )


def test_flat_is_nearly_zero_curvature_and_no_surface_is_masked():
    value, mask = of("principal_curvature", principal_curvature=127, depth_zbuffer=500)
    np.testing.assert_allclose(
        value[0, 0], [(127 - 123.572) / 31.922, (127 - 120.1) / 21.658], rtol=1e-5
    )
    assert (
        mask.all()
        and not of("principal_curvature", principal_curvature=0, depth_zbuffer=500)[1].any()
    )


def test_uncertain_pixels_are_masked_and_background_is_trained():
    assert not of("segment_semantic", segment_semantic=0)[1].any()
    value, mask = of("segment_semantic", segment_semantic=1)
    assert not value.any() and mask == pytest.approx(0.542)


def test_point_matching_compares_building_and_point():
    same, other = view(1), dataclasses.replace(view(2), key=view(2).key._replace(point=9))
    assert target(TASKS["point_matching"], [view(0), same], draws)[0].tolist() == [0, 1]
    assert target(TASKS["point_matching"], [view(0), other], draws)[0].tolist() == [1, 0]


def test_colours_are_shares_of_ten_bins():
    value, _ = target(TASKS["colorization"], [view(0)], draws)
    assert value.shape == (SIZE // 4, SIZE // 4, 313)
    # of halves
    np.testing.assert_allclose(value.sum(-1), 1, rtol=1e-3)
    assert (np.count_nonzero(value, axis=-1) <= 10).all()


def test_occlusion_edges_are_smoothed_as_by_scipy():
    from scipy.ndimage import gaussian_filter

    values = np.random.default_rng(0).random((64, 64)).astype("float32") * 300 - 1
    for sigma in (0.5, 1.0, 4.0):
        expected = gaussian_filter(values.astype("float64"), sigma, mode="nearest")
        np.testing.assert_allclose(smoothed(values, sigma), expected, rtol=1e-5, atol=1e-4)


def test_normals_coded_black_or_middle_grey_are_masked():
    mask = of("normal", normal=128, depth_zbuffer=500)[1]
    assert not mask.any() and not of("normal", normal=0, depth_zbuffer=500)[1].any()
    assert of("normal", normal=127, depth_zbuffer=500)[1].all()


def test_codes_become_the_numbers_of_the_published_formulas_in_float32():
    whole = view(0)
    labels = {name: value.astype("float32") for name, value in whole.labels.items()}
    one = np.float32(1)
    surface = whole.labels["depth_zbuffer"] < 64500
    for name, expected in {
        "autoencoding": whole.rgb.astype("float32") / np.float32(127.5) - one,
        "reshading": (labels["reshading"] / np.float32(127.5) - one)[..., None],
        "normal": labels["normal"] / np.float32(127.5) - one,
        "keypoints3d": (labels["keypoints3d"] / np.float32(65535) * 2 - one)[..., None],
        "segment_unsup2d": labels["segment_unsup2d"][..., None],
        "depth_zbuffer": (np.log1p(labels["depth_zbuffer"]) / np.log(65536)).astype("float32")[
            ..., None
        ],
    }.items():
        value, mask = target(TASKS[name], [whole], draws)
        assert value.dtype == mask.dtype == np.float32
        np.testing.assert_array_equal(value, expected, err_msg=name)
        if TASKS[name].mask == "surface":
            assert not mask[~surface].any(), name


def test_only_a_task_that_draws_asks_for_random_numbers():
    questions = []

    def counted():
        questions.append(1)
        return draws()

    for name, entry in TASKS.items():
        if entry.trained:
            target(entry, [view(i) for i in range(entry.images)], counted)
            assert (len(questions) == 1) == (name == "jigsaw"), name
            questions.clear()
