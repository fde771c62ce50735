"""OBJ files as the world writes them."""

import os
import unicodedata

import numpy as np
import pytest
from made_meshes import checkers

from beam_jobs.scenes.scans.mesh_file import read_mesh
from beam_jobs.scenes.scans.parts import BORDER, REPEAT
from beam_jobs.scenes.scans.wavefront import picture_name

SQUARE = "v 0 0 0\nv 4 0 0\nv 4 4 0\nv 0 4 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"


def read(tmp_path, text, **libraries):
    (tmp_path / "room.obj").write_text(text)
    for name, content in libraries.items():
        (tmp_path / f"{name}.mtl").write_text(content)
    return read_mesh(tmp_path / "room.obj")


def area(mesh):
    corner = mesh.vertices[mesh.faces]
    return np.linalg.norm(
        np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1
    )


def test_negative_indices_count_from_the_line_of_the_face(tmp_path):
    mesh = read(tmp_path, SQUARE + "f -4/-4 -3/-3 -2/-2\nv 9 9 0\nf -5/-4 -3/-2 -2/-1\n")
    plain = read(tmp_path, SQUARE + "f 1/1 2/2 3/3\nf 1/1 3/3 4/4\n")
    np.testing.assert_array_equal(mesh.vertices[mesh.faces], plain.vertices[plain.faces])
    np.testing.assert_array_equal(mesh.uv[mesh.faces], plain.uv[plain.faces])


def test_a_concave_polygon_keeps_its_area(tmp_path):
    arrow = "v 0 0 0\nv 4 0 0\nv 4 4 0\nv 3 1 0\nf 1 2 3 4\nf 2 3 4 1\nf 3 4 1 2\n"
    assert area(read(tmp_path, arrow)).sum() / 2 == pytest.approx(3 * 4.0)


@pytest.mark.parametrize(
    "options", ["", "-s 1 1 1 -o 0 0 0 -clamp off ", "-blendu on -mm 0 1 -bm 0.5 -s 1 1 1 "]
)
@pytest.mark.parametrize("name", ["wall.png", "my wall.png", "textures\\wall.png"])
def test_options_and_back_slashes_before_a_pictures_name(tmp_path, options, name):
    (tmp_path / "textures").mkdir()
    checkers().save(tmp_path / name.replace("\\", "/"))
    text = f"mtllib a.mtl\nusemtl wall\n{SQUARE}f 1/1 2/2 3/3 4/4\n"
    mesh = read(tmp_path, text, a=f"newmtl wall\nmap_Kd {options}{name}\n")
    assert len(mesh.pictures) == 1 and mesh.warnings == ()


@pytest.mark.parametrize("there", ["wall.png", "wall.png # old", "wall #2.png"])
def test_a_comment_may_stand_behind_a_pictures_name_and_a_number_sign_in_it(tmp_path, there):
    checkers().save(tmp_path / there, "PNG")
    text = f"mtllib a.mtl\nusemtl wall\n{SQUARE}f 1/1 2/2 3/3 4/4\n"
    written = there if "#" in there else f"{there}  # the north wall"
    mesh = read(tmp_path, text, a=f"newmtl wall\nmap_Kd -s 1 1 1 {written}\n")
    assert len(mesh.pictures) == 1 and mesh.warnings == ()


def test_scale_and_move_of_a_picture_are_applied(tmp_path):
    checkers().save(tmp_path / "wall.png")
    text = f"mtllib a.mtl\nusemtl wall\n{SQUARE}f 1/1 2/2 3/3\n"
    mesh = read(tmp_path, text, a="newmtl wall\nmap_Kd -s 2 3 -o 0.5 0 wall.png\n")
    assert mesh.uv.min(0).tolist() == [0.5, 0] and mesh.uv.max(0).tolist() == [2.5, 3]


def test_several_libraries_and_a_missing_material_that_is_named(tmp_path):
    faces = "usemtl red\nf 1 2 3\nusemtl blue\nf 1 3 4\nusemtl no\nf 2 3 4\n"
    text = f"mtllib a.mtl b.mtl\n{SQUARE}{faces}"
    mesh = read(tmp_path, text, a="newmtl red\nKd 1 0 0\n", b="newmtl blue\nKd 0 0 1\n")
    assert sorted(map(tuple, np.unique(mesh.colour.round(2), axis=0).tolist())) == [
        (0, 0, 1),
        pytest.approx((0.7, 0.7, 0.7)),
        (1, 0, 0),
    ]
    assert "material no" in mesh.warnings[0]


def test_millions_of_metres_are_moved_to_the_origin_without_loss(tmp_path):
    corners = ((0.125, 0.25), (4.25, 0.25), (4.25, 4.5), (0.125, 4.5))
    shifted = "".join(f"v {500000 + x} {5400000 + y} 0\n" for x, y in corners)
    mesh = read(tmp_path, shifted + "f 1 2 3 4\n")
    assert mesh.moved == (500002.0, 5400002.0, 0.0)
    np.testing.assert_array_equal(np.ptp(mesh.vertices, axis=0), [4.125, 4.25, 0])
    assert np.abs(mesh.vertices).max() < 10


@pytest.mark.parametrize(
    "colour, expected",
    [
        ("Kd 1 0.5 0.25\n", (1, 0.5, 0.25)),
        ("Kd 0.8 0.8 0.8\n", (0.8, 0.8, 0.8)),
        ("Kd 0 0 0\n", (1, 1, 1)),
        ("", (1, 1, 1)),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_a_picture_is_multiplied_by_the_colour_unless_that_is_black(
    tmp_path, colour, expected, before
):
    checkers().save(tmp_path / "wall.png")
    text = f"mtllib a.mtl\nusemtl wall\n{SQUARE}f 1/1 2/2 3/3 4/4\n"
    picture = "map_Kd wall.png\n"
    both = colour + picture if before else picture + colour
    mesh = read(tmp_path, text, a=f"newmtl wall\n{both}")
    assert len(mesh.pictures) == 1
    np.testing.assert_allclose(mesh.colour, np.tile(expected, (len(mesh.colour), 1)), atol=1e-6)


def test_black_without_a_picture_is_black(tmp_path):
    text = f"mtllib a.mtl\nusemtl wall\n{SQUARE}f 1/1 2/2 3/3 4/4\n"
    for name in ("", "map_Kd none.png\n"):
        mesh = read(tmp_path, text, a=f"newmtl wall\nKd 0 0 0\n{name}")
        assert not mesh.colour.any()


@pytest.mark.parametrize("options", ["", "-s 1 1 1 ", "-bm  1 -s 2 "])
@pytest.mark.parametrize("name", ["my  wall.png", "wall.png", "a 1  1 a.png"])
def test_blanks_in_a_pictures_name_are_kept(options, name):
    assert picture_name(f"{options}{name} ")[0] == name


def test_a_polygon_that_crosses_itself_is_left_out_and_said(tmp_path):
    mesh = read(tmp_path, SQUARE + "f 1 2 3 4\nf 1 2 4 3\n")
    assert len(mesh.faces) == 2 and "cross themselves" in mesh.warnings[0]


def test_labels_follow_the_triangles_of_a_file_whose_materials_alternate(tmp_path):
    faces = "usemtl a\nf 1 2 3 4\nusemtl b\nf 1 2 3\nusemtl a\nf 2 3 4\n"
    (tmp_path / "room.obj").write_text(SQUARE + faces)
    np.save(tmp_path / "labels.npy", np.array([3, 4, 5, 6]))
    mesh = read_mesh(tmp_path / "room.obj", labels=tmp_path / "labels.npy")
    texel_set = {
        (number, *np.sort(mesh.vertices[face][:, 0] + mesh.vertices[face][:, 1] / 2))
        for face, number in zip(mesh.faces, mesh.semantic.tolist())
    }
    assert texel_set == {(3, 0, 4, 6), (4, 0, 2, 6), (5, 0, 4, 6), (6, 2, 4, 6)}


@pytest.mark.parametrize("options, wrap", [("-clamp on ", BORDER), ("-clamp off ", REPEAT)])
def test_a_picture_may_end_at_its_border(tmp_path, options, wrap):
    checkers().save(tmp_path / "wall.png")
    text = f"mtllib a.mtl\nusemtl wall\n{SQUARE}f 1/1 2/2 3/3\n"
    mesh = read(tmp_path, text, a=f"newmtl wall\nmap_Kd {options}wall.png\n")
    assert mesh.wraps.tolist() == [[wrap, wrap]]


def test_a_comment_that_ends_in_a_back_slash_takes_no_line_with_it(tmp_path):
    text = "# C:\\scans\\\n" + SQUARE.replace("v 4 0 0\n", "# D:\\\nv 4 \\\n# E:\\\n0 0\n")
    mesh = read(tmp_path, text + "f 1 2 3 4\nf 1 2 \\\n3\\")
    assert area(mesh).sum() / 2 == 16 + 8


def test_whether_colours_of_vertices_are_codes_is_one_answer_a_file(tmp_path):
    """one material's are all 1 of 255, another's go up to 200."""
    dark = "".join(f"v {x} {y} 0 1 1 1\n" for x, y in ((0, 0), (4, 0), (4, 4)))
    bright = "".join(f"v {x} {y} 3 200 100 1\n" for x, y in ((0, 0), (4, 0), (4, 4)))
    mesh = read(tmp_path, f"{dark}{bright}usemtl a\nf 1 2 3\nusemtl b\nf 4 5 6\n")
    expected = np.array([[1, 1, 1]] * 3 + [[200, 100, 1]] * 3) / 255
    np.testing.assert_allclose(mesh.colour, expected, atol=1e-6)


def test_a_wall_with_a_window_as_one_polygon_keeps_its_window(tmp_path):
    window = "v 1 1 0\nv 1 3 0\nv 3 3 0\nv 3 1 0\n"
    assert area(read(tmp_path, f"{SQUARE}{window}f 1 5 6 7 8 5 1 2 3 4\n")).sum() / 2 == 12


def test_polygons_that_can_only_be_guessed_are_counted_and_said(tmp_path):
    eight = "v 0 0 0\nv 2 2 0\nv 3 3 0\nv 3 1 0\nv 0 4 0\nf 1 2 3 4 2 5\nf 1 2 3 4 2 5\n"
    assert "outlines of 2 polygons" in read(tmp_path, eight).warnings[0]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1251", "cp866", "gbk"])
def test_materials_named_in_any_encoding_stay_apart(tmp_path, encoding):
    red, blue = {
        "cp1251": ("стена", "стены"),
        # in this one the last letter is Latin-1's blank without a break
        "cp866": ("стена", "стен"),
        "gbk": ("墙", "门"),
    }.get(encoding, ("Tür", "Tör"))
    (tmp_path / "a.mtl").write_text(
        f"newmtl {red}\nKd 1 0 0\nnewmtl {blue}\nKd 0 0 1\n", encoding=encoding
    )
    faces = f"usemtl {red}\nf 1 2 3\nusemtl {blue}\nf 1 3 4\n"
    (tmp_path / "room.obj").write_text(f"mtllib a.mtl\n{SQUARE}{faces}", encoding=encoding)
    mesh = read_mesh(tmp_path / "room.obj")
    assert mesh.colour[mesh.faces[:, 0]].tolist() == [[1, 0, 0], [0, 0, 1]] and not mesh.warnings


NAME = "Wände.png"


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize(
    "on_disk",
    [NAME.encode(), NAME.encode("latin-1"), unicodedata.normalize("NFD", NAME).encode()],
    ids=["utf-8", "latin-1", "accents apart"],
)
def test_pictures_are_found_however_their_letters_are_written(tmp_path, encoding, on_disk):
    checkers().save(tmp_path / "x.png")
    os.rename(tmp_path / "x.png", os.fsencode(tmp_path) + b"/" + on_disk)
    (tmp_path / "a.mtl").write_text(f"newmtl wall\nmap_Kd {NAME}\n", encoding=encoding)
    mesh = read(tmp_path, f"mtllib a.mtl\nusemtl wall\n{SQUARE}f 1/1 2/2 3/3\n")
    assert len(mesh.pictures) == 1 and not mesh.warnings and mesh.sources[NAME]


def test_pictures_in_another_case_are_found_and_said(tmp_path):
    (tmp_path / "textures").mkdir()
    for name in ("Wall.PNG", "wall.png"):
        checkers().save(tmp_path / "textures" / name)
    text = f"mtllib a.mtl\nusemtl wall\n{SQUARE}f 1/1 2/2 3/3\n"
    library = "newmtl wall\nmap_Kd Textures/wall.PNG\n"
    mesh = read(tmp_path, text, a=library)
    assert len(mesh.pictures) == 1
    assert mesh.warnings == ("Textures/wall.PNG is not there: Wall.PNG, in another case, is taken",)
    # a name as it is written comes first
    assert read(tmp_path, text, a=library.replace("PNG", "png").replace("T", "t")).warnings == ()


def test_comments_stand_behind_numbers_and_names(tmp_path):
    square = SQUARE.replace("\n", " # a corner\n").replace("v 4 0 0 #", "v 4 0 0#")
    faces = "usemtl red # brick\nf 1 2 3 # half\nusemtl Material #25\nf 1 3 4#other half\n"
    library = "newmtl red\nKd 1 0 0 # bright\nd 1 # opaque\nnewmtl Material #25\nKd 0 0 1\n"
    mesh = read(tmp_path, f"mtllib a.mtl # of the house\n{square}{faces}", a=library)
    assert mesh.colour[mesh.faces[:, 0]].tolist() == [[1, 0, 0], [0, 0, 1]] and not mesh.warnings


@pytest.mark.parametrize("kind", ["xyz 0.4 0.2 0.02", "spectral brick.rfl 1"])
def test_colours_that_are_no_red_green_blue_are_said(tmp_path, kind):
    text = f"mtllib a.mtl\nusemtl wall\n{SQUARE}f 1 2 3\n"
    mesh = read(tmp_path, text, a=f"newmtl wall\nKd {kind}\n")
    assert f"colours as {kind.split()[0]} (Kd) are not read" in mesh.warnings[0]
    np.testing.assert_array_equal(mesh.colour, 1)


def test_coordinates_of_one_number_lie_on_the_lower_border(tmp_path):
    checkers().save(tmp_path / "wall.png")
    text = SQUARE.replace("vt 1 0\n", "vt 1\n").replace("vt 0 0\n", "vt 0\n")
    mesh, plain = (
        read(
            tmp_path,
            f"mtllib a.mtl\nusemtl a\n{points}f 1/1 2/2 3/3\n",
            a="newmtl a\nmap_Kd wall.png",
        )
        for points in (text, SQUARE)
    )
    np.testing.assert_array_equal(mesh.uv, plain.uv)


def test_too_few_numbers_are_refused_with_how_many_are_wanted(tmp_path):
    with pytest.raises(ValueError, match="line 2.*expected at least 3 numbers, got 2"):
        read(tmp_path, "v 0 0 0\nv 1 0\nv 1 1 0\nf 1 2 3\n")


@pytest.mark.parametrize(
    "faces, library, words",
    [
        (
            "f 1 2 3\n",
            "map_Kd wall.png",
            "material wall has a picture, its surfaces no coordinates",
        ),
        (
            "f 1/1 2/2 3/3\nf 1 3 4\n",
            "map_Kd wall.png",
            "1 of 2 triangles of material wall have no",
        ),
        ("f 1/1 2/2 3/3\n", "map_Ka wall.png", "a picture of ambient light alone (map_Ka)"),
        ("f 1 2 3\nl 1 2\n", "", "points and lines are left out"),
        ("f 1 2 3\np 1\n", "", "points and lines are left out"),
        ("f 1 2 3\nsurf 0 1 0 1 1 2 3 4\n", "", "free-form surfaces are left out"),
    ],
)
def test_what_is_left_out_is_said(tmp_path, faces, library, words):
    checkers().save(tmp_path / "wall.png")
    text = f"mtllib a.mtl\nusemtl wall\n{SQUARE}{faces}"
    mesh = read(tmp_path, text, a=f"newmtl wall\n{library}\n")
    assert len(mesh.warnings) == 1 and words in mesh.warnings[0]


def test_the_same_picture_of_ambient_and_of_diffuse_light_is_no_loss(tmp_path):
    checkers().save(tmp_path / "wall.png")
    text = f"mtllib a.mtl\nusemtl wall\n{SQUARE}f 1/1 2/2 3/3\n"
    both = "newmtl wall\nmap_Ka wall.png\nmap_Kd wall.png\n"
    assert not read(tmp_path, text, a=both).warnings
