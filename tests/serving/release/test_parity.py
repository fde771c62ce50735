"""Are a server's answers the networks' own? What is compared, and how."""

import numpy as np
from synthetic import view
from tiny_bundle import TARGETS, tiny_bundle

from models.examples.published import encode_png
from models.tasks import TASKS
from serving.release.parity import Difference, decoded, distance, wrong_share


def test_distance_is_relative_and_hates_what_is_no_number():
    expected = np.array([0.0, 10.0])
    assert (
        distance(expected, expected) == 0 and abs(distance(expected + 0.1, expected) - 0.01) < 1e-5
    )
    assert (
        distance(np.array([0, np.nan]), expected) == distance(np.zeros(3), expected) == float("inf")
    )


def test_maps_are_compared_code_by_code():
    ids = np.ones((1, 10, 10, 1))
    off = ids.copy()
    off[0, 0, 0] = 2
    assert (
        wrong_share("segment_semantic", off, ids) == 0.01
        and wrong_share("segment_semantic", ids[:, :5], ids) == 1
    )
    assert wrong_share("reshading", off, ids) == 0 and wrong_share("reshading", off * 3, ids) == 1
    far = np.full((1, 2, 2, 1), 40_000.0)
    assert (
        wrong_share("depth_zbuffer", far + 500, far) == 0
        and wrong_share("depth_zbuffer", far + 5000, far) == 1
    )


def test_reasons_name_what_is_too_far():
    assert (
        Difference("normal", 0, 0, None).reason == ""
        and "float images" in Difference("normal", 0, 1, None).reason
    )
    assert (
        "PNG map of normal" in Difference("normal", 0, 0, 0.5).reason
        and "differs" in Difference("normal", float("nan"), 0, 0).reason
    )


def test_png_maps_of_either_depth_are_read():
    wide = np.arange(6, dtype="uint16").reshape(2, 3) * 9000
    np.testing.assert_array_equal(decoded(encode_png(wide))[..., 0], wide)
    np.testing.assert_array_equal(decoded(encode_png(view(0).rgb)), view(0).rgb)


def test_every_served_task_has_stored_answers():
    with np.load(tiny_bundle() / "assets.extra" / "parity.npz") as stored:
        assert {name.removeprefix("answer_") for name in stored.files} - {"probe"} == {
            name for name in TASKS if name in TARGETS
        }
