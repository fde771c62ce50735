"""What glTF files say in other words than plain ones is read as the same surface, or refused by
name.
"""

import copy

import numpy as np
import pytest
from made_meshes import INDICES, SQUARE, UNIT, checkers, png, square_tree, write_glb
from PIL import Image

from beam_jobs.scenes.scans.mesh_file import read_mesh
from beam_jobs.scenes.scans.parts import BORDER, MIRROR, REPEAT

PICTURE = {
    "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
    "textures": [{"source": 0}],
    "images": [{"bufferView": 3}],
    "primitive": {"material": 0},
}


def read(tmp_path, tree, arrays=(SQUARE, INDICES, UNIT)):
    return read_mesh(write_glb(tmp_path / "room.glb", list(arrays), tree))


def pictured(**changes):
    return copy.deepcopy({**PICTURE, **changes})


@pytest.mark.parametrize("kind, code", [("uint8", 5121), ("uint16", 5123)])
def test_normalised_coordinates_are_fractions(tmp_path, kind, code):
    tree = square_tree(**pictured())
    tree["accessors"][2] |= {"componentType": code, "normalized": True}
    whole = (UNIT * np.iinfo(kind).max).astype(kind)
    mesh = read(tmp_path, tree, (SQUARE, INDICES, whole, png(checkers())))
    np.testing.assert_allclose(mesh.uv, UNIT * [1, -1] + [0, 1], atol=1e-6)


def test_quantised_positions_are_scaled_by_their_node(tmp_path):
    tree = square_tree(node={"scale": [4, 4, 4]}, extensionsRequired=["KHR_mesh_quantization"])
    tree["accessors"][0] |= {"componentType": 5122, "normalized": True}
    corners = (SQUARE / 4 * 32767).astype("int16")
    mesh = read(tmp_path, tree, (corners, INDICES, UNIT))
    np.testing.assert_allclose(mesh.vertices, read(tmp_path, square_tree()).vertices, atol=1e-3)


def test_sparse_values_are_put_in_place(tmp_path):
    tree = square_tree()
    tree["accessors"][0]["sparse"] = {
        "count": 1,
        "indices": {"bufferView": 3, "componentType": 5121},
        "values": {"bufferView": 4},
    }
    wrong = SQUARE.copy()
    wrong[2] = 0
    arrays = (wrong, INDICES, UNIT, np.array([2], "uint8"), SQUARE[2:3])
    np.testing.assert_array_equal(
        read(tmp_path, tree, arrays).vertices, read(tmp_path, square_tree()).vertices
    )


@pytest.mark.parametrize("mode, order", [(5, [0, 1, 3, 2]), (6, [0, 1, 2, 3])])
def test_strips_and_fans_are_the_same_square(tmp_path, mode, order):
    tree = square_tree(primitive={"mode": mode})
    tree["accessors"][1]["count"] = 4
    mesh = read(tmp_path, tree, (SQUARE, np.array(order, "uint16"), UNIT))
    corner = mesh.vertices[mesh.faces]
    up = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])[:, 2]
    plain = read(tmp_path, square_tree())
    corner = plain.vertices[plain.faces]
    expected = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])[:, 2]
    np.testing.assert_allclose(up, expected)


def test_every_instance_is_placed(tmp_path):
    extension = {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": 3}}}
    tree = square_tree(node={"extensions": extension})
    tree["accessors"].append({"bufferView": 3, "componentType": 5126, "count": 3, "type": "VEC3"})
    moves = np.array([[0, 0, 0], [10, 0, 0], [0, 3, 0]], "float32")
    mesh = read(tmp_path, tree, (SQUARE, INDICES, UNIT, moves))
    assert len(mesh.faces) == 6
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), [14, 4, 3])


@pytest.mark.parametrize("kind, code", [("float32", 5126), ("uint8", 5121), ("uint16", 5123)])
def test_colours_of_vertices_are_linear_like_the_base_colour(tmp_path, kind, code):
    tree = square_tree(primitive={"attributes": {"POSITION": 0, "COLOR_0": 2}})
    tree["accessors"][2] |= {"componentType": code, "type": "VEC3", "normalized": kind != "float32"}
    scale = 1 if kind == "float32" else np.iinfo(kind).max
    half = np.full((4, 4), 0.5 * scale).astype(kind)[:, :3].copy()
    if kind == "uint8":  # rows are aligned to four bytes
        tree["accessors"][2]["type"] = "VEC4"
        half = np.full((4, 4), 128, "uint8")
    factor = {"pbrMetallicRoughness": {"baseColorFactor": [0.5, 0.5, 0.5, 1]}}
    plain = square_tree(materials=[factor], primitive={"material": 0})
    painted = read(tmp_path, tree, (SQUARE, INDICES, half)).colour
    np.testing.assert_allclose(painted, read(tmp_path, plain).colour, atol=0.004)
    np.testing.assert_allclose(painted, 188 / 255, atol=0.004)


def test_colours_that_are_not_marked_as_normalised_are_fractions_all_the_same(tmp_path):
    tree = square_tree(primitive={"attributes": {"POSITION": 0, "COLOR_0": 2}})
    tree["accessors"][2] |= {"componentType": 5121, "type": "VEC4"}
    mesh = read(tmp_path, tree, (SQUARE, INDICES, np.full((4, 4), 128, "uint8")))
    np.testing.assert_allclose(mesh.colour, 188 / 255, atol=0.004)
    assert "not marked as normalised: read as fractions of 255" in mesh.warnings[0]


def test_linear_colours_follow_the_curve_of_srgb_down_to_black(tmp_path):
    """codes of the standard's curve; a power of 2.2 makes 43 of the second."""
    for linear, code in ((0.001, 3), (0.02, 39), (0.5, 188), (1, 255)):
        factor = {"pbrMetallicRoughness": {"baseColorFactor": [linear] * 3 + [1]}}
        plain = square_tree(materials=[factor], primitive={"material": 0})
        assert np.round(read(tmp_path, plain).colour * 255).tolist() == [[code] * 3] * 4


def test_a_texture_transform_scales_then_moves(tmp_path):
    tree = square_tree(**pictured())
    moved = {"scale": [4, 2], "offset": [0.25, 0.5]}
    texture = tree["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]
    texture["extensions"] = {"KHR_texture_transform": moved}
    mesh = read(tmp_path, tree, (SQUARE, INDICES, UNIT, png(checkers())))
    u, v = (UNIT * [4, 2] + [0.25, 0.5]).T
    np.testing.assert_allclose(mesh.uv, np.stack([u, 1 - v], 1), atol=1e-6)


def test_what_a_mask_cuts_out_wholly_is_absent_and_what_is_translucent_is_stated(tmp_path):
    clear = Image.new("RGBA", (8, 8), (200, 40, 40, 0))
    tree = square_tree(**pictured())
    tree["materials"][0]["alphaMode"] = "MASK"
    with pytest.raises(ValueError, match="no triangles"):
        read(tmp_path, tree, (SQUARE, INDICES, UNIT, png(clear)))
    clear.paste((200, 40, 40, 255), (0, 0, 4, 8))
    mesh = read(tmp_path, tree, (SQUARE, INDICES, UNIT, png(clear)))
    assert len(mesh.faces) == 2 and not mesh.warnings
    np.testing.assert_array_equal(mesh.masks.cutoff, [0.5, 0.5])
    tree["materials"][0]["alphaMode"] = "BLEND"
    assert "BLEND" in read(tmp_path, tree, (SQUARE, INDICES, UNIT, png(clear))).warnings[0]


def test_a_required_extension_that_is_not_read_is_refused_by_name_with_the_cure(tmp_path):
    tree = square_tree(extensionsRequired=["EXT_meshopt_compression"])
    with pytest.raises(ValueError, match="EXT_meshopt_compression.*convert the file first") as it:
        read(tmp_path, tree)
    assert "export it again" not in str(it.value)


def test_percent_encoded_names_are_found_and_missing_pictures_named(tmp_path):
    checkers().save(tmp_path / "wall paper.png")
    tree = square_tree(**pictured(images=[{"uri": "wall%20paper.png"}]))
    assert len(read(tmp_path, tree).pictures) == 1
    (tmp_path / "wall paper.png").unlink()
    assert "wall%20paper.png is missing" in read(tmp_path, tree).warnings[0]


def test_triangles_that_a_mask_cuts_out_keep_their_place_among_the_labels(tmp_path):
    """the first triangle lies in a clear half of the picture, the second in an opaque one."""
    half = Image.new("RGBA", (64, 64), (200, 40, 40, 255))
    half.paste((0, 0, 0, 0), (0, 0, 32, 64))
    tree = square_tree(**pictured())
    tree["materials"][0]["alphaMode"] = "MASK"
    tree["accessors"][0]["count"] = tree["accessors"][2]["count"] = 6
    corners = SQUARE[INDICES]
    uv = np.array([[0.1, 0.1]] * 3 + [[0.9, 0.9]] * 3, "float32")
    path = write_glb(
        tmp_path / "room.glb", [corners, np.arange(6, dtype="uint16"), uv, png(half)], tree
    )
    np.save(tmp_path / "labels.npy", np.array([5, 9]))
    assert read_mesh(path, labels=tmp_path / "labels.npy").semantic.tolist() == [9]


def skinned(tmp_path, joints, bound, weights=None, node=None):
    """the square, held by joints (nodes) with inverse bind matrices `bound` [j, 4, 4]. weights:
    [4, 2] of the first two of its joints.
    """
    attributes = {"POSITION": 0, "JOINTS_0": 3, "WEIGHTS_0": 4}
    tree = square_tree(
        primitive={"attributes": attributes},
        node={"skin": 0, **(node or {})},
        skins=[{"joints": list(range(1, len(joints) + 1)), "inverseBindMatrices": 5}],
    )
    tree["nodes"] += joints
    numbers = np.tile(np.array([0, len(joints) - 1, 0, 0], "uint8"), (4, 1))
    held = np.zeros((4, 4), "float32")
    held[:, :2] = [1, 0] if weights is None else weights
    tree["accessors"] += [
        {"bufferView": 3, "componentType": 5121, "count": 4, "type": "VEC4"},
        {"bufferView": 4, "componentType": 5126, "count": 4, "type": "VEC4"},
        {"bufferView": 5, "componentType": 5126, "count": len(joints), "type": "MAT4"},
    ]
    columns = np.swapaxes(np.array(bound, "float32"), 1, 2).copy()
    return read(tmp_path, tree, (SQUARE, INDICES, UNIT, numbers, held, columns))


def test_joints_place_a_skin_and_its_own_node_does_not(tmp_path):
    plain = read(tmp_path, square_tree()).vertices
    small = skinned(tmp_path, [{}], [np.eye(4)], node={"scale": [0.01, 0.01, 0.01]})
    np.testing.assert_allclose(small.vertices, plain)
    bound = np.diag([100, 100, 100, 1])
    np.testing.assert_allclose(
        skinned(tmp_path, [{"scale": [0.01, 0.01, 0.01]}], [bound]).vertices, plain, atol=1e-6
    )


def test_weights_that_do_not_sum_to_one_are_shares(tmp_path):
    joints = [{"children": [2]}, {"translation": [0, 0, 3]}]
    weights = [[2, 0], [1, 1], [0, 0.5], [0, 0]]
    mesh = skinned(tmp_path, joints, [np.eye(4)] * 2, weights)
    moved = mesh.vertices - read(tmp_path, square_tree()).vertices
    # y is up in the file
    np.testing.assert_allclose(moved, np.outer([0, -1.5, -3, 0], [0, 1, 0]), atol=1e-6)


def test_a_joint_that_mirrors_turns_its_faces(tmp_path):
    mirrored = skinned(tmp_path, [{"scale": [-1, 1, 1]}], [np.eye(4)])
    corner = mirrored.vertices[mirrored.faces]
    plain = read(tmp_path, square_tree())
    expected = plain.vertices[plain.faces]
    for triangles in (corner, expected):
        assert (np.cross(*(triangles[:, k] - triangles[:, 0] for k in (1, 2)))[:, 2] < 0).all()


@pytest.mark.parametrize("place", ["node", "mesh"])
def test_weights_of_morph_targets_are_said_wherever_they_stand(tmp_path, place):
    tree = square_tree()
    tree["nodes" if place == "node" else "meshes"][0]["weights"] = [0, 0.5]
    assert "morph targets are left at rest" in read(tmp_path, tree).warnings[0]


def test_a_black_surface_that_emits_shows_what_it_emits(tmp_path):
    black = {"pbrMetallicRoughness": {"baseColorFactor": [0, 0, 0, 1]}}
    glowing = {**black, "emissiveFactor": [1, 1, 1], "emissiveTexture": {"index": 0}}
    mesh = read(
        tmp_path,
        square_tree(**pictured(materials=[glowing])),
        (SQUARE, INDICES, UNIT, png(checkers())),
    )
    assert len(mesh.pictures) == 1 and not mesh.warnings
    np.testing.assert_allclose(mesh.colour, 1)
    plain = {"materials": [{**black, "emissiveFactor": [1, 0, 0]}], "primitive": {"material": 0}}
    np.testing.assert_allclose(read(tmp_path, square_tree(**plain)).colour, [[1, 0, 0]] * 4)
    lamp = {"materials": [{"name": "lamp", "emissiveFactor": [1, 0, 0]}]}
    mesh = read(tmp_path, square_tree(**lamp, primitive={"material": 0}))
    assert "material lamp glows" in mesh.warnings[0]
    np.testing.assert_allclose(mesh.colour, 1)


GLOSSY = "KHR_materials_pbrSpecularGlossiness"


@pytest.mark.parametrize(
    "glossy, colour, pictures",
    [
        ({"diffuseFactor": [0, 1, 0, 1]}, [0, 1, 0], 0),
        ({"diffuseTexture": {"index": 0}}, [1, 1, 1], 1),
        ({}, [1, 1, 1], 0),
    ],
)
def test_glossiness_beside_roughness_is_read_alone(tmp_path, glossy, colour, pictures):
    rough = {"baseColorFactor": [0.1, 0.1, 0.1, 1], "baseColorTexture": {"index": 0}}
    both = {"pbrMetallicRoughness": rough, "extensions": {GLOSSY: glossy}}
    tree = square_tree(**pictured(materials=[both]))
    mesh = read(tmp_path, tree, (SQUARE, INDICES, UNIT, png(checkers())))
    assert len(mesh.pictures) == pictures
    np.testing.assert_allclose(mesh.colour, [colour] * 4)


@pytest.mark.parametrize(
    "code, wrap", [(33071, BORDER), (10497, REPEAT), (33648, MIRROR), (None, REPEAT)]
)
def test_samplers_say_what_lies_beyond_a_picture(tmp_path, code, wrap):
    texture = {"source": 0} if code is None else {"source": 0, "sampler": 0}
    tree = square_tree(**pictured(textures=[texture], samplers=[{"wrapS": code}]))
    mesh = read(tmp_path, tree, (SQUARE, INDICES, UNIT * 3, png(checkers())))
    assert mesh.wraps.tolist() == [[wrap, REPEAT]]
    # two textures of one image, each with its own sampler
    tree["meshes"][0]["primitives"].append({**tree["meshes"][0]["primitives"][0], "material": 1})
    tree["materials"].append({"pbrMetallicRoughness": {"baseColorTexture": {"index": 1}}})
    tree["textures"].append({"source": 0, "sampler": 1})
    tree["samplers"] = [{"wrapS": code or 10497}, {"wrapT": 33071}]
    mesh = read(tmp_path, tree, (SQUARE, INDICES, UNIT * 3, png(checkers())))
    assert mesh.wraps[mesh.picture].tolist() == [[wrap, REPEAT]] * 2 + [[REPEAT, BORDER]] * 2


def test_a_picture_whose_coordinates_are_absent_is_said(tmp_path):
    tree = square_tree(**pictured())
    texture = tree["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]
    texture["texCoord"] = 1
    mesh = read(tmp_path, tree, (SQUARE, INDICES, UNIT, png(checkers())))
    assert mesh.pictures == () and "(TEXCOORD_1)" in mesh.warnings[0]
