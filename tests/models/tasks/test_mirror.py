"""The label of a mirrored picture, against the label of a mirrored camera in a mirrored world."""

import dataclasses

import numpy as np
import pytest

from models.tasks import TASKS, Camera
from models.tasks.labels import cameras
from models.tasks.mirror import ACROSS, MIRRORED, REVERSED, mirrored, reversed_views, turned
from models.tasks.view import rotation_from_euler

WORLD = np.diag([-1.0, 1.0, 1.0])


def looking(seed: int) -> Camera:
    rng = np.random.default_rng(seed)
    rotation = rotation_from_euler(
        np.pi / 2 + rng.uniform(-0.35, 0.35), 0.0, rng.uniform(-np.pi, np.pi)
    )
    low = rng.uniform(-3, 0, 3)
    return Camera(
        low + rng.uniform(0.3, 2, 3),
        rotation,
        1.0,
        np.stack([low, low + rng.uniform(2.2, 7, 3)], 1),
        None,
    )


def reflected(camera: Camera) -> Camera:
    """the camera that sees the mirrored world as the mirrored picture of this one."""
    room = np.sort(WORLD @ camera.room, axis=1)
    return dataclasses.replace(
        camera,
        location=WORLD @ camera.location,
        rotation=WORLD @ camera.rotation @ ACROSS,
        room=room,
    )


@pytest.mark.parametrize(
    "name, images, label",
    [
        ("room_layout", 1, cameras.room_layout),
        ("vanishing_point", 1, cameras.vanishing_points),
        ("fixated_pose", 2, cameras.relative_pose),
        ("nonfixated_pose", 2, cameras.relative_pose),
        ("egomotion", 3, cameras.egomotion),
    ],
)
def test_a_mirrored_camera_label_is_the_label_of_the_mirrored_world(name, images, label):
    for seed in range(40):
        taken = [looking(seed * 3 + i) for i in range(images)]
        np.testing.assert_allclose(
            mirrored(TASKS[name], label(*taken)), label(*map(reflected, taken)), atol=1e-9
        )


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, entry in TASKS.items()
        if entry.flip != "none" and not entry.output.dense and entry.flip != "mirror"
    ],
)
def test_mirroring_twice_changes_nothing(name):
    label = {
        1: {"room_layout": cameras.room_layout, "vanishing_point": cameras.vanishing_points}.get(
            name
        ),
        2: cameras.relative_pose,
        3: cameras.egomotion,
    }
    target = label[TASKS[name].images](*(looking(i) for i in range(TASKS[name].images)))
    np.testing.assert_allclose(
        mirrored(TASKS[name], mirrored(TASKS[name], target)), target, atol=1e-9
    )


def test_maps_turn_round_and_normals_look_the_other_way():
    image = np.random.default_rng(0).uniform(-1, 1, (4, 4, 3))
    assert (mirrored(TASKS["autoencoding"], image) == image[:, ::-1]).all()
    assert (mirrored(TASKS["normal"], image) == image[:, ::-1] * [-1, 1, 1]).all()


def test_a_task_whose_label_has_no_mirror_is_refused():
    with pytest.raises(ValueError, match="jigsaw"):
        mirrored(TASKS["jigsaw"], np.eye(100)[0])


@pytest.mark.parametrize("entry", TASKS.values(), ids=lambda entry: entry.name)
def test_a_label_of_cameras_has_its_mirror_and_one_of_several_views_its_reversal(entry):
    assert entry.flip != "mirror the cameras" or entry.make in MIRRORED
    assert entry.images == 1 or entry.make in REVERSED


@pytest.mark.parametrize(
    "name, label",
    [
        ("fixated_pose", cameras.relative_pose),
        ("nonfixated_pose", cameras.relative_pose),
        ("egomotion", cameras.egomotion),
    ],
)
def test_a_reversed_label_is_the_label_of_the_views_in_reverse_order(name, label):
    for seed in range(20):
        taken = [looking(seed * 3 + i) for i in range(TASKS[name].images)]
        np.testing.assert_allclose(
            reversed_views(TASKS[name], label(*taken)), label(*taken[::-1]), atol=1e-9
        )


def test_a_target_function_without_a_mirror_is_refused_by_name():
    entry = dataclasses.replace(TASKS["vanishing_point"], make="horizon")
    with pytest.raises(ValueError, match="no row of models.tasks.mirror.MIRRORED for .*'horizon'"):
        mirrored(entry, np.zeros(9))


@pytest.mark.parametrize("channels", [1, 2, 3, 64, 313])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_pictures_of_any_channels_are_turned_as_numpy_turns_them(channels, dtype):
    picture = np.random.default_rng(0).integers(200, size=(4, 6, channels)).astype(dtype)
    turned_picture = turned(picture)
    np.testing.assert_array_equal(turned_picture, picture[:, ::-1])
    assert turned_picture.dtype == picture.dtype
