"""A frame finds its labels wherever the layout puts them."""

import json
import shutil

import numpy as np
import pytest
from published_set import labels_of, write_set

from beam_jobs.compare.frames import frames, picture_folders, sample, spread
from models.tasks import ViewKey


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("data"), buildings=("ash",), points=1, views=2)


def laid_out(data, root, layout: str):
    for path in data.rglob("*_domain_*"):
        building, folder = path.parts[-3:-1]
        place = {
            "building/folder": f"{building}/{folder}",
            "folder/component/building": f"{folder}/hm3d/{building}",
            "loose": "frames",
        }[layout]
        (root / place).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / place)
    return root


@pytest.mark.parametrize("layout", ["building/folder", "folder/component/building", "loose"])
def test_every_label_is_found_in_every_layout(data, tmp_path, layout):
    frame, _ = frames(laid_out(data, tmp_path, layout))
    expected = labels_of(ViewKey("ash", 0, 0))
    for folder in ("rgb", "normal", "segment_semantic", "class_scene", "depth_zbuffer"):
        np.testing.assert_array_equal(frame.read(folder), expected[folder])
    assert frame.info()["field_of_view_rads"] == pytest.approx(1.1)
    if layout != "loose":
        assert frame.building == "ash"
        assert frame.component == ("hm3d" if layout.startswith("folder") else "")


def test_a_linked_building_is_looked_at_as_ingest_reads_it(data, tmp_path):
    (tmp_path / "ash").symlink_to(data / "ash")
    (tmp_path / "ash2").symlink_to(tmp_path)
    paths = frames(tmp_path)
    assert [frame.building for frame in paths] == ["ash", "ash"]
    np.testing.assert_array_equal(paths[0].read("rgb"), labels_of(ViewKey("ash", 0, 0))["rgb"])


def test_what_is_not_there_or_no_label_is_none(data, tmp_path):
    root = laid_out(data, tmp_path, "building/folder")
    frame = frames(root)[0]
    normal = next((root / "ash" / "normal").glob("point_0_view_0_*"))
    normal.write_bytes(normal.read_bytes()[:100])
    shutil.rmtree(root / "ash" / "reshading")
    assert frame.map("normal") is None and frame.map("reshading") is None


@pytest.mark.parametrize(
    "wrong", [{"field_of_view_rads": 6.88}, {"camera_location": [0, 0]}, {"camera_location": None}]
)
def test_a_point_info_that_ingest_refuses_tells_nothing(data, tmp_path, wrong):
    root = laid_out(data, tmp_path, "building/folder")
    path = next((root / "ash" / "point_info").glob("point_0_view_0_*"))
    path.write_text(json.dumps({**json.loads(path.read_text()), **wrong}))
    first, second = frames(root)
    assert first.info() == {} and second.info()["field_of_view_rads"] == pytest.approx(1.1)


def test_a_link_that_leads_nowhere_is_no_frame(data, tmp_path):
    root = laid_out(data, tmp_path, "loose")
    (root / "frames" / "point_9_view_9_domain_rgb.png").symlink_to(tmp_path / "nowhere")
    assert len(frames(root)) == 2


def test_some_of_many_are_spread_evenly():
    assert spread(list(range(10)), 3) == [0, 4, 9]
    assert spread(list(range(2)), 24) == [0, 1]


@pytest.mark.parametrize("most", [1, 2, 7, 60, 500])
def test_a_sample_is_what_is_spread_over_all(tmp_path, most):
    for building, count in (("ash", 40), ("ash-2", 1), ("birch", 59)):
        folder = tmp_path / building / "rgb"
        folder.mkdir(parents=True)
        for view in range(count):
            (folder / f"point_{view // 4}_view_{view}_domain_rgb.png").touch()
        (folder / "notes.txt").touch()
    counts = {folder: len(names) for folder, names in picture_folders(tmp_path)}
    assert list(counts.values()) == [40, 1, 59]
    assert sample(tmp_path, counts, most) == spread(frames(tmp_path), most)


def test_a_sample_of_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected views in the published layout"):
        sample(tmp_path, {}, 60)
