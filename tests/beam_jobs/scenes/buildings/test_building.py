"""Buildings and their cameras: the same for a seed, room kinds with what belongs to them, shots
within the published bounds.
"""

import numpy as np
import pytest

from beam_jobs.annotate.classes import OBJECTS, PLACES
from beam_jobs.scenes.buildings.building import KINDS, building
from beam_jobs.scenes.buildings.furnishing import SPARE
from beam_jobs.scenes.buildings.plan import ALIKE
from beam_jobs.scenes.buildings.rooms import ROOMS
from beam_jobs.scenes.buildings.scene import SEEN_AS, SEMANTIC
from beam_jobs.scenes.buildings.shell import PAINTS
from beam_jobs.scenes.buildings.tops import SMALL
from beam_jobs.scenes.cameras import procedural
from beam_jobs.scenes.cameras.procedural import BARE, BLOCKED, NEAR, preferred, shots
from beam_jobs.scenes.cameras.shot import PITCH
from beam_jobs.scenes.render.renderer import Eye


@pytest.fixture(scope="module")
def eyes():
    return [Eye(building(seed)) for seed in range(4)]


def test_every_kind_of_room_has_colours_and_furniture():
    assert set(KINDS) == set(ROOMS) == set(PAINTS) == set(PLACES)
    assert len(KINDS) >= 12
    for kind in ROOMS.values():
        assert set(kind.spare) <= {*SPARE, "dresser"} and set(kind.tops) <= set(SMALL)


def test_a_building_has_several_kinds_of_rooms(eyes):
    for eye in eyes:
        kinds = [room.kind for room in eye.scene.rooms]
        assert len(kinds) >= 3 and len(set(kinds)) == len(kinds)


def test_the_same_seed_gives_the_same_view(eyes):
    again = Eye(building(2))
    for name in ("vertices", "normals", "uv", "curvature"):
        np.testing.assert_array_equal(
            getattr(again.scene.shape, name), getattr(eyes[2].scene.shape, name)
        )
    shot = shots(eyes[2], np.random.default_rng(0), 3)[0]
    one, two = (eye.look(shot.camera, 64, np.random.default_rng(1)) for eye in (eyes[2], again))
    for name in ("rgb", "depth", "normal", "curvature", "instance"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_every_instance_is_of_the_class_of_its_name(eyes):
    for eye in eyes:
        for name, number in zip(eye.scene.names, eye.scene.semantic):
            seen = SEEN_AS.get(name, name)
            assert SEMANTIC[number] == (seen if seen in SEMANTIC else "background")


def test_all_semantic_objects_appear_in_a_few_buildings(eyes):
    names = {name for eye in eyes for name in eye.scene.names} | {
        name for seed in range(4, 16) for name in building(seed).names
    }
    assert set(SEMANTIC[2:]) <= names


def test_few_loose_things_of_a_kind_lie_about_a_room(eyes):
    most = 0
    for eye in eyes:
        corners = eye.scene.shape.vertices[eye.scene.shape.faces[:, 0]]
        for room in eye.scene.rooms:
            inside = ((corners[:, :2] > room.low[:2]) & (corners[:, :2] < room.high[:2])).all(1)
            here = [eye.scene.names[i] for i in np.unique(eye.scene.instance[inside])]
            most = max(most, here.count("basket"), here.count("pouf"))
            assert here.count("basket") <= ALIKE and here.count("pouf") <= ALIKE
    assert most == ALIKE  # there are rooms that hold so many


def test_shots_keep_the_published_bounds(eyes):
    taken = [shots(eye, np.random.default_rng(0), 17) for eye in eyes]
    for here in taken:
        ahead = np.array([shot.camera.point - shot.camera.location for shot in here])
        length = np.linalg.norm(ahead, axis=1)
        assert (np.abs(np.arcsin(ahead[:, 2] / length)) <= PITCH + 1e-6).all()
        view = np.degrees([shot.camera.field_of_view for shot in here])
        assert view.min() >= 45 and view.max() <= 75
        assert np.unique([shot.point for shot in here], return_counts=True)[1].min() >= 3
    every = [shot for here in taken for shot in here]
    length = np.array([np.linalg.norm(shot.camera.point - shot.camera.location) for shot in every])
    assert 3.4 < length.mean() < 6.5


def test_cameras_come_first_in_proportion_to_their_weight():
    weight = np.array([1.0, 2.0, 4.0])
    rng = np.random.default_rng(0)
    first = [preferred(rng, np.arange(3), weight)[0] for _ in range(3000)]
    shares = np.bincount(first, minlength=3) / 3000
    np.testing.assert_allclose(shares, weight / weight.sum(), atol=0.03)
    assert sorted(preferred(rng, np.array([2, 0]), weight)) == [0, 2]


def test_the_normal_of_a_point_is_the_one_that_its_picture_shows(eyes):
    for shot in shots(eyes[1], np.random.default_rng(2), 12):
        surfaces = eyes[1].look(shot.camera, 128, np.random.default_rng(0))
        shown = shot.camera.rotation @ (surfaces.normal[64, 64] * [1, -1, -1])
        assert shown @ shot.normal > np.cos(np.radians(20))


def test_sixty_kinds_of_objects_are_built_more_than_once_a_building():
    counts = [
        np.bincount(
            [OBJECTS[name] for name in building(seed).names if name in OBJECTS], minlength=1000
        )
        for seed in range(6)
    ]
    assert (np.mean(counts, 0) > 1).sum() >= 50  # of six; over forty buildings, see docs/DATA.md
    assert (np.sum(counts, 0) > 0).sum() >= 75


def test_no_view_is_filled_by_what_stands_before_the_camera(eyes):
    for eye in eyes:
        for shot in shots(eye, np.random.default_rng(3), 17):
            surfaces = eye.look(shot.camera, 32, np.random.default_rng(0))
            assert (surfaces.distance < NEAR).mean() < BLOCKED + 0.1  # 36 rays decide, not 1024
            ceilings = np.flatnonzero(np.array(eye.scene.names) == "ceiling")
            assert np.isin(surfaces.instance, ceilings).mean() < BARE + 0.1


def test_points_that_are_seen_aslant_are_preferred(eyes, monkeypatch):
    def straightness() -> float:
        """mean cosine between a view's axis and the surface it meets."""
        taken = [
            shot
            for eye in eyes
            for seed in range(3)
            for shot in shots(eye, np.random.default_rng(seed), 17)
        ]
        ahead = np.array([shot.camera.point - shot.camera.location for shot in taken])
        return float(
            (
                np.abs((ahead * [shot.normal for shot in taken]).sum(1))
                / np.linalg.norm(ahead, axis=1)
            ).mean()
        )

    chosen = straightness()
    monkeypatch.setattr(procedural, "HEAD_ON", 0.0)
    assert chosen < straightness() - 0.03


def test_a_fixated_point_is_seen_in_the_middle_of_its_view(eyes):
    for shot in shots(eyes[0], np.random.default_rng(0), 5):
        surfaces = eyes[0].look(shot.camera, 65, np.random.default_rng(0))
        far = np.linalg.norm(shot.camera.point - shot.camera.location)
        assert surfaces.distance[32, 32] == pytest.approx(far, abs=0.02)
