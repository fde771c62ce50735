"""The forms of an answer, by kind of output."""

import numpy as np
import pytest
import tensorflow as tf

from models.tasks import KINDS, TASKS, target_names
from serving.bundle.class_names import channel_names
from serving.bundle.forms import Code, code_of, codes, compact, forms, strongest_directions

SIDE = 16


def answer(name: str) -> np.ndarray:
    """a batch of two, in the range of the task's labels."""
    entry = TASKS[name]
    rng = np.random.default_rng(0)
    low, high = max(entry.low, -3), min(entry.high, 3)
    return rng.uniform(low, high, (2, *entry.output.shape(SIDE))).astype("float32")


@pytest.mark.parametrize("name", target_names())
def test_every_target_has_its_forms(name):
    entry = TASKS[name]
    numbers = entry.output.channels
    whitening = (np.ones(numbers), np.full(numbers, 2.0)) if entry.whitened else None
    answers = forms(name, tf.constant(answer(name)), whitening)
    assert set(compact(name, answers)) <= set(answers) and compact(name, answers)
    if entry.output.kind == "vector":
        expected = {name, f"{name}_metric"} if entry.whitened else {name}
        assert set(answers) == expected
    elif entry.output.kind == "classes":
        assert set(answers) == {
            name,
            *(f"{name}_top_{form}" for form in ("ids", "scores", "names")),
        }
    else:
        assert set(answers) == {name, f"{name}_codes", f"{name}_png_bytes"}
        kind = {8: tf.uint8, 16: tf.uint16}[code_of(entry).bits]
        assert answers[f"{name}_codes"].dtype == kind
        for i in range(2):
            png = tf.io.decode_png(answers[f"{name}_png_bytes"][i], dtype=kind)
            np.testing.assert_array_equal(png, answers[f"{name}_codes"][i])


def test_metric_numbers_are_whitened_backwards():
    value = answer("fixated_pose")
    mean, deviation = np.arange(6.0), np.arange(1, 7.0)
    found = forms("fixated_pose", tf.constant(value), (mean, deviation))["fixated_pose_metric"]
    np.testing.assert_allclose(found, value * deviation + mean, rtol=1e-5)


def test_the_likeliest_classes_are_sorted_and_named():
    value = answer("class_scene")
    answers = forms("class_scene", tf.constant(value))
    order = np.argsort(-value[0])[:5]
    np.testing.assert_array_equal(answers["class_scene_top_ids"][0], order)
    names = [channel_names("class_scene")[i].encode() for i in order]
    assert answers["class_scene_top_names"][0].numpy().tolist() == names


@pytest.mark.parametrize("name", [name for name in target_names() if code_of(TASKS[name])])
def test_the_meaning_of_a_linear_code_is_true(name):
    """by the words of the contract, each code is within half a step of its answer."""
    entry = TASKS[name]
    code = code_of(entry)
    if code.kind != "linear":
        pytest.skip("the published codes have tests of their own")
    value = np.clip(answer(name), code.low, code.high)
    step = (code.high - code.low) / code.largest
    found = code.low + np.asarray(codes(entry, value)) * step
    assert np.abs(found - value).max() <= step / 2 + 1e-5
    assert (
        code.meaning == f"value = {code.low:g} + code * {code.high - code.low:g} / {code.largest}"
    )


def test_every_kind_of_code_has_a_meaning():
    for kind in ("linear", "depth", "curvature", "ids", "directions"):
        assert Code(kind, 8, 1).meaning


def test_answers_that_are_no_maps_have_no_codes():
    assert {name for name in KINDS if not KINDS[name].dense} >= {"classes", "vector"}
    with pytest.raises(ValueError, match="maps with codes, got class_scene"):
        codes(TASKS["class_scene"], answer("class_scene"))


def test_codes_follow_the_published_files():
    """depth of 2 m is code 1024, a normal of 1 is 255, class 0 is id 1: read back by the target
    functions' own formulas.
    """
    depth = np.full((1, 2, 2, 1), np.log1p(1024) / np.log(65536), "float32")
    assert np.asarray(codes(TASKS["depth_zbuffer"], depth)).ravel().tolist() == [1024] * 4
    np.testing.assert_array_equal(
        np.asarray(
            codes(TASKS["normal"], np.array([-1.0, 0.0, 1.0]).reshape(1, 1, 1, 3).astype("float32"))
        ).ravel(),
        [0, 128, 255],
    )
    assert np.asarray(
        codes(TASKS["segment_semantic"], np.eye(17, dtype="float32").reshape(1, 1, 17, 17))
    ).ravel().tolist() == list(range(1, 18))
    flat = np.asarray(codes(TASKS["principal_curvature"], np.zeros((1, 1, 1, 2), "float32")))
    assert flat.shape == (1, 1, 1, 3) and flat.ravel().tolist() == [124, 120, 0]


def test_three_directions_of_some_rows_tell_an_embedding_of_three_dimensions_whole():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(64 * 64, 3)) @ rng.normal(size=(3, 8))
    seen = np.asarray(strongest_directions(flat.reshape(1, 64, 64, 8).astype("float32"))).reshape(
        -1, 3
    )
    assert seen.min() == 0 and seen.max() == 1
    known = np.concatenate([seen, np.ones((len(seen), 1))], 1)
    missed = flat - known @ np.linalg.lstsq(known, flat, rcond=None)[0]
    assert (missed**2).sum() < 1e-6 * (flat**2).sum()
