"""A screen with holes (alphaMode MASK) before a wall: what is behind a hole is what is seen, in
colour, depth, normals and occlusion edges, and it can be looked at.
"""

import numpy as np
import pytest
from made_meshes import UNIT, png, square_tree, write_glb
from PIL import Image

from beam_jobs.scenes.render.ray_caster import RayCaster
from beam_jobs.scenes.scans.masks import MaskedCaster
from beam_jobs.scenes.scans.mesh_file import read_mesh
from beam_jobs.scenes.scans.scan import Scan
from models.tasks import Camera
from models.tasks.labels.edges import edge_occlusion

SIDE, SQUARES, SIZE = 4.0, 4, 64
QUAD = np.array([0, 1, 2, 0, 2, 3], "uint16")
STRONG = 50  # code of an occlusion edge, far above that of rounded depth
RED, BLUE = (200, 30, 30), (30, 30, 200)


def chequered(alpha: int = 255) -> Image.Image:
    """red squares, every second of them clear, 16 texels a square."""
    squares = np.indices((SQUARES, SQUARES)).sum(0) % 2
    picture = np.zeros((SQUARES, SQUARES, 4), "uint8")
    picture[..., :3], picture[..., 3] = RED, squares * alpha
    return Image.fromarray(picture.repeat(16, 0).repeat(16, 1))


def quad(far: float) -> np.ndarray:
    """a square of SIDE metres across the y axis (z up in the file), its first corner low left."""
    half = SIDE / 2
    return np.array(
        [[-half, far, -half], [half, far, -half], [half, far, half], [-half, far, half]], "float32"
    )


def mesh(folder, screens=(2.0,), mode="MASK", picture=None, factor=1.0, cutoff=0.5):
    """screens at some distances before a blue wall at 4 m, twice as wide, turned by 30 degrees."""
    turn = np.radians(30)
    wall = (
        quad(0.0)
        * 3
        @ np.array(
            [[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]],
            "float32",
        )
    )
    wall[:, 1] += 4
    arrays = [wall.astype("float32"), QUAD, UNIT, *(quad(far) for far in screens)]
    arrays.append(png(picture or chequered()))
    tree = square_tree(
        materials=[
            {"pbrMetallicRoughness": {"baseColorFactor": [*(np.array(BLUE) / 255) ** 2.2, 1]}},
            {
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "baseColorFactor": [1, 1, 1, factor],
                },
                "alphaMode": mode,
                "alphaCutoff": cutoff,
            },
        ],
        textures=[{"source": 0}],
        images=[{"bufferView": len(arrays) - 1}],
        primitive={"material": 0},
    )
    for number in range(len(screens)):
        row = {"bufferView": 3 + number, "componentType": 5126, "count": 4, "type": "VEC3"}
        tree["accessors"].append(row)
        attributes = {"POSITION": 3 + number, "TEXCOORD_0": 2}
        primitive = {"attributes": attributes, "indices": 1, "material": 1}
        tree["meshes"][0]["primitives"].append(primitive)
    return read_mesh(write_glb(folder / "screen.glb", arrays, tree), up="z")


def look(made):
    """a view from the origin along y; not turned with the walls."""
    scan = Scan(made)
    c, s = np.cos(scan.yaw), np.sin(scan.yaw)
    rotation = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    turned = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T @ rotation
    return scan.look(Camera(np.zeros(3), turned, np.pi / 2, None, None), SIZE)


def opaque_pixels() -> np.ndarray:
    """[S, S] where the screen, which fills the view, is not clear."""
    squares = np.indices((SQUARES, SQUARES)).sum(0) % 2 == 0  # the picture's last row is on top
    return squares.repeat(SIZE // SQUARES, 0).repeat(SIZE // SQUARES, 1)


def inner(mask: np.ndarray) -> np.ndarray:
    """without the pixels beside a change, which a bilinear border may share."""
    same = np.ones_like(mask)
    for axis in (0, 1):
        for step in (-1, 1):
            same &= np.roll(mask, step, axis) == mask
    return same


def test_what_is_behind_a_hole_is_seen(tmp_path):
    seen, wall = look(mesh(tmp_path)), look(mesh(tmp_path, screens=()))
    screen, sure = opaque_pixels(), inner(opaque_pixels())
    np.testing.assert_allclose(seen.depth[screen & sure], 2.0, atol=1e-5)
    hole = ~screen & sure
    np.testing.assert_allclose(seen.depth[hole], wall.depth[hole], rtol=2e-6)
    np.testing.assert_allclose(seen.distance[hole], wall.distance[hole], rtol=2e-6)
    np.testing.assert_array_equal(seen.normal[hole], wall.normal[hole])
    np.testing.assert_array_equal(seen.rgb[hole], wall.rgb[hole])
    assert (np.abs(seen.rgb[screen & sure].astype(int) - RED) <= 1).all()
    assert (np.abs(seen.normal[screen & sure] - [0, 0, -1]) < 1e-6).all()
    assert 0.4 < hole.mean() / sure.mean() < 0.6


def test_occlusion_edges_run_around_the_holes(tmp_path):
    codes = (np.clip(look(mesh(tmp_path)).depth, 0, 127) * 512).astype("uint16")
    marked = edge_occlusion(codes) > STRONG
    border = ~inner(opaque_pixels())
    within = np.zeros_like(marked)
    within[4:-4, 4:-4] = True
    assert marked[border & within].mean() > 0.9
    solid = look(mesh(tmp_path, mode="OPAQUE"))
    codes = (np.clip(solid.depth, 0, 127) * 512).astype("uint16")
    assert edge_occlusion(codes)[within].max() < STRONG, "a whole screen has none"


def test_a_ray_passes_many_holes_and_counts_the_first_surface(tmp_path):
    screens = tuple(np.linspace(1.0, 1.0005, 40))  # half a millimetre for all of them
    seen, wall = look(mesh(tmp_path, screens)), look(mesh(tmp_path, screens=()))
    middle = slice(SIZE // 2 - 12, SIZE // 2 + 12)
    hole = np.isclose(seen.depth, wall.depth, rtol=1e-5)[middle, middle]
    front = np.isclose(seen.depth, 1.0, atol=1e-4)[middle, middle]
    assert (hole | front).mean() > 0.95 and hole.mean() > 0.4 and front.mean() > 0.4


@pytest.mark.parametrize("alpha, factor, holes", [(200, 1.0, False), (200, 0.5, True)])
def test_alpha_is_the_pictures_times_the_materials(tmp_path, alpha, factor, holes):
    whole = chequered(alpha)
    whole.putalpha(alpha)
    made = mesh(tmp_path, picture=whole, factor=factor, cutoff=0.7)
    assert (look(made).depth.max() > 2.5) == holes


def test_rays_that_ask_for_a_free_way_pass_holes(tmp_path):
    made = mesh(tmp_path)
    rays = np.array([[-0.25, 1, 0.25], [0.25, 1, 0.25]], "float32")
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    scan = Scan(made)
    c, s = np.cos(scan.yaw), np.sin(scan.yaw)
    rays = (rays @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])).astype("float32")
    reach = np.full(2, 3.0, "float32")
    free = scan.caster.free(np.zeros((2, 3), "float32"), rays, reach)
    assert sorted(free.tolist()) == [False, True]


def test_meshes_without_masks_are_cast_as_before(tmp_path):
    made = mesh(tmp_path, mode="OPAQUE")
    assert made.masks is None and type(Scan(made).caster) is RayCaster
    assert type(Scan(mesh(tmp_path)).caster) is MaskedCaster
    clear = chequered(255)
    clear.putalpha(255)
    assert mesh(tmp_path, picture=clear).masks is None, "nothing of it is cut out"
