"""Rooms in other units, or on their side, are taken as they are, and doubted with the cure."""

import re

import numpy as np
import pytest
import trimesh

from beam_jobs.annotate.axis_and_unit import Assumption, doubts, free_size
from beam_jobs.scenes.cameras.scan_cameras import shots
from beam_jobs.scenes.scans.mesh_file import read_mesh
from beam_jobs.scenes.scans.scan import Scan

SIZE = np.array([6.0, 4.0, 2.7])


def doubted(tmp_path, mesh, said=None, scale=1.0, asked=False):
    """what is said of a room with z up in its file, of which `said` is taken as up."""
    mesh = mesh.copy()
    mesh.vertices *= scale
    mesh.export(tmp_path / "room.ply")
    scan = Scan(read_mesh(tmp_path / "room.ply", up=said))
    cameras = shots(scan, np.random.default_rng(0), 6)[0]
    return doubts(scan, free_size(scan, cameras), Assumption(said or "z", asked, 1.0))


def room(size=SIZE, degrees=0.0, without=()):
    """with a ball on its floor. without: numbers of its triangles."""
    box = trimesh.creation.box(size)
    box.update_faces(~np.isin(np.arange(len(box.faces)), without))
    ball = trimesh.creation.icosphere(subdivisions=3, radius=0.45)
    ball.apply_translation([1.5, 0.5, 0.45 - size[2] / 2])
    mesh = trimesh.util.concatenate([box, ball])
    mesh.apply_transform(trimesh.transformations.rotation_matrix(np.radians(degrees), [0, 0, 1]))
    return mesh


def ceiling(size):
    box = trimesh.creation.box(size)
    return np.flatnonzero(box.face_normals[:, 2] > 0.9)


@pytest.mark.parametrize(
    "mesh",
    [
        room(),
        room(degrees=30),
        room(without=ceiling(SIZE)),
        room(np.array([1.6, 12.0, 2.7])),
        room(np.array([12.0, 1.6, 2.7])),
    ],
    ids=["plain", "askew", "without a ceiling", "corridor along y", "corridor along x"],
)
def test_rooms_as_they_are_are_not_doubted(tmp_path, mesh):
    assert doubted(tmp_path, mesh) == []


def test_a_room_on_its_side_is_doubted_with_the_axis(tmp_path):
    [line] = doubted(tmp_path, room(), said="y")
    assert "y is taken as up, 1 unit as a metre" in line and "--up z" in line
    assert doubted(tmp_path, room(), said="y", asked=True) == []


@pytest.mark.parametrize(
    "scale, words",
    [
        (100, r"rooms are 270 m high .*--units-per-metre 100 \(centimetres: 2.7 m\)"),
        (3.28084, r"8.86 m high .*--units-per-metre 3.28084 \(feet: 2.7 m\)"),
        (0.7, r"1.89 m high .*check --up"),
    ],
)
def test_a_room_of_another_unit_is_doubted_with_the_unit(tmp_path, scale, words):
    [line] = doubted(tmp_path, room(), scale=scale)
    assert re.search(words, line)
