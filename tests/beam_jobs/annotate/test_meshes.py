"""Buildings from mesh files: depth by formula, the pose of a pixel, labels against the procedural
ones, absent labels, kills and restarts.
"""

import dataclasses
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import trimesh
from made_meshes import EXTENT, painted_room, room, write_room, write_scene

from beam_jobs.annotate.building_job import BuildingJob
from beam_jobs.annotate.meshes import MeshJob, annotate_mesh, annotate_meshes
from beam_jobs.annotate.procedural import annotate_building
from beam_jobs.annotate.staging import workplace
from beam_jobs.scenes.cameras.scan_cameras import shots
from beam_jobs.scenes.scans.mesh_file import read_mesh
from beam_jobs.scenes.scans.scan import Scan
from models.examples.published import read_label
from models.tasks import DOMAINS, Camera, label_domains
from models.tasks.view import rotation_from_euler

REPOSITORY = Path(__file__).parents[3]


def towards(location, target, field_of_view=1.0) -> Camera:
    ahead = np.subtract(target, location) / np.linalg.norm(np.subtract(target, location))
    return Camera(
        np.array(location, float),
        rotation_from_euler(np.pi / 2 + np.arcsin(ahead[2]), 0, np.arctan2(-ahead[0], ahead[1])),
        field_of_view,
    )


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    return Scan(read_mesh(write_room(tmp_path_factory.mktemp("mesh"), "glb")))


def test_the_depth_of_a_ball_is_its_formula_and_its_curvature_one_over_the_radius(scan):
    camera, size = towards((1.0, 2.5, 0.5), (3.5, 2.5, 0.5), 0.6), 65
    surfaces = scan.look(camera, size)
    x = ((np.arange(size) + 0.5) / size * 2 - 1) * np.tan(0.3)
    cosine = 1 / np.sqrt(1 + x[None] ** 2 + x[:, None] ** 2)
    along = 2.5 * cosine
    inside = along**2 - 2.5**2 + 0.25
    middle = inside > 0.06
    assert middle.sum() > 200
    np.testing.assert_allclose(
        surfaces.distance[middle], (along - np.sqrt(np.maximum(inside, 0)))[middle], atol=3e-3
    )
    np.testing.assert_allclose(surfaces.depth, surfaces.distance * cosine, rtol=1e-6)
    np.testing.assert_allclose(surfaces.normal[size // 2, size // 2], [0, 0, -1], atol=0.05)
    assert np.median(surfaces.curvature[middle]) == pytest.approx(2.0, rel=0.05)


def test_from_inside_a_ball_its_surface_is_hollow():
    ball = trimesh.creation.icosphere(subdivisions=4, radius=2.0)
    mesh = read_ply(ball)
    surfaces = Scan(mesh).look(towards((0, 0, 0), (0, 1, 0)), 16)
    assert np.median(surfaces.curvature) == pytest.approx(-0.5, rel=0.05)
    np.testing.assert_allclose(surfaces.distance, 2.0, rtol=5e-3)


def read_ply(mesh):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        mesh.export(f"{folder}/mesh.ply")
        return read_mesh(Path(folder) / "mesh.ply")


def test_every_pixel_lies_on_its_own_ray(scan):
    """a point of the picture is where depth and pose of its pixel say: on the walls of the box, or
    half a metre from the ball's middle.
    """
    camera, size = towards((1.2, 0.9, 1.4), (3.0, 3.0, 1.0), 1.2), 48
    surfaces = scan.look(camera, size)
    x = ((np.arange(size) + 0.5) / size * 2 - 1) * np.tan(0.6)
    ways = np.stack(np.broadcast_arrays(x[None, :], -x[:, None], -np.ones((size, size))), -1)
    points = camera.location + (ways * surfaces.depth[..., None]) @ camera.rotation.T
    from_walls = np.minimum(np.abs(points), np.abs(points - EXTENT)).min(-1)
    from_ball = np.abs(np.linalg.norm(points - [3.5, 2.5, 0.5], axis=-1) - 0.5)
    assert (
        np.isfinite(points).all()
        and np.minimum(from_walls, from_ball).max() < 3e-3
        and (from_ball < 3e-3).sum() > 50
    )


def test_a_wall_shows_its_picture_the_right_way_up(scan):
    """the wall at x = 0: u runs along y, v along z; the picture's upper half is red and green."""
    camera = towards((2.5, 2.0, 1.4), (0.0, 2.0, 1.4), 0.8)
    picture = scan.look(camera, 64).rgb.astype(int)
    quarters = {
        name: picture[row, column]
        for name, row, column in (
            ("above left", 20, 20),
            ("above right", 20, 44),
            ("below left", 44, 20),
            ("below right", 44, 44),
        )
    }
    expected = {
        "above left": (200, 40, 40),
        "above right": (40, 200, 40),
        "below left": (40, 40, 200),
        "below right": (220, 220, 60),
    }
    for (
        name,
        colour,
    ) in (
        expected.items()
    ):  # looking along -x, y grows to the right... of a viewer with z up: y = 0 is on the left
        np.testing.assert_allclose(quarters[name], colour, atol=2, err_msg=name)


def test_vertex_colours_run_over_the_faces():
    mesh = read_ply(painted_room())
    camera = towards((2.5, 2.0, 1.4), (0.0, 2.0, 1.4), 0.8)
    surfaces = Scan(mesh).look(camera, 33)
    np.testing.assert_allclose(surfaces.rgb[16, 16] / 255, [0, 2.0 / 4, 1.4 / 2.8], atol=0.02)


def test_a_room_that_stands_askew_is_turned_onto_the_axes(tmp_path):
    mesh = painted_room()
    mesh.apply_transform(trimesh.transformations.rotation_matrix(np.radians(25), [0, 0, 1]))
    mesh.export(tmp_path / "askew.ply")
    scan = Scan(read_mesh(tmp_path / "askew.ply"))
    assert scan.yaw == pytest.approx(np.radians(25), abs=np.radians(0.2))
    np.testing.assert_allclose(np.ptp(scan.vertices, axis=0), EXTENT, atol=0.02)


def test_cameras_stand_free_at_head_height_and_see_the_points_they_share(scan):
    taken, rooms = shots(scan, np.random.default_rng(0), 20)
    assert len(taken) >= 20 and len(rooms) == 1
    np.testing.assert_allclose([rooms[0].low, rooms[0].high], [(0, 0, 0), EXTENT], atol=0.05)
    per_point = np.bincount([shot.point for shot in taken])
    assert per_point.min() >= 3
    for shot in taken:
        assert 0.85 <= shot.camera.location[2] <= 1.95
        way = shot.camera.point - shot.camera.location
        distance = np.linalg.norm(way)
        assert scan.cast(shot.camera.location[None], way[None] / distance)[0][0] == pytest.approx(
            distance, abs=6e-3
        )
        assert (shot.camera.rotation @ [0, 0, -1]) @ way == pytest.approx(distance, rel=1e-6)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """three rooms as three kinds of file, one with face labels, in one data set."""
    folder, root = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("set")
    paths = [
        write_room(folder, kind, name)
        for kind, name in (("glb", "ash"), ("obj", "birch"), ("ply", "cedar"))
    ]
    annotate_meshes(root, paths, views=6, size=48, processes=2)
    return folder, root, paths


def test_every_label_that_a_mesh_tells_is_written_and_no_other(made):
    _, root, _ = made
    facts = json.loads((root / "dataset.json").read_text())
    assert facts["absent"] == ["class_object", "class_scene", "segment_semantic"] and sorted(
        facts["splits"].values()
    ) == ["test", "train", "val"]
    for name in ("ash", "birch", "cedar"):
        views = json.loads((root / name / "building.json").read_text())["views"]
        for domain in label_domains():
            files = list((root / name / domain).glob(f"*_domain_{DOMAINS[domain].suffix}.*"))
            assert len(files) == (0 if domain in facts["absent"] else views), (name, domain)
            if files:
                read_label(files[0], DOMAINS[domain])


def test_ingest_and_the_label_store_take_meshes_alone_and_mixed_with_procedural_buildings(
    made, tmp_path
):
    from beam_jobs.ingest.job import ingest
    from models.examples.check import check_contract
    from models.examples.example import parse_view, records
    from models.examples.label_store import build_label_store

    folder, root, paths = made
    counts = ingest(str(root), str(tmp_path / "alone"), size=48, shards=1)
    assert (
        counts["quarantined"] == 0
        and counts["written"] >= 18
        and check_contract(str(tmp_path / "alone")) == []
    )
    store = build_label_store(str(tmp_path / "alone"), tmp_path / "store", seed=0, max_samples=20)
    assert (
        store.has("normal")
        and store.has("vanishing_point")
        and not store.has("segment_semantic")
        and not store.has("class_scene")
    )

    mixed = tmp_path / "mixed"
    mixed.mkdir()
    np.save(folder / "cedar.npy", np.arange(len(room().faces)) % 18)
    annotate_building(BuildingJob(mixed, 1001, 3, 48))
    (mixed / "splits.csv").write_text("id,train,val,test\nprocedural01001,1,0,0\n")
    annotate_meshes(mixed, paths[:2], views=3, size=48)
    annotate_meshes(mixed, paths[2:], views=3, size=48, labels=[folder / "cedar.npy"])
    facts = json.loads((mixed / "dataset.json").read_text())
    assert (
        facts["absent"] == []
        and facts["absent_by_building"]["cedar"] == ["class_object", "class_scene"]
        and "procedural01001" not in facts["absent_by_building"]
    )
    counts = ingest(str(mixed), str(tmp_path / "examples"), size=48, shards=1)
    assert counts["quarantined"] == 0 and check_contract(str(tmp_path / "examples")) == []
    store = build_label_store(
        str(tmp_path / "examples"), tmp_path / "mixed_store", seed=0, max_samples=20
    )
    assert store.has("normal") and not store.has("class_scene")
    views = [parse_view(record) for record in records(str(tmp_path / "examples"), "train")]
    for view in views:
        assert ("class_scene" in view.labels) == (view.key.building == "procedural01001")
        assert ("segment_semantic" in view.labels) == (
            view.key.building in ("procedural01001", "cedar")
        )


def test_a_complete_building_is_kept_and_made_again_when_its_picture_changes(made, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    path = write_room(folder, "obj")
    annotate_meshes(tmp_path / "set", [path], views=3, size=32)

    def time_of():
        return (tmp_path / "set" / "room" / "building.json").stat().st_mtime_ns

    first = time_of()
    annotate_meshes(tmp_path / "set", [path], views=3, size=32)
    assert time_of() == first
    next(folder.glob("*.png")).unlink()
    annotate_meshes(tmp_path / "set", [path], views=3, size=32)
    assert (
        time_of() != first
        and "is missing"
        in json.loads((tmp_path / "set" / "room" / "building.json").read_text())["warnings"][0]
    )


@pytest.mark.parametrize("asked", ["my%20wall.png", "C:\\scans\\my wall.png"])
def test_a_complete_building_is_kept_whatever_spelling_its_pictures_are_asked_by(tmp_path, asked):
    path = write_room(tmp_path, "obj")
    picture = next(tmp_path.glob("*.png"))
    library = tmp_path / "room.mtl"
    library.write_text(library.read_text().replace(picture.name, asked))
    picture.rename(tmp_path / "my wall.png")
    job = MeshJob(tmp_path / "set", path, None, 3, 32, 0, 1.0, None)
    sources = read_mesh(path).sources
    assert asked in sources and sources[asked]
    job.folder.mkdir(parents=True)
    facts = {**job.parameters(), "sources": sources, "labels": ""}
    (job.folder / "building.json").write_text(json.dumps(facts))
    assert job.complete()
    (tmp_path / "my wall.png").write_bytes(b"another")
    assert not job.complete()


def test_axis_and_unit_are_said_and_doubted_on_the_terminal_and_in_the_buildings_facts(
    tmp_path, capsys
):
    mesh = painted_room()
    mesh.vertices *= 3.28084
    mesh.export(tmp_path / "feet.ply")
    job = MeshJob(tmp_path, tmp_path / "feet.ply", None, 3, 32, 0, 1.0, None)
    annotate_mesh(job)
    facts = json.loads((job.folder / "building.json").read_text())
    assert facts["upward"] == "z" and facts["units_per_metre"] == 1
    [warning] = facts["warnings"]
    assert "9.19 m high" in warning and "--units-per-metre 3.28084 (feet: 2.8 m)" in warning
    output = capsys.readouterr().err
    assert "feet.ply: z is taken as up, 1 unit as a metre: around cameras" in output
    assert f"feet.ply: {warning}" in output


def test_the_same_seed_gives_the_same_files(made, tmp_path):
    _, root, paths = made
    annotate_meshes(tmp_path, paths[:1], views=6, size=48)
    files = sorted(path.relative_to(root) for path in (root / "ash").rglob("*_domain_*"))
    assert len(files) > 50 and all(
        (root / file).read_bytes() == (tmp_path / file).read_bytes() for file in files
    )


def test_a_killed_run_leaves_only_a_workplace_that_the_next_run_sweeps(made, tmp_path):
    _, _, paths = made
    command = [
        sys.executable,
        "-m",
        "beam_jobs",
        "annotate",
        "--mesh",
        paths[0],
        "--out",
        tmp_path,
        "--views",
        "400",
        "--size",
        "64",
        "--processes",
        "1",
    ]
    started = subprocess.Popen(
        command, cwd=REPOSITORY, start_new_session=True, stderr=subprocess.DEVNULL
    )
    deadline = time.time() + 90
    while not list(tmp_path.glob(".annotate.*/rgb/*.png")) and time.time() < deadline:
        time.sleep(0.05)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    [left] = tmp_path.glob(".annotate.*")
    with open(left / ".lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the worker takes a moment to die
    assert len(list(tmp_path.glob(".annotate.*"))) == 1 and not (tmp_path / "ash").exists()
    with workplace(tmp_path, "elsewhere") as alive:
        annotate_meshes(tmp_path, paths[:1], views=3, size=32)
        assert [path.name for path in tmp_path.glob(".annotate.*")] == [alive.name] and (
            tmp_path / "ash" / "building.json"
        ).exists()


def test_three_triangles_leave_no_room_for_a_camera(tmp_path):
    trimesh.Trimesh(
        [[0, 0, 0], [5, 0, 0], [0, 5, 0], [0, 0, 3], [5, 5, 0]],
        [[0, 1, 2], [0, 1, 3], [1, 4, 2]],
        process=False,
    ).export(tmp_path / "bare.ply")
    with pytest.raises(
        ValueError,
        match="expected room for at least 3 cameras.*found none in 3 triangles of 5.0 x 5.0 x "
        "3.0 m; check --up",
    ):
        annotate_meshes(tmp_path / "set", [tmp_path / "bare.ply"], views=3, size=32)
    assert [path.name for path in (tmp_path / "set").iterdir()] == []


def test_names_that_clash_or_cannot_be_are_refused(made, tmp_path):
    _, root, paths = made
    (tmp_path / "rgb.ply").write_bytes(paths[2].read_bytes())
    (tmp_path / "cedar.ply").write_bytes(paths[2].read_bytes())
    with pytest.raises(ValueError, match="'rgb' cannot be a building's name"):
        annotate_meshes(tmp_path / "set", [tmp_path / "rgb.ply"], views=3, size=32)
    with pytest.raises(ValueError, match="would both be building cedar"):
        annotate_meshes(tmp_path / "set", [paths[2], tmp_path / "cedar.ply"], views=3, size=32)
    with pytest.raises(FileNotFoundError, match="expected a mesh file, there is none"):
        annotate_meshes(tmp_path / "set", [tmp_path / "none.ply"], views=3, size=32)


def test_the_command_says_what_is_wrong_and_fails(tmp_path):
    (tmp_path / "room.ply").write_bytes(b"ply\nnonsense")
    command = [
        sys.executable,
        "-m",
        "beam_jobs",
        "annotate",
        "--mesh",
        tmp_path / "room.ply",
        "--out",
        tmp_path / "set",
        "--views",
        "3",
        "--size",
        "32",
    ]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert (
        ended.returncode == 1
        and "error: room.ply cannot be read as PLY" in ended.stderr
        and "Traceback" not in ended.stderr
    )


def test_a_procedural_building_exported_as_a_mesh_gets_its_own_labels_back(tmp_path):
    """the same cameras look at the generator's scene and at its GLB: depth to a code, normals of
    flat things, colours that go together.
    """
    from beam_jobs.scenes.buildings.building import building
    from beam_jobs.scenes.cameras.procedural import shots as procedural_shots
    from beam_jobs.scenes.render.renderer import Eye
    from models.tasks.labels.surfaces import depth_codes

    scene = dataclasses.replace(
        building(3), relief=None
    )  # relief is shading, no triangles: a file cannot hold it
    eye, scan = Eye(scene), Scan(read_mesh(write_scene(scene, tmp_path / "three.glb")))
    assert scan.yaw == 0
    level = []
    for shot in procedural_shots(eye, np.random.default_rng(0), 4)[:4]:
        expected, distances = (
            eye.look(shot.camera, 96, np.random.default_rng(0)),
            scan.look(shot.camera, 96),
        )
        near = np.abs(depth_codes(expected.depth).astype(int) - depth_codes(distances.depth)) <= 1
        assert near.mean() > 0.995
        cosine = np.clip((expected.normal * distances.normal).sum(-1), -1, 1)
        assert (
            np.degrees(np.median(np.arccos(cosine[near]))) < 0.1
            and (cosine[near] > np.cos(np.radians(15))).mean() > 0.9
        )
        flat = near & (np.abs(expected.curvature).max(-1) < 1e-3) & (cosine > 0.9999)
        assert flat.mean() > 0.4
        level.append(
            np.abs(distances.curvature[flat]).max(-1) < 1.0
        )  # 4 codes; flats within 35 mm of a rounded edge carry some: boards, books, clutter
    assert min(view.mean() for view in level) > 0.7 and np.concatenate(level).mean() > 0.8


def frames():
    folder = REPOSITORY.parent / "shared" / "real_frames"
    return folder if (folder / "point_202_view_5_domain_rgb.png").exists() else None


@pytest.mark.skipif(frames() is None, reason="needs the published frames in ../shared/real_frames")
def test_a_real_frame_made_a_mesh_looks_like_itself_from_its_own_pose(tmp_path):
    def of(name, suffix=None):
        return read_label(
            frames() / f"point_202_view_5_domain_{suffix or name}.{DOMAINS[name].file}",
            DOMAINS[name],
        )

    camera, depth, rgb, normal = (
        Camera.from_point_info(of("point_info")),
        of("depth_zbuffer"),
        of("rgb"),
        of("normal"),
    )
    path = write_frame(tmp_path / "frame.ply", depth, rgb, camera)
    scan = Scan(read_mesh(path))
    turn = np.array(
        [
            [np.cos(scan.yaw), np.sin(scan.yaw), 0],
            [-np.sin(scan.yaw), np.cos(scan.yaw), 0],
            [0, 0, 1],
        ]
    )
    pose = Camera(turn @ camera.location, turn @ camera.rotation, camera.field_of_view)
    figures = compared(scan.look(pose, 512, antialias=False), depth, rgb, normal, of("reshading"))
    assert figures["seen"] > 0.85 and figures["depth"] > 0.9999 and figures["rgb"] > 0.999
    assert figures["degrees"] < 4 and figures["reshading"] > 0.95
    assert (
        compared(scan.look(pose, 512), depth, rgb, normal, of("reshading"))["rgb"] > 0.97
    )  # four rays a pixel, where the frame itself has no more


def write_frame(path, depth, rgb, camera):
    """a depth frame as a PLY mesh: two triangles a quad of pixels, cut where depth jumps by more
    than 4 %.
    """
    size = len(depth)
    x = ((np.arange(size) + 0.5) / size * 2 - 1) * np.tan(camera.field_of_view / 2)
    metres = depth / 512
    points = (
        np.stack([x[None] * metres, -x[:, None] * metres, -metres], -1).reshape(-1, 3)
        @ camera.rotation.T
        + camera.location
    )
    i = np.arange(size * size).reshape(size, size)
    a, b, c, d = i[:-1, :-1].ravel(), i[:-1, 1:].ravel(), i[1:, :-1].ravel(), i[1:, 1:].ravel()
    faces = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    z = metres.ravel()[faces]
    faces = faces[(depth.ravel()[faces] < 65535).all(1) & (np.ptp(z, axis=1) < 0.04 * z.min(1))]
    trimesh.Trimesh(points, faces, process=False, vertex_colors=rgb.reshape(-1, 3)).export(path)
    return path


def compared(view, depth, rgb, normal, reshading):
    """{figure: value} of a view of the frame's mesh against the frame."""
    from beam_jobs.compare.measures import correlation
    from models.tasks.labels import surfaces as codes

    valid_values = np.isfinite(view.depth) & (depth < 65535) & (normal.astype(int) != 128).any(-1)
    true = normal[valid_values] / 127.5 - 1
    true /= np.linalg.norm(true, axis=-1, keepdims=True)
    shown = codes.reshading(view.facing, view.distance)
    return {
        "seen": valid_values.mean(),
        "depth": correlation(view.depth[valid_values], depth[valid_values]),
        "rgb": correlation(view.rgb[valid_values], rgb[valid_values]),
        "degrees": float(
            np.degrees(
                np.median(np.arccos(np.clip((view.normal[valid_values] * true).sum(-1), -1, 1)))
            )
        ),
        "reshading": correlation(shown[valid_values], reshading[valid_values]),
    }
