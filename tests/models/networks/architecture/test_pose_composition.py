"""Poses composed in a network are those of the cameras."""

import numpy as np
from synthetic import camera

from models.networks.architecture.pose_composition import ComposedPoses
from models.tasks.labels.cameras import relative_pose

RNG = np.random.default_rng(0)


def test_a_pose_composed_in_the_network_is_the_composed_pose():
    cameras = [camera(i) for i in range(3)]
    pairs = [relative_pose(cameras[i], cameras[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    mean, deviation = RNG.normal(size=18), RNG.uniform(0.5, 2, 18)
    layer = ComposedPoses()
    layer.build(None)
    layer.whiten(mean, deviation)
    white = ((np.concatenate(pairs) - mean) / deviation).astype("float32")
    answer = np.asarray(layer([white[None, :6], white[None, 12:]]))
    np.testing.assert_allclose(answer[0], white, atol=1e-4)
