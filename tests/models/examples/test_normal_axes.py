"""Normals, depth and camera of another encoding contradict each other; sound, noisy, torn and empty
ones do not.
"""

import cv2
import numpy as np
import pytest
from foreign_encodings import OF_A_VIEW
from seen_rooms import room_view

from models.examples.contract import anomalies
from models.examples.normal_axes import FLATNESS, flat_pixels, normal_contradiction, surface_of
from models.tasks import View, ViewKey
from models.tasks.labels import surfaces

SEEDS = range(8)


def found(labels: dict, *, camera: bool = True):
    small = {folder: labels[folder][::2, ::2] for folder in ("depth_zbuffer", "normal")}
    return normal_contradiction(small, labels["point_info"] if camera else None)


def test_sound_views_contradict_nothing_with_their_camera_or_without():
    for seed in range(30):
        labels = room_view(seed)
        assert found(labels) is None and found(labels, camera=False) is None


@pytest.mark.parametrize("name", OF_A_VIEW)
def test_another_encoding_is_named(name):
    change, words = OF_A_VIEW[name]
    kinds = [said.kind for labels in map(room_view, SEEDS) if (said := found(change(labels)))]
    # a room that looks alike both ways tells nothing
    assert len(kinds) > len(SEEDS) / 2
    named = [kind for kind in kinds if words in kind]
    assert len(named) > len(kinds) / 2, kinds


@pytest.mark.parametrize("name", ["green up", "OpenGL", "blue, green, red", "world"])
def test_axes_are_seen_without_a_camera(name):
    change, _ = OF_A_VIEW[name]
    assert all(found(change(room_view(seed)), camera=False) for seed in SEEDS)


def test_a_depth_along_the_ray_that_stands_alone_is_held_against_normals_too():
    labels = room_view(0)
    small = {"normal": labels["normal"][::2, ::2]}
    ray, along = (labels[folder][::2, ::2] for folder in ("depth_euclidean", "depth_zbuffer"))
    camera = labels["point_info"]
    assert normal_contradiction({**small, "depth_euclidean": ray}, camera) is None
    anomaly = normal_contradiction({**small, "depth_euclidean": along}, camera).words()
    assert "along the camera's axis" in anomaly and "belong into depth_zbuffer" in anomaly


@pytest.mark.parametrize("scale", [0.3, 2, 16])
def test_the_scale_of_depth_decides_nothing(scale):
    labels = room_view(1)
    labels["depth_zbuffer"] = np.rint(labels["depth_zbuffer"] * scale).clip(1, 64000)
    assert found(labels) is None


def noisy(depth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """as depth cameras are: smooth errors that grow with the square of the distance."""
    metres = depth / 512
    error = cv2.GaussianBlur(rng.normal(size=depth.shape), (0, 0), 1)
    return np.rint((metres + 0.005 * metres**2 * error / error.std()) * 512).astype("uint16")


def torn(depth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """nearly nothing seen, in pieces."""
    cloud = cv2.GaussianBlur(rng.normal(size=depth.shape), (0, 0), 6)
    return np.where(cloud > np.quantile(cloud, 0.15), 65535, depth).astype("uint16")


@pytest.mark.parametrize("damage", [noisy, torn])
def test_depth_that_is_noisy_or_mostly_missing_accuses_nobody(damage):
    for seed in range(20):
        labels = room_view(seed)
        labels["depth_zbuffer"] = damage(labels["depth_zbuffer"], np.random.default_rng(seed))
        assert found(labels) is None


def test_curved_surfaces_are_no_contradiction():
    """a ball that fills most of the view, by formula."""
    places = (2 * np.arange(64) + 1) / 64 - 1
    x, y = np.meshgrid(places * 0.6, places * 0.6)
    way = np.stack([x, y, np.ones_like(x)], -1)
    square, along = (way**2).sum(-1), 3.0
    root = along**2 - square * (along**2 - 1.4**2)
    hit = root > 0
    time = (along - np.sqrt(np.maximum(root, 0))) / square
    vectors = (way * time[..., None] - [0, 0, 3.0]) / 1.4
    codes = np.where(hit[..., None], np.rint((vectors + 1) * 127.5), 128).astype("uint8")
    depth = np.where(hit, np.rint(time * 512), 65535).astype("uint16")
    labels = {"depth_zbuffer": depth, "normal": codes}
    assert hit.mean() > 0.4 and normal_contradiction(labels, None) is None
    up = np.where(
        codes == 128, 128, np.stack([codes[..., 0], 255 - codes[..., 1], codes[..., 2]], -1)
    )
    anomaly = normal_contradiction({**labels, "normal": up.astype("uint8")}, None)
    assert anomaly is not None and "(x, -y, z)" in anomaly.kind


def test_a_view_that_contradicts_itself_breaks_the_contract():
    labels = room_view(2)
    key, camera, rgb = ViewKey("ash", 0, 0), labels.pop("point_info"), labels.pop("rgb")
    assert anomalies(View(key, rgb, camera, labels), 128) == []
    labels["normal"] = np.where([False, True, False], 255 - labels["normal"], labels["normal"])
    (anomaly,) = anomalies(View(key, rgb, camera, labels), 128)
    assert "(x, -y, z)" in anomaly and "y down" in anomaly


def thinned(labels: dict) -> dict:
    return {folder: labels[folder][::2, ::2] for folder in ("depth_zbuffer", "normal")}


def torn(labels: dict) -> dict:
    """a tenth of the pixels unseen."""
    unseen = np.random.default_rng(0).random(labels["depth_zbuffer"].shape) < 0.1
    return {**labels, "depth_zbuffer": np.where(unseen, 65535, labels["depth_zbuffer"])}


@pytest.mark.parametrize("change", [dict, torn])
def test_planes_of_nine_pixels_are_those_that_labels_are_made_of(change):
    labels = change(room_view(2))
    camera = labels["point_info"]
    surface = surface_of(thinned(labels), camera)
    length = np.linalg.norm(surfaces.rays(64, camera.field_of_view), axis=-1)
    turned = np.rot90(surface.depth)
    for shown, depth, angle in (
        (surface.shown(), surface.depth, camera.field_of_view),
        (surface.shown(along=False), surface.depth / length, camera.field_of_view),
        (surface.shown(angle=0.4), surface.depth, 0.4),
        (surface.shown(depth=turned), turned, camera.field_of_view),
    ):
        naive = surfaces.normals_from_depth(depth, angle, side=3)[surface.flat]
        np.testing.assert_allclose(shown, naive, atol=1e-8)


@pytest.mark.parametrize("change", [dict, torn])
def test_flat_pixels_are_seen_all_around_and_bend_little(change):
    codes = thinned(change(room_view(3)))["depth_zbuffer"]
    depth = np.where(codes < 65000, codes, np.inf)
    flat = flat_pixels(depth)
    inverse = 1 / depth
    for row in range(64):
        for column in range(64):
            block = inverse[row - 1 : row + 2, column - 1 : column + 2]
            inside = 0 < row < 63 and 0 < column < 63
            bends = [abs(line @ [1, -2, 1]) for line in (block[1], block[:, 1])] if inside else []
            expected = inside and block.all() and max(bends) < FLATNESS * block[1, 1]
            assert flat[row, column] == expected
    assert not flat_pixels(np.full((2, 2), 9.0)).any()
