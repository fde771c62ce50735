"""Decoded normals are the vectors of the codes, and rays are those of the labels."""

import numpy as np
import pytest

from models.examples.normals import Normals, pixel_slopes
from models.tasks.labels.surfaces import rays

CODES = np.random.default_rng(0).integers(0, 256, (9, 9, 3)).astype("uint8")
VECTORS = CODES / 127.5 - 1


def test_components_and_lengths_are_those_of_the_vectors():
    normals = Normals.of(CODES)
    np.testing.assert_allclose(np.stack([normals.x, normals.y, normals.z], -1), VECTORS, atol=1e-6)
    np.testing.assert_allclose(normals.squares, (VECTORS**2).sum(-1), atol=1e-5)
    there = CODES[..., 0] > 90
    unit = VECTORS[there] / np.linalg.norm(VECTORS[there], axis=-1, keepdims=True)
    np.testing.assert_allclose(normals.unit(there), unit, atol=1e-5)


@pytest.mark.parametrize("which", [slice(None), slice(1, -1), slice(None, None, 2)])
def test_a_part_is_taken_of_rows_and_columns(which):
    part, alone = Normals.of(CODES).part(which), Normals.of(CODES[which, which])
    assert all(np.array_equal(getattr(part, name), getattr(alone, name)) for name in vars(part))


def test_along_a_ray_is_the_scalar_product_with_it():
    slopes = pixel_slopes(9, np.tan(0.5))
    way = rays(9, 1.0)
    np.testing.assert_allclose(way[0, :, 0], slopes)
    np.testing.assert_allclose(way[:, 0, 1], slopes)
    np.testing.assert_allclose(Normals.of(CODES).along(slopes), (VECTORS * way).sum(-1), atol=1e-6)
