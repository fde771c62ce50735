"""One depth code and one curvature code: answers, published codes and units agree."""

import numpy as np
from synthetic import view

from models.tasks import TASKS
from models.tasks.targets import target
from serving.bundle.published_codes import (
    FARTHEST_SURFACE,
    curvature_codes,
    depth_codes,
    metres_of,
    per_metre,
)


def test_depth_answers_are_read_in_metres():
    answers = np.log1p(np.array([0.0, 512.0, 1536.0])) / np.log(65536)
    np.testing.assert_allclose(metres_of(answers), [0, 1, 3], rtol=1e-6, atol=1e-9)
    assert 125 < FARTHEST_SURFACE < 126


def test_a_published_depth_code_survives_label_answer_and_code():
    codes = view(0).labels["depth_zbuffer"]
    answer = target(TASKS["depth_zbuffer"], [view(0)], None)[0]
    np.testing.assert_array_equal(np.asarray(depth_codes(answer.astype("float64")))[..., 0], codes)
    np.testing.assert_allclose(metres_of(answer)[..., 0], codes / 512, rtol=1e-3)


def test_no_answer_is_the_code_of_no_surface():
    codes = np.asarray(depth_codes(np.array([[-1.0, 1.0, 2.0]], "float32")))
    assert codes.tolist() == [[0, 65534, 65534]]


def test_a_published_curvature_code_survives_too():
    codes = view(0).labels["principal_curvature"].astype(int)
    answer = target(TASKS["principal_curvature"], [view(0)], None)[0]
    values = np.asarray(curvature_codes(answer))
    np.testing.assert_array_equal(values[..., :2], np.maximum(codes[..., :2], 1))
    assert (values[..., 2] == 0).all()


def test_curvature_follows_the_published_code():
    flat = (np.array([[127.0, 127.0]]) - [123.572, 120.1]) / [31.922, 21.658]
    ball = (np.array([[254.0, 254.0]]) - [123.572, 120.1]) / [31.922, 21.658]
    np.testing.assert_allclose(per_metre(flat), 0, atol=1e-9)
    np.testing.assert_allclose(per_metre(ball), 1 / 0.03)
