"""A building that is written in another encoding is refused as a whole, with what to do; a sound
one is not, whatever its views lack.
"""

import json

import pytest
from foreign_encodings import OF_A_BUILDING, OF_A_VIEW, depth_units
from published_set import write_set
from seen_rooms import Change, write_rooms

from beam_jobs.ingest import encodings
from beam_jobs.ingest.encodings import FEW, MORE, examined, looked_at
from beam_jobs.ingest.job import ingest
from beam_jobs.ingest.listing import list_building
from models.tasks import Camera

FOREIGN = OF_A_VIEW | OF_A_BUILDING
SPLITS = {"ash": "train", "birch": "val", "cedar": "test"}


def seen(root, units: float = 512, name: str = "ash"):
    building = list_building(str(root), name, ("",))
    folders = tuple(sorted(building.variants))
    return examined(building, building.views.tolist(), folders, units)


def written(tmp_path, change: Change = dict, **options):
    return write_rooms(tmp_path / "data", change, rooms=("ash",), **options)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_building_in_another_encoding_is_refused_with_what_to_do(name, tmp_path):
    change, words = FOREIGN[name]
    reason = seen(written(tmp_path, change)).foreign
    assert words in reason and "the whole building is refused" in reason


def test_sound_buildings_are_read(tmp_path):
    root = write_rooms(tmp_path / "data", views=3)
    assert [seen(root, name=name).foreign for name in SPLITS] == ["", "", ""]


@pytest.mark.parametrize("units", [256, 1000, 5000, 8192])
def test_depth_on_a_scale_that_is_said_is_read(units, tmp_path):
    root = written(tmp_path, depth_units(units))
    assert seen(root, units).foreign == ""
    # said wrongly, it is refused with the scale that is meant
    assert f'"depth_units_per_metre": {units} into' in seen(root, 2.2 * units).foreign


def test_a_scale_that_nobody_knows_is_told_as_it_is(tmp_path):
    reason = seen(written(tmp_path, depth_units(2300))).foreign
    number = int(reason.split('"depth_units_per_metre": ')[1].split()[0])
    assert abs(number / 2300 - 1) < 0.03


def test_random_labels_and_views_that_fixate_nothing_say_nothing(tmp_path):
    assert seen(write_set(tmp_path, buildings=("ash",))).foreign == ""


@pytest.mark.parametrize("lacking", ["rgb", "normal", "point_info", "depth_zbuffer"])
def test_what_views_lack_accuses_nobody(lacking, tmp_path):
    assert seen(written(tmp_path, leave_out=(lacking, "depth_euclidean"))).foreign == ""


def test_files_that_cannot_be_read_are_left_to_who_reads_the_views(tmp_path):
    root = written(tmp_path)
    for path in [*root.glob("ash/normal/*"), *root.glob("ash/point_info/*")]:
        path.write_bytes(b"no picture")
    assert seen(root).foreign == ""


def test_one_view_of_many_in_another_encoding_refuses_no_building(tmp_path):
    root = written(tmp_path)
    other = written(tmp_path / "other", OF_A_VIEW["OpenGL"][0])
    name = "point_2_view_0_domain_normal.png"
    (root / "ash" / "normal" / name).write_bytes((other / "ash" / "normal" / name).read_bytes())
    assert seen(root).foreign == ""


def test_few_views_are_looked_at_and_they_are_spread_over_all():
    assert looked_at([7]) == [7] and sorted(looked_at([3, 5, 9])) == [3, 5, 9]
    for count in range(4, 40):
        chosen = looked_at(list(range(count)))
        assert len(set(chosen)) == min(count, MORE)
        first = sorted(chosen[:FEW])
        assert first[0] == 0 and count / 4 <= first[1] <= 3 * count / 4


def test_of_a_sound_building_few_views_are_read(tmp_path, monkeypatch):
    root, asked = written(tmp_path, views=20), []
    real = encodings.read_labels
    monkeypatch.setattr(encodings, "read_labels", lambda *a: asked.append(a[1]) or real(*a))
    assert seen(root).foreign == "" and len(asked) == FEW
    for path in root.glob("ash/*/*"):
        path.write_bytes(b"")
    # of a building that says nothing a few more
    assert seen(root).foreign == "" and len(asked) == FEW + MORE


@pytest.mark.parametrize("shards", [1, 3])
def test_ingest_refuses_the_building_wherever_its_views_would_go(shards, tmp_path):
    root = write_rooms(tmp_path / "data", views=4)
    write_rooms(root, OF_A_BUILDING["millimetres"][0], rooms=("dogwood",), views=4)
    splits = {**SPLITS, "dogwood": "train"}
    out = tmp_path / "out"
    counts = ingest(str(root), str(out), size=16, shards=shards, splits=splits)
    assert counts == {"read": 16, "written": 12, "quarantined": 4}
    lines = [json.loads(line) for line in (out / "quarantine.jsonl").read_text().splitlines()]
    assert {line["file"] for line in lines} == {"dogwood"}
    assert all('"depth_units_per_metre": 1000' in line["reason"] for line in lines)
    # what the reason says to write is what helps
    (root / "dataset.json").write_text('{"depth_units_per_metre": {"dogwood": 1000}}')
    counts = ingest(str(root), str(tmp_path / "other"), size=16, shards=shards, splits=splits)
    assert counts == {"read": 16, "written": 16, "quarantined": 0}


def level(labels: dict) -> dict:
    """without the point that tells the scale for sure."""
    camera = labels["point_info"]
    rotation, location = camera.rotation, camera.location
    return {**labels, "point_info": Camera(location, rotation, camera.field_of_view)}


def test_depth_whose_scale_nothing_tells_is_doubted_by_the_cameras_height(tmp_path):
    root = write_rooms(tmp_path / "data", level, views=4)
    assert seen(root).foreign == "" and abs(seen(root).height - 1.5) < 0.1
    counts = ingest(str(root), str(tmp_path / "out"), size=16, shards=1, splits=SPLITS)
    assert "scales_doubtful" not in counts
    deep = write_rooms(tmp_path / "deep", lambda labels: depth_units(1000)(level(labels)), views=4)
    counts = ingest(str(deep), str(tmp_path / "other"), size=16, shards=1, splits=SPLITS)
    assert counts["scales_doubtful"] == 3 and counts["written"] == 12
    assert json.loads((tmp_path / "other" / "counts.json").read_text()) == counts


def test_the_point_that_is_fixated_tells_more_than_the_cameras_height(tmp_path, monkeypatch):
    monkeypatch.setattr(encodings, "camera_height", lambda *_: pytest.fail("asked for nothing"))
    assert seen(written(tmp_path)).height is None
