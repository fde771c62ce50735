"""Whatever stands in the files, the job ends, says of each refused view why, and its counters
reconcile.
"""

import io
import json
import os
import shutil
import struct
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from published_set import labels_of, write_set

from beam_jobs.ingest.job import ingest
from models.examples import parse_view, records
from models.examples.check import check_contract
from models.examples.published import encode_png, label_path
from models.tasks import DOMAINS, ViewKey, label_domains

VIEW = ViewKey("ash", 0, 1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("data"), points=2, views=3)


@pytest.fixture
def data(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "data"))


def quarantine(uri) -> dict[str, str]:
    """view -> reason; the quarantine holds a view once."""
    lines = (Path(uri) / "quarantine.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if "label" not in row]
    views = [row["view"] for row in rows if row["view"]]
    assert len(set(views)) == len(views)
    return {row["view"]: row["reason"] for row in rows if row["view"]}


def reconciled(data, out, **options) -> dict:
    """ingest, and hold the counts against what can be read from the shards."""
    counts = ingest(str(data), str(out), size=16, shards=2, **options)
    kept = [
        parse_view(record).key
        for split in ("train", "val", "test")
        for record in records(str(out), split)
    ]
    assert len(kept) == len(set(kept)) == counts["written"]
    assert {str(key) for key in kept}.isdisjoint(quarantine(out)) and len(
        quarantine(out)
    ) == counts["quarantined"]
    assert counts["read"] == counts["written"] + counts["quarantined"] == 18
    assert check_contract(str(out)) == []
    return counts


def saved(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side: int) -> bytes:
    """a PNG of some hundred bytes that claims `side` x `side` pixels, all checksums right."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


def flipped(data: bytes) -> bytes:
    """one bit of the pixel data, far from any header."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :]


RGB = Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype="uint8"))
CHANGES = {
    "truncated": ("rgb", lambda data: data[: len(data) // 2], "damaged PNG: ends after"),
    "one bit": ("normal", flipped, "fails its checksum"),
    "zero bytes": ("depth_zbuffer", lambda data: b"", "zero-byte file"),
    "eight bits for sixteen": (
        "depth_zbuffer",
        lambda data: saved(Image.new("L", (32, 32))),
        "8 bits a channel; depth_zbuffer has 16",
    ),
    "sixteen bits for eight": (
        "reshading",
        lambda data: encode_png(np.zeros((32, 32), "uint16")),
        "16 bits a channel",
    ),
    "another size": (
        "normal",
        lambda data: saved(RGB.resize((16, 16))),
        "maps of different sizes: 16 pixels, rgb 32",
    ),
    "not square": ("rgb", lambda data: saved(RGB.resize((32, 16))), "published views are square"),
    "alpha": ("rgb", lambda data: saved(RGB.convert("RGBA")), "alpha channel"),
    "transparent colour": (
        "rgb",
        lambda data: saved(RGB, transparency=(1, 2, 3)),
        "transparent colour",
    ),
    "palette": ("rgb", lambda data: saved(RGB.convert("P")), "palette"),
    "jpeg": ("rgb", lambda data: saved(RGB, "JPEG"), "a JPEG named .png"),
    "bomb by its header": ("rgb", lambda data: bomb(60000), "at most 4096 x 4096"),
    "bomb within bounds": ("rgb", lambda data: bomb(4096), "do not unpack"),
    "an id too many": (
        "segment_semantic",
        lambda data: saved(Image.new("L", (32, 32), 18)),
        "largest code 18",
    ),
    "nan": (
        "point_info",
        lambda data: data.replace(
            b'"field_of_view_rads"', b'"deep": {"a": [NaN]}, "field_of_view_rads"'
        ),
        "NaN in JSON",
    ),
    "infinity by overflow": (
        "point_info",
        lambda data: data.replace(b'"resolution"', b'"x": [1e999], "resolution"'),
        "1e999 in JSON",
    ),
    "deep nesting": ("point_info", lambda data: b"[" * 200000, "no JSON"),
    "no camera": ("point_info", lambda data: b"{}", "no camera"),
    "words for numbers": (
        "point_info",
        lambda data: json.dumps(
            {**json.loads(data), "camera_rotation_final": ["a", {}, None]}
        ).encode(),
        "no camera",
    ),
    "a box of words": (
        "point_info",
        lambda data: json.dumps(
            {**json.loads(data), "bounding_box_ranges": {"x": "ab", "y": [1], "z": 3}}
        ).encode(),
        "no camera",
    ),
    "words of another error": (
        "point_info",
        lambda data: json.dumps(
            {**json.loads(data), "field_of_view_rads": "No such file"}
        ).encode(),
        "no camera: could not convert",
    ),
    "points that are no numbers": (
        "point_info",
        lambda data: data.replace(b'_in_view": []', b'_in_view": ["7"]'),
        "points in view are whole numbers",
    ),
    "a list": ("point_info", lambda data: b"[1]", "is an object"),
    "a pickle": (
        "class_scene",
        lambda data: npy(np.array([{"a": 1}] * 365, dtype=object)),
        "no .npy array",
    ),
    "too many numbers": (
        "class_object",
        lambda data: npy(np.zeros(999999, "float32")),
        "1000 numbers take fewer",
    ),
    "a size merely claimed": (
        "class_object",
        lambda data: data.replace(b"(1000,)", b"(1000000000000,)"),
        "no .npy array",
    ),
    "not a number": (
        "class_scene",
        lambda data: npy(np.full(365, np.nan, "float32")),
        "values from nan",
    ),
}


def npy(value) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, value, allow_pickle=True)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def flawed(whole, tmp_path_factory) -> Path:
    """one building more for every kind of bad file, so that one job sees them all."""
    root = tmp_path_factory.mktemp("flawed")
    for place, (folder, change, _) in enumerate(CHANGES.values()):
        copy = Path(shutil.copytree(whole / "ash", root / f"bad{place:02d}"))
        path = label_path(root, ViewKey(copy.name, *VIEW[1:]), DOMAINS[folder])
        path.write_bytes(change(path.read_bytes()))
    return root


def test_every_kind_of_bad_file_is_quarantined_with_its_reason(flawed, tmp_path):
    counts = ingest(str(flawed), str(tmp_path / "out"), size=16, shards=2, strict=True)
    rows = quarantine(tmp_path / "out")
    for place, (name, (_, _, reason)) in enumerate(CHANGES.items()):
        assert reason in rows.pop(f"bad{place:02d}/point_0/view_1", "written"), name
    assert not rows and counts == {
        "read": 6 * len(CHANGES),
        "written": 5 * len(CHANGES),
        "quarantined": len(CHANGES),
    }
    assert check_contract(str(tmp_path / "out")) == []


def test_a_label_that_is_not_there_is_counted_apart_and_is_no_line_of_the_quarantine(
    whole, tmp_path
):
    data = Path(shutil.copytree(whole, tmp_path / "data"))
    folder = data / "ash" / "normal"
    first, second, *_ = sorted(folder.iterdir())
    first.unlink()
    counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=1)
    assert counts["read"] == counts["written"] and counts["labels_absent"] == {"normal": 1}
    assert "labels_refused" not in counts
    assert (tmp_path / "out" / "quarantine.jsonl").read_text() == ""
    # a link to nothing is a file that was lost
    second.unlink()
    second.symlink_to(tmp_path / "nowhere")
    counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=1)
    assert (counts["labels_absent"], counts["labels_refused"]) == ({"normal": 1}, {"normal": 1})
    counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=1, strict=True)
    assert counts["quarantined"] == 2 and "labels_absent" not in counts


def test_a_bad_file_costs_its_label_of_its_view_and_the_picture_alone_costs_the_view(
    flawed, tmp_path
):
    out = tmp_path / "out"
    counts = ingest(str(flawed), str(out), size=16, shards=2)
    bad = {
        f"bad{place:02d}/point_0/view_1": change for place, change in enumerate(CHANGES.values())
    }
    without_picture = {view for view, (folder, _, _) in bad.items() if folder == "rgb"}
    labels = Counter(folder for folder, _, _ in bad.values() if folder != "rgb")
    assert set(quarantine(out)) == without_picture
    assert counts == {
        "read": 6 * len(CHANGES),
        "written": 6 * len(CHANGES) - len(without_picture),
        "quarantined": len(without_picture),
        "labels_refused": dict(sorted(labels.items())),
    }
    rows = [json.loads(line) for line in (out / "quarantine.jsonl").read_text().splitlines()]
    flaws = {row["view"]: row for row in rows if "label" in row}
    for view, (folder, _, reason) in bad.items():
        if folder != "rgb":
            assert flaws[view]["label"] == folder and reason in flaws[view]["reason"]
    whole_ones = {"rgb", *labels_of(VIEW)} - {"rgb", "point_info"}
    for split in ("train", "val", "test"):
        for view in map(parse_view, records(str(out), split)):
            folder = bad[str(view.key)][0] if str(view.key) in bad else None
            assert set(view.labels) == whole_ones - {folder}
            assert (view.camera is None) == (folder == "point_info")
    assert check_contract(str(out)) == []


def test_things_that_are_no_files_are_quarantined(data, tmp_path):
    def place(folder, number):
        return label_path(data, ViewKey("ash", 0, number), DOMAINS[folder])

    for path in (
        place("rgb", 0),
        place("normal", 1),
        place("rgb", 2),
        label_path(data, ViewKey("ash", 1, 0), DOMAINS["rgb"]),
    ):
        path.unlink()
    os.mkfifo(place("rgb", 0))  # opening it would wait for ever
    place("normal", 1).mkdir()
    place("rgb", 2).symlink_to("/dev/zero")
    loop = label_path(data, ViewKey("ash", 1, 0), DOMAINS["rgb"])
    loop.symlink_to(loop)
    reconciled(data, tmp_path / "out", strict=True)
    rows = quarantine(tmp_path / "out")
    assert (
        "not a regular file" in rows["ash/point_0/view_0"]
        and "not a regular file" in rows["ash/point_0/view_2"]
    )
    assert (
        "not a regular file" in rows["ash/point_0/view_1"]
        and "symbolic links" in rows["ash/point_1/view_0"]
    )


def test_a_view_with_two_files_for_one_label_is_refused_not_guessed(data, tmp_path):
    path = label_path(data, VIEW, DOMAINS["class_scene"])
    shutil.copy(path, path.with_name(path.name.replace("class_places", "class_scene")))
    reconciled(data, tmp_path / "out")
    assert quarantine(tmp_path / "out") == {str(VIEW): quarantine(tmp_path / "out")[str(VIEW)]}
    assert "two files hold its class_scene" in quarantine(tmp_path / "out")[str(VIEW)]


def test_known_bad_buildings_and_images_are_quarantined_by_name(data, tmp_path):
    (data / "ash").rename(data / "newfields")
    (data / "newfields" / "rgb" / "point_0_view_0_domain_rgb.png").rename(
        data / "newfields" / "rgb" / "point_1070_view_8_domain_rgb.png"
    )
    for building in ("one", "two", "rough"):
        shutil.copytree(data / "birch", data / building)
    (data / "splits.csv").write_text(
        "id,train,val,test\nnewfields,1,0,0\nbirch,0,1,0\ncedar,0,0,1\nrough,1,0,0\none,1,0,0\ntwo,1,0,0\n"
    )
    (data / "dataset.json").write_text(json.dumps({"name": "set"}))
    ingest(str(data), str(tmp_path / "out"), size=16, shards=1)
    rows = quarantine(tmp_path / "out")
    assert (
        rows["rough/point_1/view_2"] == "known-bad building: wrong viewpoints"
        and sum(view.startswith("rough/") for view in rows) == 6
    )
    assert rows["newfields/point_1070/view_8"] == "known-bad image: rgb fails its checksum"
    (data / "dataset.json").write_text(
        json.dumps({"known_bad": {"one": "blurred", "two/point_1/view_1": "a finger on the lens"}})
    )
    ingest(str(data), str(tmp_path / "own"), size=16, shards=1)
    own = quarantine(tmp_path / "own")
    assert (
        own["one/point_0/view_0"] == "known-bad building: blurred"
        and own["two/point_1/view_1"] == "known-bad image: a finger on the lens"
    )
    assert not any(view.startswith("rough/") for view in own)


def test_a_building_in_two_splits_stops_the_job_before_it_starts(data, tmp_path):
    (data / "splits.csv").write_text(
        "id,train,val,test\nash,1,0,0\nash,0,1,0\nbirch,0,1,0\ncedar,0,0,1\n"
    )
    with pytest.raises(ValueError, match="'ash' stands in two splits"):
        ingest(str(data), str(tmp_path / "out"), size=16, shards=1)


def test_a_building_in_no_split_is_quarantined_or_left_alone_where_a_subset_is_asked_for(
    data, tmp_path
):
    shutil.copytree(data / "ash", data / "dogwood")
    splits = {"ash": "train", "birch": "val", "cedar": "test"}
    assert (
        ingest(str(data), str(tmp_path / "all"), size=16, shards=1, splits=splits)["quarantined"]
        == 6
    )
    assert set(quarantine(tmp_path / "all").values()) == {
        "its building stands in no split of splits.csv"
    }
    assert (
        ingest(
            str(data), str(tmp_path / "subset"), size=16, shards=1, splits=splits, only_split=True
        )["read"]
        == 18
    )


def test_capitals_in_a_list_or_a_folder_lose_no_building_and_save_no_bad_one(data, tmp_path):
    shutil.copytree(data / "ash", data / "Woodbine")
    (data / "birch").rename(data / "Birch")
    splits = {"ASH": "train", "birch": "val", "cedar": "test", "woodbine": "train"}
    counts = ingest(
        str(data), str(tmp_path / "out"), size=16, shards=1, splits=splits, only_split=True
    )
    assert counts == {"read": 24, "written": 18, "quarantined": 6}
    assert {view.split("/")[0] for view in quarantine(tmp_path / "out")} == {"Woodbine"}


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "no JSON"),
        ("[]", "expected an object"),
        ('{"depth_units_per_metre": 0}', "positive number"),
        ('{"absent": ["nomral"]}', "nomral"),
    ],
)
def test_a_data_set_description_that_cannot_be_meant_is_an_error(data, tmp_path, text, message):
    (data / "dataset.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        ingest(str(data), str(tmp_path / "out"), size=16, shards=1)


@pytest.mark.parametrize("seed", range(6))
def test_mutated_files_never_crash_the_job(data, tmp_path, seed):
    """a file in thirty is damaged: cut, overwritten, extended, swapped with another label's,
    renamed, removed, replaced by noise.
    """
    rng = np.random.default_rng(seed)
    paths = sorted(
        path for path in data.rglob("*_domain_*") if "point_0_view_0_" not in path.name
    )  # a split without any view is an error
    for path in [path for path in paths if rng.random() < 0.03]:
        mutate(path, paths, rng)
    counts = reconciled(data, tmp_path / "out", strict=seed % 2 == 0)
    by_label = counts.get("labels_refused", {}) | counts.get("labels_absent", {})
    assert counts["quarantined"] + sum(by_label.values()) > 0
    assert counts["written"] > 0


def mutate(path: Path, others: list[Path], rng) -> None:
    bytes_ = bytearray(path.read_bytes())
    kind = rng.integers(7)
    if kind == 0:
        bytes_ = bytes_[: rng.integers(len(bytes_))]
    elif kind == 1:
        for _ in range(rng.integers(1, 9)):
            bytes_[rng.integers(len(bytes_))] = rng.integers(256)
    elif kind == 2:
        place = rng.integers(len(bytes_))
        bytes_[place:place] = rng.bytes(rng.integers(1, 50))
    elif kind == 3:
        bytes_ = bytearray(
            rng.choice([other for other in others if other.exists()]).read_bytes()
        )  # another label's file, sound in itself
    elif kind == 4:
        path.rename(path.with_name(f"{path.stem}~{path.suffix}"))
        return
    elif kind == 5:
        path.unlink()
        return
    else:
        bytes_ = bytearray(rng.bytes(rng.integers(1, 2000)))
    path.write_bytes(bytes(bytes_))


def test_every_flipped_bit_of_a_picture_is_seen(whole):
    """not by luck: PNG holds a checksum over every chunk, and decoders do not look at those of
    pixel data.
    """
    from models.examples import LabelError
    from models.examples.published import decode_label

    rng = np.random.default_rng(0)
    for folder in (name for name in label_domains() if DOMAINS[name].file == "png"):
        data = label_path(whole, VIEW, DOMAINS[folder]).read_bytes()
        for place in rng.integers(8, len(data), 40):
            broken = (
                data[:place] + bytes([data[place] ^ (1 << rng.integers(8))]) + data[place + 1 :]
            )
            with pytest.raises(LabelError):
                decode_label(broken, DOMAINS[folder])
