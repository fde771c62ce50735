"""PLY files: colours and labels of polygons follow their triangles."""

import numpy as np
import pytest
from PIL import Image

from beam_jobs.scenes.scans.mesh_file import read_mesh

HEAD = """ply
format {format} 1.0
element vertex 5
property float x
property float y
property float z
element face 2
property list uchar int vertex_indices
property {kind} red
property {kind} green
property {kind} blue
property uchar label
end_header
"""
POINTS = np.array([[0, 0, 0], [4, 0, 0], [4, 4, 0], [0, 4, 0], [2, 6, 0]], "float32")
FACES = (([0, 1, 2, 3], (200, 40, 0), 3), ([3, 2, 4], (0, 100, 255), 7))


def write(path, format, kind, scale):
    data = HEAD.format(format=format, kind=kind).encode()
    order = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}[format]
    code = {"uchar": "u1", "ushort": "u2", "int": "i4", "float": "f4", "double": "f8"}[kind]
    if format == "ascii":
        rows = [" ".join(map(str, point)) for point in POINTS]
        rows += [
            " ".join(map(str, [len(corners), *corners, *(c * scale for c in colour), label]))
            for corners, colour, label in FACES
        ]
        data += "\n".join(rows).encode() + b"\n"
    else:
        data += POINTS.astype(order + "f4").tobytes()
        for corners, colour, label in FACES:
            data += bytes([len(corners)]) + np.array(corners, order + "i4").tobytes()
            data += (np.array(colour) * scale).astype(order + code).tobytes() + bytes([label])
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("format", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize(
    "kind, scale",
    [
        ("uchar", 1),
        ("ushort", 257),
        ("float", 1 / 255),
        # codes of 8 bits, whatever holds them
        ("ushort", 1),
        ("int", 1),
        ("float", 1),
        ("double", 1),
    ],
)
def test_colours_and_labels_of_polygons_follow_the_triangles(tmp_path, format, kind, scale):
    mesh = read_mesh(write(tmp_path / "room.ply", format, kind, scale))
    assert len(mesh.faces) == 3 and mesh.semantic.tolist() == [3, 3, 7]
    expected = np.array([FACES[0][1], FACES[0][1], FACES[1][1]]) / 255
    np.testing.assert_allclose(mesh.colour[mesh.faces].mean(1), expected, atol=1e-6)


def pictured(tmp_path, *faces):
    """a PLY file of two pictures, red and blue, with a number of one at every triangle."""
    for name, colour in (("a.png", (255, 0, 0)), ("b.png", (0, 0, 255))):
        Image.new("RGB", (4, 4), colour).save(tmp_path / name)
    text = f"""ply
format ascii 1.0
comment TextureFile a.png
comment TextureFile b.png
element vertex 4
property float x
property float y
property float z
element face {len(faces)}
property list uchar int vertex_indices
property list uchar float texcoord
property int texnumber
end_header
0 0 0
4 0 0
4 4 0
0 4 0
"""
    (tmp_path / "room.ply").write_text(text + "".join(f"{face}\n" for face in faces))
    return tmp_path / "room.ply"


FIRST, SECOND = "3 0 1 2 6 0 0 1 0 1 1", "3 0 2 3 6 0 0 1 1 0 1"


def test_a_number_a_face_chooses_its_picture(tmp_path):
    mesh = read_mesh(pictured(tmp_path, f"{FIRST} 1", f"{SECOND} 0"))
    colours = [mesh.pictures[number][0, 0].tolist() for number in mesh.picture]
    assert colours == [[255, 0, 0], [0, 0, 255]]
    np.testing.assert_array_equal(mesh.uv[mesh.faces[1]], [[0, 0], [1, 0], [1, 1]])


@pytest.mark.parametrize("number", [-1, 2])
def test_a_number_that_names_no_picture_is_said_and_drawn_without(tmp_path, number):
    mesh = read_mesh(pictured(tmp_path, f"{FIRST} {number}", f"{SECOND} 1"))
    assert sorted(mesh.picture.tolist()) == [-1, 0]
    assert mesh.pictures[0][0, 0].tolist() == [0, 0, 255]
    bare = mesh.faces[mesh.picture == -1]
    np.testing.assert_allclose(mesh.colour[bare], 0.7)
    assert f"1 triangles name no picture that is there (texnumber {number}" in mesh.warnings[0]


def test_labels_follow_the_triangles_of_a_file_whose_pictures_alternate(tmp_path):
    path = pictured(tmp_path, f"{FIRST} 1", f"{SECOND} 0", f"{FIRST} 1")
    np.save(tmp_path / "labels.npy", np.array([3, 4, 5]))
    mesh = read_mesh(path, labels=tmp_path / "labels.npy")
    colours = [mesh.pictures[number][0, 0].tolist() for number in mesh.picture]
    assert list(zip(colours, mesh.semantic.tolist())) == [
        ([255, 0, 0], 4),
        ([0, 0, 255], 3),
        ([0, 0, 255], 5),
    ]


def test_a_polygon_that_crosses_itself_is_left_out_and_said(tmp_path):
    text = """ply
format ascii 1.0
element vertex 4
property float x
property float y
property float z
element face 2
property list uchar int vertex_indices
end_header
0 0 0
4 0 0
4 4 0
0 4 0
4 0 1 2 3
4 0 1 3 2
"""
    (tmp_path / "room.ply").write_text(text)
    mesh = read_mesh(tmp_path / "room.ply")
    assert len(mesh.faces) == 2 and "cross themselves" in mesh.warnings[0]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_picture_may_have_a_name_of_any_letters(tmp_path, encoding):
    path = pictured(tmp_path, f"{FIRST} 0", f"{SECOND} 1")
    (tmp_path / "a.png").rename(tmp_path / "Tür.png")
    path.write_bytes(path.read_text().replace("a.png", "Tür.png").encode(encoding))
    mesh = read_mesh(path)
    assert len(mesh.pictures) == 2 and not mesh.warnings


BARE = """ply
format ascii 1.0
{more}element vertex 5
property float x
property float y
property float z
element face {faces}
property list uchar int vertex_indices
{colours}element tristrips {strips}
property list int int vertex_indices
end_header
0 0 0
4 0 0
4 4 0
0 4 0
2 6 0
"""


def bare(tmp_path, *rows, faces=0, strips=0, more="", colours=""):
    head = BARE.format(faces=faces, strips=strips, more=more, colours=colours)
    (tmp_path / "room.ply").write_text(head + "".join(f"{row}\n" for row in rows))
    return tmp_path / "room.ply"


def test_strips_are_triangles_that_face_one_way(tmp_path):
    mesh = read_mesh(bare(tmp_path, "8 0 1 3 2 -1 3 2 4", "4 0 1 2 -1", strips=2))
    assert not mesh.warnings
    corner = mesh.vertices[mesh.faces]
    spread = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    np.testing.assert_array_equal(spread, [[0, 0, up] for up in (16, 16, 8, 16)])


def test_strips_beside_faces_are_said(tmp_path):
    mesh = read_mesh(bare(tmp_path, "3 0 1 2", "4 0 1 3 2", faces=1, strips=1))
    assert len(mesh.faces) == 1 and "tristrips" in mesh.warnings[0]


def test_pictures_without_coordinates_are_said(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    path = bare(tmp_path, "3 0 1 2", faces=1, more="comment TextureFile a.png\n")
    assert "a.png: left out, since neither vertices" in read_mesh(path).warnings[0]


@pytest.mark.parametrize("corner", [-1, 5])
@pytest.mark.parametrize(
    "colours", ["", "property uchar red\nproperty uchar green\nproperty uchar blue\n"]
)
@pytest.mark.parametrize("first", ["3 0 1 2", "4 0 1 2 3"])
def test_a_corner_that_is_no_vertex_is_refused(tmp_path, first, colours, corner):
    rows = [f"{row}{' 9 9 9' if colours else ''}" for row in (first, f"3 0 2 {corner}")]
    path = bare(tmp_path, *rows, faces=2, colours=colours)
    with pytest.raises(ValueError, match=f"face 1 has a corner beyond its 5 vertices: {corner}"):
        read_mesh(path)
