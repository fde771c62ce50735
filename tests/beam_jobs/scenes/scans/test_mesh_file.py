"""Reading mesh files: placed, coloured, in metres with z up; what is no building is refused in
words.
"""

import numpy as np
import pytest
import trimesh
from made_meshes import EXTENT, checkers, painted_room, room, write_room, y_up
from PIL import Image

from beam_jobs.scenes.scans import parts
from beam_jobs.scenes.scans.mesh_file import eight_bits, read_mesh


@pytest.mark.parametrize("kind", ["glb", "obj", "ply"])
def test_a_room_is_read_from_every_kind_of_file(tmp_path, kind):
    mesh = read_mesh(write_room(tmp_path, kind))
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), EXTENT, atol=1e-5)
    np.testing.assert_allclose(mesh.vertices.min(0)[2], 0, atol=1e-5)
    assert len(mesh.faces) == len(room().faces) and mesh.warnings == () and mesh.semantic is None
    assert len(mesh.pictures) == (0 if kind == "ply" else 1)
    if kind != "ply":
        np.testing.assert_array_equal(mesh.pictures[0], np.asarray(checkers()))
    else:
        np.testing.assert_allclose(mesh.colour, np.clip(mesh.vertices / EXTENT, 0, 1), atol=0.01)


def test_millimetres_and_the_upward_axis_are_options(tmp_path):
    mesh = y_up(painted_room())
    mesh.vertices *= 1000
    mesh.export(tmp_path / "room.ply")
    np.testing.assert_allclose(
        np.ptp(read_mesh(tmp_path / "room.ply", units_per_metre=1000, up="y").vertices, axis=0),
        EXTENT,
        atol=1e-3,
    )


def test_transforms_of_the_scene_graph_are_applied_and_mirrors_turn_faces(tmp_path):
    ball = trimesh.creation.icosphere(subdivisions=2)
    scene = trimesh.Scene()
    mirrored = np.diag([-2.0, 2, 2, 1])
    mirrored[:3, 3] = [10, 0, 0]
    scene.add_geometry(ball, node_name="left")
    scene.add_geometry(ball, node_name="right", transform=mirrored)
    scene.export(tmp_path / "balls.glb")
    mesh = read_mesh(tmp_path / "balls.glb", up="z")
    assert len(mesh.faces) == 2 * len(ball.faces)
    corner = mesh.vertices[mesh.faces]
    right = corner.mean(1)[:, 0] > 5
    assert np.ptp(corner[right][..., 1]) == pytest.approx(4, rel=0.01)
    volumes = np.einsum("fc,fc->f", corner[:, 0], np.cross(corner[:, 1], corner[:, 2])) / 6
    assert volumes[~right].sum() > 0 and volumes[right].sum() > 0  # both wound outwards


def test_a_missing_and_a_broken_picture_are_named_and_the_plain_colour_stands_in(tmp_path):
    path = write_room(tmp_path, "obj")
    picture = next(file for file in tmp_path.iterdir() if file.suffix == ".png")
    picture.write_bytes(picture.read_bytes()[:60])
    broken = read_mesh(path)
    assert (
        broken.pictures == ()
        and picture.name in broken.warnings[0]
        and "no readable picture" in broken.warnings[0]
    )
    picture.unlink()
    missing = read_mesh(path)
    assert (
        missing.pictures == ()
        and picture.name in missing.warnings[0]
        and "is missing" in missing.warnings[0]
    )
    assert missing.sources[picture.name] == "" and broken.sources[picture.name] != ""


def test_a_damaged_picture_inside_a_glb_is_named_too(tmp_path):
    path = write_room(tmp_path, "glb")
    data = bytearray(path.read_bytes())
    start = data.index(b"\x89PNG") + 60
    data[start : start + 40] = bytes(40)
    path.write_bytes(data)
    mesh = read_mesh(path)
    assert mesh.pictures == () and "picture of material" in mesh.warnings[0]


def test_pictures_are_as_large_as_our_own_limit_and_not_pillows(tmp_path, monkeypatch, recwarn):
    """textures of 16384 x 16384 are above the other's."""
    assert parts.LARGEST_PICTURE >= 16384 * 16384
    path = write_room(tmp_path, "obj")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    mesh = read_mesh(path)
    assert len(mesh.pictures) == 1 and mesh.warnings == () and not recwarn.list
    assert Image.MAX_IMAGE_PIXELS == 1000
    monkeypatch.setattr(parts, "LARGEST_PICTURE", 4095)
    mesh = read_mesh(path)
    assert mesh.pictures == ()
    assert "too large: expected at most 4095 pixels, got 64 x 64" in mesh.warnings[0]


def test_degenerate_faces_are_dropped_with_their_labels(tmp_path):
    mesh = painted_room()
    mesh.faces = np.concatenate([mesh.faces[:5], [[7, 7, 9]], mesh.faces[5:]])
    mesh.export(tmp_path / "room.ply")
    labels = np.arange(len(mesh.faces)) % 18
    np.save(tmp_path / "labels.npy", labels)
    read = read_mesh(tmp_path / "room.ply", labels=tmp_path / "labels.npy")
    assert (
        read.semantic.tolist() == np.delete(labels, 5).tolist()
        and len(read.faces) == len(labels) - 1
    )


def test_a_face_property_of_a_ply_file_is_its_classes(tmp_path):
    mesh = painted_room()
    mesh.face_attributes["label"] = (np.arange(len(mesh.faces)) % 18).astype("int32")
    mesh.export(tmp_path / "room.ply")
    assert (
        read_mesh(tmp_path / "room.ply").semantic.tolist()
        == (np.arange(len(mesh.faces)) % 18).tolist()
    )
    mesh.face_attributes["label"] += 100
    mesh.export(tmp_path / "room.ply")
    other = read_mesh(tmp_path / "room.ply")
    assert other.semantic is None and "100 to 117" in other.warnings[0]


def nothing(path):
    path.write_bytes(b"")


def half(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize("damage", [nothing, half])
@pytest.mark.parametrize("kind", ["glb", "ply"])
def test_a_damaged_file_is_refused_in_one_sentence(tmp_path, kind, damage):
    path = write_room(tmp_path, kind)
    damage(path)
    with pytest.raises(ValueError, match="room"):
        read_mesh(path)


def spoiled(tmp_path, change):
    mesh = painted_room()
    change(mesh)
    mesh.export(tmp_path / "room.ply")
    return tmp_path / "room.ply"


def test_vertices_that_are_no_numbers_are_counted(tmp_path):
    def change(mesh):
        mesh.vertices[3] = np.nan

    with pytest.raises(ValueError, match="1 of .* with NaN"):
        read_mesh(spoiled(tmp_path, change))


@pytest.mark.parametrize("scale, size", [(0.0004, "0.002"), (1000, "5000")])
def test_an_absurd_scale_names_the_option_that_mends_it(tmp_path, scale, size):
    def change(mesh):
        mesh.vertices *= scale

    with pytest.raises(ValueError, match=f"{size}.*--units-per-metre"):
        read_mesh(spoiled(tmp_path, change))


def test_points_without_faces_are_no_building(tmp_path):
    trimesh.PointCloud(painted_room().vertices).export(tmp_path / "points.ply")
    with pytest.raises(ValueError, match="no triangles"):
        read_mesh(tmp_path / "points.ply")


def test_an_unknown_extension_lists_the_known_ones(tmp_path):
    (tmp_path / "room.fbx").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"\.glb, \.gltf, \.obj, \.ply.*got \.fbx"):
        read_mesh(tmp_path / "room.fbx")


@pytest.mark.parametrize(
    "labels, words",
    [(np.zeros(7, int), "shape"), (np.full(5132, 18), "18 to 18"), (np.zeros(5132), "float64")],
)
def test_labels_that_do_not_fit_say_what_they_are(tmp_path, labels, words):
    np.save(tmp_path / "labels.npy", labels)
    with pytest.raises(ValueError, match=words):
        read_mesh(write_room(tmp_path, "ply"), labels=tmp_path / "labels.npy")


@pytest.mark.parametrize(
    "values, codes",
    [([[0, 0.5, 1, 1.5]], [0, 128, 255, 255]), ([[0, 60, 127.6, 255]], [0, 60, 128, 255])],
)
def test_pictures_of_fractions_are_as_bright_as_they_say(values, codes):
    """fractions or codes, as of vertices; Pillow's own conversion makes black of fractions."""
    picture = Image.fromarray(np.array(values, "float32"))
    np.testing.assert_array_equal(eight_bits(picture)[0], np.repeat(codes, 3).reshape(-1, 3))
