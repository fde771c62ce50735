"""A surface that is compressed by Draco is the same surface, to the steps that its numbers were
rounded to; damaged data are one clear line.
"""

import DracoPy
import numpy as np
import pytest
from made_meshes import EXTENT, checkers, png, room, write_glb
from scipy.spatial import cKDTree

from beam_jobs.scenes.scans.draco import DRACO
from beam_jobs.scenes.scans.mesh_file import read_mesh

BITS = 14
STEP = max(EXTENT) / 2**BITS


def surface():
    """(vertices, faces, uv, colours) of a furnished room, y up."""
    mesh = room()
    x, y, z = mesh.vertices.T
    vertices = np.stack([x, z, -y], 1).astype("float32")
    colours = np.clip(mesh.vertices / EXTENT * 255, 0, 255).astype("uint8")
    colours = np.column_stack([colours, np.full(len(colours), 255, "uint8")])
    return vertices, mesh.faces.astype("uint32"), mesh.visual.uv.astype("float32"), colours


def tree(packed: dict | None = None, count: int | None = None, **accessor) -> dict:
    """a glTF of the room: plain, or its accessors filled by Draco's attributes (name -> id)."""
    vertices, faces, uv, _ = surface()
    rows = [
        {"componentType": 5126, "count": count or len(vertices), "type": "VEC3"},
        {"componentType": 5126, "count": len(vertices), "type": "VEC2", **accessor},
        {"componentType": 5121, "count": len(vertices), "type": "VEC4", "normalized": True},
        {"componentType": 5125, "count": faces.size, "type": "SCALAR"},
    ]
    attributes = {"POSITION": 0, "TEXCOORD_0": 1, "COLOR_0": 2}
    primitive = {"attributes": attributes, "indices": 3, "material": 0}
    if packed is None:
        rows = [row | {"bufferView": i} for i, row in enumerate(rows)]
    else:
        primitive["extensions"] = {DRACO: {"bufferView": 0, "attributes": packed}}
    required = {} if packed is None else {"extensionsRequired": [DRACO]}
    return {
        "accessors": rows,
        "meshes": [{"primitives": [primitive]}],
        "nodes": [{"mesh": 0}],
        "scenes": [{"nodes": [0]}],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        "textures": [{"source": 0}],
        "images": [{"bufferView": 4 if packed is None else 1}],
        **required,
    }


def plain(folder):
    vertices, faces, uv, colours = surface()
    path = folder / "plain.glb"
    return read_mesh(write_glb(path, [vertices, uv, colours, faces, png(checkers())], tree()))


def encoded(**options) -> bytes:
    vertices, faces, uv, colours = surface()
    given = {
        "tex_coord": uv.astype("float64"),
        "tex_coord_quantization_bits": BITS,
        "colors": colours,
    } | options
    return DracoPy.encode(vertices, faces, quantization_bits=BITS, **given)


def by_kind(data: bytes) -> dict[str, int]:
    """name in glTF -> unique id, by the kind of attribute that Draco notes."""
    names = {0: "POSITION", 2: "COLOR_0", 3: "TEXCOORD_0"}
    rows = DracoPy.decode(data).attributes
    return {names[row["attribute_type"]]: row["unique_id"] for row in rows}


def written(folder, data: bytes, json: dict):
    arrays = [np.frombuffer(data, "uint8"), png(checkers())]
    return read_mesh(write_glb(folder / "room.glb", arrays, json))


def triangles(mesh) -> np.ndarray:
    """[f, 8] middle of every triangle in space, in the picture and in colours."""
    parts = (mesh.vertices, mesh.uv, mesh.colour)
    return np.concatenate([part[mesh.faces].mean(1) for part in parts], 1)


@pytest.mark.parametrize("ordered", [False, True])
def test_a_compressed_room_is_the_plain_one_to_quantisation(tmp_path, ordered):
    data = encoded(preserve_order=ordered)
    mesh, same = written(tmp_path, data, tree(by_kind(data))), plain(tmp_path)
    assert mesh.warnings == same.warnings == ()
    assert len(mesh.faces) == len(same.faces) and len(mesh.pictures) == 1
    for one, other in ((mesh, same), (same, mesh)):
        off, nearest = cKDTree(triangles(one)).query(triangles(other))
        assert off.max() < 2 * STEP
        assert len(np.unique(nearest)) == len(same.faces)
    corner = mesh.vertices[mesh.faces]
    outwards = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    corner = same.vertices[same.faces]
    expected = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    nearest = cKDTree(triangles(same)).query(triangles(mesh))[1]
    large = np.linalg.norm(expected[nearest], axis=1) > 1.0  # walls, not the ball's small triangles
    np.testing.assert_allclose(outwards[large], expected[nearest][large], atol=0.01)


def test_an_attribute_is_found_by_its_number_and_scaled_as_its_accessor_says(tmp_path):
    whole = (np.clip(surface()[2], 0, 1) * 65535).astype("uint16")
    wrong = np.zeros_like(whole)
    data = encoded(tex_coord=None, generic_attributes={9: wrong, 17: whole}, preserve_order=True)
    colour = {2: "COLOR_0", 0: "POSITION"}
    numbers = {
        colour[row["attribute_type"]]: row["unique_id"]
        for row in DracoPy.decode(data).attributes
        if row["attribute_type"] in colour
    }
    kind = {"componentType": 5123, "normalized": True}
    mesh = written(tmp_path, data, tree(numbers | {"TEXCOORD_0": 17}, **kind))
    np.testing.assert_allclose(triangles(mesh), triangles(plain(tmp_path)), atol=2 * STEP)


def test_the_plain_surface_is_read_where_a_file_holds_both(tmp_path):
    vertices, faces, uv, colours = surface()
    both = tree()
    packed = {DRACO: {"bufferView": 5, "attributes": {"POSITION": 0}}}
    both["meshes"][0]["primitives"][0]["extensions"] = packed
    arrays = [vertices, uv, colours, faces, png(checkers()), np.zeros(49, "uint8")]
    mesh = read_mesh(write_glb(tmp_path / "both.glb", arrays, both))
    np.testing.assert_array_equal(mesh.vertices, plain(tmp_path).vertices)


def test_damaged_data_are_one_clear_line(tmp_path):
    data = encoded()
    numbers = by_kind(data)
    rng = np.random.default_rng(0)
    for _ in range(20):  # never another exception, whatever is damaged
        bad = bytearray(data)
        for place in rng.integers(len(bad), size=4):
            bad[place] = int(rng.integers(256))
        try:
            written(tmp_path, bytes(bad), tree(numbers))
        except ValueError as error:
            assert str(error).startswith("room.glb") and "\n" not in str(error)
    for bad in (b"DRACO\x02\x02\x01\x01" + bytes(40), data[:200], data[:-40], b""):
        with pytest.raises(ValueError, match=f"room.glb cannot be read.*{DRACO} does not decode"):
            written(tmp_path, bad, tree(numbers))
    with pytest.raises(ValueError, match=rf"{DRACO} holds no TEXCOORD_0 \(99\)"):
        written(tmp_path, data, tree(numbers | {"TEXCOORD_0": 99}))


def test_other_counts_than_the_accessors_say_are_told(tmp_path):
    data = encoded()
    mesh = written(tmp_path, data, tree(by_kind(data), count=7))
    assert "where its accessor says 7" in mesh.warnings[0]
