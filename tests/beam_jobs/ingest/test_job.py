"""Ingest loses nothing: what is sound is written, what is not is quarantined with a reason, and the
counters reconcile.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from published_set import write_set

from beam_jobs.ingest.job import ingest
from models.examples import parse_view, read_label, records
from models.examples.check import check_contract
from models.examples.label_store import build_label_store
from models.examples.published import label_path
from models.tasks import DOMAINS, TASKS, ViewKey

FRAMES = Path(__file__).resolve().parents[4] / "shared" / "real_frames"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("data"))


@pytest.fixture
def data(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "data"))


def quarantine(uri) -> list[dict]:
    return [
        json.loads(line)
        for line in (Path(uri) / "quarantine.jsonl").read_text().splitlines()
        if line
    ]


def test_sound_views_are_all_written_and_keep_the_contract(data, tmp_path):
    counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=2)
    assert counts == {"read": 18, "written": 18, "quarantined": 0}
    assert check_contract(str(tmp_path / "out")) == []
    kept = [
        parse_view(record)
        for split in ("train", "val", "test")
        for record in records(str(tmp_path / "out"), split)
    ]
    assert {view.size for view in kept} == {16} and len({view.key for view in kept}) == 18


def test_a_second_ingest_ends_in_the_same_bytes(data, tmp_path):
    hashes = []
    for name in ("one", "two"):
        ingest(str(data), str(tmp_path / name), size=16, shards=2)
        hashes.append(json.loads((tmp_path / name / "manifest.json").read_text())["hash"])
    assert hashes[0] == hashes[1]


def test_broken_views_are_quarantined_with_a_reason_and_the_rest_is_written(data, tmp_path):
    def path(folder, number):
        return label_path(data, ViewKey("ash", 0, number), DOMAINS[folder])

    path("normal", 0).write_bytes(path("normal", 0).read_bytes()[:200])
    path("depth_zbuffer", 1).unlink()
    path("point_info", 2).write_text('{"camera_location": NaN}')
    counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=1, strict=True)
    assert counts == {"read": 18, "written": 15, "quarantined": 3}
    reasons = {row["view"]: row["reason"] for row in quarantine(tmp_path / "out")}
    assert "damaged PNG" in reasons["ash/point_0/view_0"]
    assert "no depth_zbuffer" in reasons["ash/point_0/view_1"]
    assert "NaN" in reasons["ash/point_0/view_2"]


def test_an_empty_folder_says_what_was_expected(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(ValueError, match="no views at .* expected BUILDING/rgb"):
        ingest(str(tmp_path / "data"), str(tmp_path / "out"), size=16, shards=1)
    assert [path.name for path in tmp_path.rglob("*")] == ["data"]


def test_a_split_without_a_sound_view_is_an_error_that_names_it(data, tmp_path):
    for folder in DOMAINS:
        shutil.rmtree(data / "cedar" / folder, ignore_errors=True)
    (data / "splits.csv").write_text("id,train,val,test\nash,1,0,0\nbirch,0,1,0\ncedar,0,0,1\n")
    with pytest.raises(ValueError, match="split test .* no sound view"):
        ingest(str(data), str(tmp_path / "out"), size=16, shards=1)


def test_hostile_names_are_refused_with_a_reason_and_hidden_ones_left_alone(data, tmp_path):
    (data / "ash" / "rgb" / "%2e%2e%2f_point_1_view_1_domain_rgb.png").write_bytes(b"x")
    (data / "ash" / "rgb" / "point_01_view_1_domain_rgb.png").write_bytes(b"x")
    (data / "ash" / "rgb" / ".point_1_view_1_domain_rgb.png.77").write_bytes(b"x")
    (data / ".partial" / "rgb").mkdir(parents=True)
    (data / "a\nb" / "rgb").mkdir(parents=True)
    counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=1)
    assert counts == {"read": 18, "written": 18, "quarantined": 0, "files_refused": 3} | {
        "labels_misnamed": {"rgb": 2}
    }
    assert sorted(row["reason"].split()[0] for row in quarantine(tmp_path / "out")) == [
        "a",
        "a",
        "not",
    ]


def test_names_with_spaces_accents_and_brackets_are_names(data, tmp_path, capsys):
    # an accent of its own, as a Mac writes it; the list has it as part of its letter
    (data / "ash").rename(data / "Bu\u0308ro 1")
    (data / "birch").rename(data / "Haus, alt (oben)")
    (data / "splits.csv").write_text(
        'id,train,val,test\nb\u00fcro 1,1,0,0\n"Haus, alt (oben)",0,1,0\ncedar,0,0,1\n',
        encoding="utf-8",
    )
    counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=1)
    assert counts == {"read": 18, "written": 18, "quarantined": 0}
    kept = [parse_view(record) for record in records(str(tmp_path / "out"), "train")]
    assert {view.key.building for view in kept} == {"Bu\u0308ro 1"}
    assert check_contract(str(tmp_path / "out")) == []
    assert "none of building" not in capsys.readouterr().err


def test_a_building_that_cannot_be_called_so_is_lost_loudly(data, tmp_path, capsys):
    (data / "ash").rename(data / "ash+")
    shutil.copytree(data / "birch", data / "dogwood")
    counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=1)
    assert counts == {"read": 24, "written": 18, "quarantined": 6}
    assert "none of building 'ash+' will be written" in capsys.readouterr().err


def test_labels_are_decoded_once_for_every_task(data, tmp_path):
    ingest(str(data), str(tmp_path / "out"), size=32, shards=1)
    store = build_label_store(str(tmp_path / "out"), tmp_path / "store", seed=0, max_samples=50)
    for name, entry in TASKS.items():
        if entry.trained and name != "nonfixated_pose":
            found = store.samples(name, "train")
            assert (
                found.views.shape == (len(found), entry.images) and np.isfinite(found.target).all()
            ), name
    layout = np.concatenate([store.samples("room_layout", "train").target])
    np.testing.assert_allclose(layout.mean(0), 0, atol=1e-4)
    again = build_label_store(str(tmp_path / "out"), tmp_path / "store", seed=0, max_samples=50)
    assert again.views_address == store.views_address
    assert again.address("normal") == store.address("normal") != store.address("reshading")


def lay_out_real_frames(root: Path) -> None:
    """the real frames as the published data set: two complete ones and two of hm3d, whose depth has
    another scale.
    """
    for frame, building in (("point_202_view_5", "taskonomy"), ("point_47_view_25", "replica")):
        for path in FRAMES.glob(f"{frame}_domain_*"):
            suffix = path.stem.split("_domain_")[1]
            folder = {"fixatedpose": "point_info"}.get(suffix, suffix)
            if folder in DOMAINS:
                (root / building / folder).mkdir(parents=True, exist_ok=True)
                shutil.copy(path, root / building / folder / path.name)
    for path in (FRAMES / "hm3d").glob("*.png"):
        folder = path.stem.split("_domain_")[1]
        (root / "hm3d" / folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / "hm3d" / folder / path.name)
    (root / "dataset.json").write_text(json.dumps({"depth_units_per_metre": {"hm3d": 8192}}))
    (root / "splits.csv").write_text(
        "id,train,val,test\ntaskonomy,1,0,0\nreplica,0,1,0\nhm3d,0,0,1\n"
    )


@pytest.mark.skipif(not FRAMES.exists(), reason="the real frames of ../shared are not here")
def test_real_frames_pass_and_decode_to_documented_units(tmp_path):
    lay_out_real_frames(tmp_path / "data")
    counts = ingest(str(tmp_path / "data"), str(tmp_path / "out"), size=512, shards=1)
    assert counts == {"read": 4, "written": 4, "quarantined": 0}
    assert check_contract(str(tmp_path / "out")) == []
    kept = {
        view.key.building: view
        for split in ("train", "val", "test")
        for view in map(parse_view, records(str(tmp_path / "out"), split))
    }
    real = kept["taskonomy"]
    depth = real.labels["depth_zbuffer"]
    far = np.linalg.norm(
        real.camera.point - real.camera.location
    )  # the fixated point lies at the centre
    assert np.median(depth[254:258, 254:258]) / 512 == pytest.approx(far, abs=0.1)
    assert (depth == 65535).mean() == pytest.approx(0.0774, abs=1e-3)
    vectors = real.labels["normal"][depth < 65535] / 127.5 - 1
    assert np.median(np.linalg.norm(vectors, axis=1)) == pytest.approx(1, abs=0.01)
    assert real.labels["principal_curvature"][..., 2].max() == 0
    assert real.labels["edge_texture"].max() / 65535 == pytest.approx(0.136, abs=1e-3)
    assert real.labels["keypoints2d"].max() / 65535 == pytest.approx(0.017, abs=1e-3)
    assert real.labels["reshading"].ndim == 2
    assert real.camera.field_of_view == pytest.approx(np.radians(67.6), abs=0.01)
    seen = kept["hm3d"].labels["depth_zbuffer"]
    assert 0.3 < np.median(seen[seen < 65535]) / 512 < 8  # rooms, not halls of 100 m


@pytest.mark.skipif(not FRAMES.exists(), reason="the real frames of ../shared are not here")
def test_the_colour_coded_semantic_picture_is_refused_as_a_label(tmp_path):
    from models.examples import LabelError

    with pytest.raises(LabelError, match="colour-coded"):
        read_label(FRAMES / "point_202_view_5_domain_semantic.png", DOMAINS["segment_semantic"])
    lay_out_real_frames(tmp_path / "data")
    folder = tmp_path / "data" / "hm3d" / "segment_semantic"
    folder.mkdir()
    for frame in ("point_0_view_3", "point_12_view_1"):
        shutil.copy(
            FRAMES / "point_202_view_5_domain_semantic.png",
            folder / f"{frame}_domain_segmentsemantic.png",
        )
    with pytest.raises(ValueError, match="split test .*colour-coded"):
        ingest(str(tmp_path / "data"), str(tmp_path / "out"), size=64, shards=1, strict=True)
    assert not (tmp_path / "out").exists()
    assert all("colour-coded" in row["reason"] for row in quarantine(tmp_path / ".out.partial"))
    counts = ingest(str(tmp_path / "data"), str(tmp_path / "out"), size=64, shards=1)
    assert counts["written"] == 4 and counts["labels_refused"] == {"segment_semantic": 2}


def test_progress_says_how_many_views_are_done_and_how_long_it_takes(tmp_path):
    import io
    import time

    from beam_jobs.ingest.progress import watched

    for folder, name, text in (
        ("listed", "building-00000.json", '{"run": "r", "views": 10}'),
        ("manifest", "train-00000.jsonl", "a\n"),
        (".shard-x", "quarantine", "b\n"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    output = io.StringIO()
    with watched(str(tmp_path), every=0.05, stream=output):
        for words in ("2 of 10 views", "5 of 10 views"):
            until = time.monotonic() + 60
            while words not in output.getvalue() and time.monotonic() < until:
                time.sleep(0.01)
            # at once, as shards appear: between emptied and written the file has no lines
            (tmp_path / "more").write_text("a\n" * 4)
            (tmp_path / "more").rename(tmp_path / "manifest" / "train-00000.jsonl")
    lines = output.getvalue().splitlines()
    assert (
        lines[0].startswith("2 of 10 views")
        and lines[-1].startswith("5 of 10 views")
        and "left" in lines[-1]
    )
