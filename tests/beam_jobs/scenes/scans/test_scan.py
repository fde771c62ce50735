"""A mesh as a scene that cameras look at: its colours, and what its pictures come to."""

import copy

import numpy as np
import pytest
from made_meshes import INDICES, SQUARE, UNIT, checkers, png, square_tree, write_glb
from PIL import Image

from beam_jobs.scenes.scans.mesh_file import read_mesh
from beam_jobs.scenes.scans.parts import reflected, shown
from beam_jobs.scenes.scans.scan import Scan
from models.tasks import Camera

WALL = "v 0 0 0\nv 4 0 0\nv 4 0 4\nv 0 0 4\nvt 0 0\nvt 1 0\nvt 1 1\n"


def test_a_picture_of_faces_without_area_alone_is_no_hindrance(tmp_path):
    checkers().save(tmp_path / "wall.png")
    (tmp_path / "a.mtl").write_text("newmtl bare\nnewmtl wall\nmap_Kd wall.png\n")
    faces = "usemtl bare\nf 1 2 3\nf 1 3 4\nusemtl wall\nf 1/1 2/2 1/3\n"
    (tmp_path / "room.obj").write_text(f"mtllib a.mtl\n{WALL}{faces}")
    mesh = read_mesh(tmp_path / "room.obj")
    assert len(mesh.pictures) == 1 and len(Scan(mesh).normal) == 2


def coded(light):
    """the code of 8 bits of linear light in [0, 1]."""
    return round(255 * (1.055 * light ** (1 / 2.4) - 0.055))


def seen(folder, primitive, arrays, **tree):
    """codes [3] of a floor of 4 x 4 m, y up, seen from above at 1/16 of its width."""
    described = square_tree(primitive=primitive, **tree)
    described["accessors"].append(
        {"bufferView": 3, "componentType": 5126, "count": 4, "type": "VEC3"}
    )
    mesh = read_mesh(write_glb(folder / "room.glb", [SQUARE, INDICES, UNIT, *arrays], described))
    camera = Camera(location=[0.25, -2, 3], rotation=np.eye(3), field_of_view=0.01)
    return Scan(mesh).look(camera, 3).rgb[1, 1].tolist()


DARK = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}, "baseColorFactor": [0.05] * 4}}


def test_colours_of_vertices_run_as_light_and_are_coded_afterwards(tmp_path):
    """halfway between black and white is 188: 128 were half of its code."""
    painted = {"attributes": {"POSITION": 0, "COLOR_0": 3}}
    across = np.float32([[0, 0, 0], [1, 1, 0], [1, 1, 0], [0, 0, 0]])
    light = 0.25 / 4
    assert seen(tmp_path, painted, [across]) == [coded(light), coded(light), 0]
    assert coded(0.5) == 188


@pytest.mark.parametrize("coloured", ["factor", "vertices"])
def test_a_colour_multiplies_a_picture_as_light(tmp_path, coloured):
    """a twentieth of code 61 is 8; 15 were a product of codes."""
    material = copy.deepcopy(DARK)
    attributes = {"POSITION": 0, "TEXCOORD_0": 2}
    if coloured == "vertices":
        material["pbrMetallicRoughness"].pop("baseColorFactor")
        attributes["COLOR_0"] = 3
    colours = seen(
        tmp_path,
        {"attributes": attributes, "material": 0},
        [np.full((4, 3), 0.05, "float32"), png(Image.new("RGB", (4, 4), (61, 255, 0)))],
        materials=[material],
        textures=[{"source": 0}],
        images=[{"bufferView": 4}],
    )
    assert colours == [8, coded(0.05), 0]


def test_codes_are_light_and_back():
    codes = np.linspace(0, 1, 256)
    np.testing.assert_allclose(shown(reflected(codes)), codes, atol=1e-6)
