"""Edges against scikit-image's gradient and against pictures whose edges are known."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.filters import sobel

from models.tasks.labels.edges import edge_occlusion, edge_texture, gradient, luma, strength

FRAMES = Path(__file__).resolve().parents[5] / "shared" / "real_frames"


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


def test_texture_edges_of_smaller_pictures_are_as_strong_as_those_of_the_released_size():
    """smooth waves: from pixel to pixel their steps grow as the picture shrinks."""
    x, y = np.meshgrid(*2 * [np.linspace(0, 4 * np.pi, 512)])
    waves = np.repeat((127 + 60 * np.sin(x) + 60 * np.sin(2 * y))[..., None], 3, 2)
    large = edge_texture(waves.astype("uint8")).mean()
    for size in (256, 128):
        small = cv2.resize(waves, (size, size), interpolation=cv2.INTER_AREA).astype("uint8")
        assert 0.9 < edge_texture(small).mean() / large < 1.3


def test_the_strength_of_edges_is_measured_at_some_sizes_and_runs_between():
    sizes = [32, 48, 64, 100, 128, 200, 256, 400, 512, 1024]
    strengths = [strength(size) for size in sizes]
    assert strength(512) == 1 and strength(1024) == 2 and abs(strength(256) - 0.52) < 1e-9
    assert strengths == sorted(strengths)


@pytest.mark.skipif(not FRAMES.is_dir(), reason=f"no released frames at {FRAMES}")
@pytest.mark.parametrize("size", [256, 192, 128, 64])
def test_texture_edges_of_shrunk_released_frames_are_their_shrunk_labels(size):
    frames = sorted(FRAMES.glob("*_domain_edge_texture.png"))
    assert frames
    for path in frames:
        label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype("float32")
        rgb = cv2.imread(str(path).replace("edge_texture", "rgb"))[..., ::-1]
        label, rgb = (
            cv2.resize(each, (size, size), interpolation=cv2.INTER_AREA) for each in (label, rgb)
        )
        assert 0.92 < edge_texture(np.ascontiguousarray(rgb)).mean() / label.mean() < 1.08


def test_an_occlusion_edge_lies_at_a_step_in_depth_and_never_beside_what_is_not_seen():
    depth = np.full((16, 16), 1024, "uint16")
    depth[:, 8:] = 4096
    step = edge_occlusion(depth)
    assert step[1:-1, 7:9].all() and not step[:, :6].any() and not step[:, 10:].any()
    depth[:, 8:] = 65535
    assert not edge_occlusion(depth).any()
