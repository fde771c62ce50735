"""Procedural buildings in the published layout: exact geometry, the same for the same seed,
resumable.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from beam_jobs.annotate.building_job import BuildingJob
from beam_jobs.annotate.procedural import (
    annotate_building,
    annotate_buildings,
    building_number,
    left_over,
)
from beam_jobs.scenes.buildings.building import building
from beam_jobs.scenes.buildings.scene import Builder
from beam_jobs.scenes.geometry import shapes
from beam_jobs.scenes.render.renderer import Eye
from models.examples.published import label_path
from models.tasks import DOMAINS, Camera, ViewKey, label_domains
from models.tasks.view import rotation_from_euler


def scene_of(shape):
    builder = Builder(np.random.default_rng(0))
    builder.add(
        shape, builder.material(np.full((128, 128, 3), 0.5, "float32")), builder.object("vase")
    )
    return builder.finished()


def looking_along_y(distance: float) -> Camera:
    return Camera(np.array([0, -distance, 0.0]), rotation_from_euler(np.pi / 2, 0, 0), 1.0)


def test_the_depth_of_a_sphere_is_its_formula():
    surfaces = Eye(scene_of(shapes.ball(1.0, 160))).look(
        looking_along_y(3.0), 65, np.random.default_rng(0)
    )
    x = ((np.arange(65) + 0.5) / 65 * 2 - 1) * np.tan(0.5)
    ray = np.stack(np.broadcast_arrays(x[None], -x[:, None], np.ones((65, 65))), -1)
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    b = ray[..., 2] * 3.0
    inside = b**2 - 8
    expected = b - np.sqrt(np.maximum(inside, 0))
    middle = inside > 0.3
    np.testing.assert_allclose(surfaces.distance[middle], expected[middle], atol=2e-3)
    np.testing.assert_allclose(surfaces.curvature[middle], 1.0, rtol=1e-6)
    assert not np.isfinite(surfaces.distance[inside < -0.3]).any()


def test_the_normal_towards_the_camera_is_published_as_minus_z():
    surfaces = Eye(scene_of(shapes.ball(1.0, 160))).look(
        looking_along_y(3.0), 33, np.random.default_rng(0)
    )
    np.testing.assert_allclose(surfaces.normal[16, 16], [0, 0, -1], atol=0.02)


@pytest.mark.parametrize(
    "shape, expected",
    [(shapes.cylinder(0.5, 2.0), (2.0, 0.0)), (shapes.rounded_box((1, 1, 1), 0.1), (10.0, 10.0))],
)
def test_solids_know_their_largest_curvature(shape, expected):
    sides = np.abs(shape.curvature)
    assert sides.max() == pytest.approx(max(expected), rel=1e-6)


def test_a_building_is_closed_lit_and_wound_outwards():
    scene = building(5)
    corners = scene.shape.vertices[scene.shape.faces]
    facing = (
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        * scene.shape.normals[scene.shape.faces].mean(1)
    ).sum(1)
    assert (facing >= 0).mean() > 0.99 and scene.lights and len(scene.rooms) >= 2
    assert np.isfinite(scene.shape.curvature).all()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("made")
    annotate_buildings(root, buildings=3, views=4, size=32, seed=1, processes=2)
    return root


def test_every_view_has_every_label(made):
    folders = sorted(path for path in made.iterdir() if path.is_dir())
    assert len(folders) == 3
    for folder in folders:
        views = json.loads((folder / "building.json").read_text())["views"]
        for domain in label_domains():
            assert (
                len(list((folder / domain).glob(f"*_domain_{DOMAINS[domain].suffix}.*"))) == views
            ), (folder.name, domain)


def test_a_complete_building_is_kept_and_a_partial_one_made_again(made):
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*.png")}
    number = 1001
    assert BuildingJob(made, number, 4, 32).complete()
    assert not BuildingJob(made, number, 4, 64).complete()
    (made / f"procedural{number:05d}" / "building.json").unlink()
    annotate_buildings(made, buildings=3, views=4, size=32, seed=1, processes=1)
    again = {path for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert again and all(f"procedural{number:05d}" in str(path) for path in again)


def test_one_process_writes_what_two_write_that_share_the_last_building(made, tmp_path):
    """three buildings, two processes: the third is made by both, every file as if by one."""
    assert left_over(3, 2) == 1
    annotate_buildings(tmp_path, buildings=3, views=4, size=32, seed=1, processes=1)

    def files(root):
        return {
            path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()
        }

    one, two = files(tmp_path), files(made)
    assert set(one) == set(two) and len(one) > 3 * 4 * 15
    assert [path for path in one if one[path] != two[path]] == []


@pytest.mark.parametrize(
    "count, processes, shared",
    [
        (4, 2, 0),
        (3, 2, 1),
        (1, 2, 1),
        (12, 16, 0),
        (5, 16, 5),
        (6, 4, 2),
        (7, 4, 0),
        (3, 1, 0),
        (0, 2, 0),
    ],
)
def test_buildings_are_shared_where_processes_would_have_nothing_to_do(count, processes, shared):
    assert left_over(count, processes) == shared


def test_two_data_sets_share_no_building():
    numbers = [building_number(seed, i) for seed in range(5) for i in range(2500)]
    assert len(set(numbers)) == len(numbers)
    assert building_number(7, 3) == 7003


def test_two_runs_into_one_folder_end_with_one_whole_building(tmp_path):
    job = BuildingJob(tmp_path, 5, 3, 32)
    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(annotate_building, [job, job]))) == 1
    assert job.complete() and [path.name for path in tmp_path.iterdir()] == ["procedural00005"]


def test_a_building_with_other_parameters_is_replaced(tmp_path):
    annotate_building(BuildingJob(tmp_path, 5, 3, 32))
    annotate_building(BuildingJob(tmp_path, 5, 3, 48))
    assert BuildingJob(tmp_path, 5, 3, 48).complete() and len(list(tmp_path.iterdir())) == 1


def test_too_few_buildings_make_no_data_set(tmp_path):
    with pytest.raises(ValueError, match="at least 3 buildings"):
        annotate_buildings(tmp_path, buildings=1, views=4, size=32, seed=0)


def test_as_many_buildings_as_asked_validate_and_test_and_the_others_train(tmp_path):
    annotate_buildings(tmp_path, buildings=6, views=3, size=32, seed=4, processes=2, held_out=2)
    splits = list(json.loads((tmp_path / "dataset.json").read_text())["splits"].values())
    assert {split: splits.count(split) for split in ("train", "val", "test")} == {
        "train": 2,
        "val": 2,
        "test": 2,
    }
    with pytest.raises(ValueError, match="of 6 buildings at most 2 can validate"):
        annotate_buildings(tmp_path, buildings=6, views=3, size=32, seed=4, held_out=3)


def test_nonfixated_pairs_of_the_label_store_are_the_published_matches(tmp_path):
    """sightings in nonfixated_matches, points in view in point_info, and pairs that a network sees
    are one and the same.
    """
    from beam_jobs.ingest.job import ingest
    from models.examples.label_store import build_label_store
    from models.examples.matches import read_matches
    from models.tasks import TASKS

    made = tmp_path / "made"
    annotate_buildings(made, buildings=3, views=40, size=32, seed=2, processes=2)
    ingest(str(made), str(tmp_path / "examples"), size=32, shards=1)
    tasks = {name: TASKS[name] for name in ("nonfixated_pose", "point_matching")}
    store, correct = (
        build_label_store(
            str(tmp_path / "examples"), tmp_path / "store", seed=0, max_samples=10_000, tasks=tasks
        ),
        0,
    )
    for split in ("train", "val", "test"):
        views = [ViewKey.parse(text) for text in store.views(split)]
        files = [
            path
            for name in {key.building for key in views}
            for path in (made / name / "nonfixated_matches").glob("*.json")
        ]
        matches = [read_matches(path, path.parts[-3]) for path in files]
        sights = {(sighting.view, match.point) for match in matches for sighting in match.sightings}
        # joined by camera, as the published files can be
        for sighting in (each for match in matches for each in match.sightings):
            info = json.loads(label_path(made, sighting.view, DOMAINS["point_info"]).read_text())
            assert sighting.camera == info["camera_uuid"] != ""
        expected = {
            f"{i}+{j}"
            for i in views
            for j in views
            if i.building == j.building and (j, i.point) in sights
        }
        if expected:
            assert set(store.sample_names("nonfixated_pose", split)) == expected
        pairs = [
            [ViewKey.parse(text) for text in name.split("+")]
            for name in store.sample_names("point_matching", split)
        ]
        negatives = [(i, j) for i, j in pairs if i.point != j.point]
        assert len(pairs) == 2 * len(negatives) and not any(
            (i, j.point) in sights or (j, i.point) in sights for i, j in negatives
        )
        correct += len(expected)
    assert correct


def test_every_task_gets_targets_of_the_declared_shape_and_range_from_a_rendered_scene(
    made, tmp_path
):
    from beam_jobs.ingest.job import ingest
    from models.examples.check import check_contract
    from models.examples.label_store import build_label_store
    from models.tasks import TASKS

    counts = ingest(str(made), str(tmp_path / "examples"), size=32, shards=1)
    assert counts["quarantined"] == 0 and check_contract(str(tmp_path / "examples")) == []
    store = build_label_store(
        str(tmp_path / "examples"), tmp_path / "store", seed=0, max_samples=40
    )
    for entry in TASKS.values():
        if not entry.trained or not store.has(entry.name):
            assert entry.name in ("random_projection", "nonfixated_pose", "point_matching"), (
                entry.name
            )  # few views are all of one point
            continue
        data = store.samples(entry.name, "train")
        expected = entry.output.shape(32)
        if entry.output.kind == "embedding" or entry.name == "segment_semantic":
            expected = expected[:2] + (1,)
        assert data.target.shape == (len(data), *expected), entry.name
        mask = np.asarray(data.mask).reshape(
            data.mask.shape + (1,) * (data.target.ndim - data.mask.ndim)
        )
        valid_values = np.asarray(data.target, "float32")[
            np.broadcast_to(mask > 0, data.target.shape)
        ]
        if not entry.whitened:
            assert (
                valid_values.min() >= entry.low - 1e-2 and valid_values.max() <= entry.high + 1e-2
            ), entry.name


def test_who_hands_buildings_out_loads_no_compiler():
    """it waits for the workers, whose server loads what makes views"""
    code = (
        "import sys; from beam_jobs.annotate import procedural; "
        "print(sorted({'numba', 'scipy', 'cv2', 'embreex'} & set(sys.modules)))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert process.stdout.strip() == "[]"
