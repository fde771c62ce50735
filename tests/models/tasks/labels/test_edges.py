"""Edges against scikit-image's gradient and against pictures whose edges are known."""

import numpy as np
from PIL import Image
from skimage.filters import sobel

from models.tasks.labels.edges import edge_occlusion, edge_texture, gradient, luma


def test_luma_is_that_of_pillow():
    rgb = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype="uint8")
    np.testing.assert_array_equal(luma(rgb), np.asarray(Image.fromarray(rgb).convert("L")))


def test_the_gradient_is_that_of_scikit_image():
    image = np.random.default_rng(1).random((24, 24)).astype("float32")
    np.testing.assert_allclose(gradient(image), sobel(image, mode="reflect"), atol=1e-5)


def test_a_flat_wall_has_no_edge_and_a_step_has_one_where_it_is():
    rgb = np.full((64, 64, 3), 60, "uint8")
    assert not edge_texture(rgb).any()
    rgb[:, 32:] = 200
    edge = edge_texture(rgb)
    assert edge.dtype == np.uint16 and not edge[0].any() and not edge[:, -1].any()
    assert set(edge[1:-1].argmax(1)) <= {31, 32}


def test_an_occlusion_edge_lies_at_a_step_in_depth_and_never_beside_what_is_not_seen():
    depth = np.full((16, 16), 1024, "uint16")
    depth[:, 8:] = 4096
    step = edge_occlusion(depth)
    assert step[1:-1, 7:9].all() and not step[:, :6].any() and not step[:, 10:].any()
    depth[:, 8:] = 65535
    assert not edge_occlusion(depth).any()
