"""A data set's labels in numbers, beside real views."""

import json

import cv2
import numpy as np
import pytest

from beam_jobs.__main__ import main
from beam_jobs.compare.realism import PUBLISHED, REAL, UNITS, of_camera, rows


@pytest.fixture
def data(tmp_path):
    """one building, one point, two views: half of the first curved, three segments, and a quarter
    of its depth missing.
    """
    for view in range(2):
        write(tmp_path, "rgb", view, np.zeros((32, 32, 3), "uint8"))
    curvature = np.full((32, 32, 3), 127, "uint8")
    curvature[:16, :, 2] = 250  # OpenCV writes BGR: this is R
    write(tmp_path, "principal_curvature", 0, curvature)
    write(
        tmp_path,
        "segment_unsup2d",
        0,
        np.repeat([0, 1, 2, 2], 8).astype("uint8")[None].repeat(32, 0),
    )
    depth = np.full((32, 32), 1000, "uint16")
    depth[:8] = 65535
    write(tmp_path, "depth_zbuffer", 0, depth)
    return tmp_path


def write(root, folder, view, pixels):
    path = root / "house" / folder / f"point_3_view_{view}_domain_{folder}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)


def test_shares_and_counts_are_those_of_the_files(data):
    statistics = {row["statistic"]: row["this data"] for row in rows(data)}
    assert (
        statistics["curved pixels"] == 0.5
        and statistics["segments 2D"] == 3
        and statistics["unseen"] == 0.25
        and statistics["cameras a point"] == 2
    )
    assert (
        statistics["segments 2.5D"] is None and statistics["distance"] is None
    )  # no file, no number


def test_every_row_has_its_published_and_real_figure(data):
    for row in rows(data):
        assert row["published"] == PUBLISHED.get(row["statistic"]) and row[
            "real frames"
        ] == REAL.get(row["statistic"])
    assert set(REAL) | set(PUBLISHED) <= set(UNITS)


def test_both_sides_are_said_and_what_depends_on_them(data, capsys):
    by_name = {row["statistic"]: row for row in rows(data)}
    assert by_name["side"]["this data"] == 32 and by_name["side"]["real frames"] == 512
    assert {name for name, row in by_name.items() if "depends on the side" in row["unit"]} == {
        "segments 2D",
        "segments 2.5D",
        "2D keypoints",
        "3D keypoints",
        "occlusion edges",
    }
    assert main(["statistics", "--data", str(data)]) == 0
    assert "mean code; depends on the side" in capsys.readouterr().out


def test_frames_of_ones_own_take_the_place_of_the_stored_means(data):
    (row,) = [row for row in rows(data, real_frames=data) if row["statistic"] == "curved pixels"]
    assert row["real frames"] == row["this data"] == 0.5


def test_a_camera_gives_metres_and_degrees():
    info = {
        "camera_distance": 2.0,
        "obliqueness_angle": np.pi / 4,
        "camera_rotation_final": [np.pi / 2 + 0.1, 0, 0],
        "field_of_view_rads": 1.0,
    }
    assert of_camera(info) == pytest.approx(
        {"distance": 2, "obliqueness": 45, "pitch": np.rad2deg(0.1), "field of view": np.rad2deg(1)}
    )


def test_the_command_prints_a_table_or_json(data, capsys):
    assert main(["statistics", "--data", str(data)]) == 0
    assert "curved pixels" in capsys.readouterr().out
    assert main(["statistics", "--data", str(data), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(UNITS)


def test_a_folder_without_views_is_refused(tmp_path, capsys):
    assert main(["statistics", "--data", str(tmp_path)]) == 1
    assert "found none" in capsys.readouterr().err


def test_what_is_no_number_is_no_statistic_and_a_number_as_text_is_one():
    info = {
        "camera_distance": None,
        "obliqueness_angle": "steep",
        "camera_rotation_final": ["1.5707963", 0, 0],
        "field_of_view_rads": "1.0",
    }
    units = of_camera(info)
    assert units == {
        "pitch": pytest.approx(0, abs=1e-4),
        "field of view": pytest.approx(57.29578),
    }
