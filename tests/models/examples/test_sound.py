"""What is left of damaged examples is read on, under other addresses."""

import io
import shutil

import numpy as np
import pytest
from published_set import write_set

from beam_jobs.ingest.job import ingest
from models.examples.index import FOLDER, Index
from models.examples.label_store import build_label_store
from models.examples.sound import sound_index, sound_records
from models.examples.splits import SPLITS
from models.tasks import TASKS

NORMAL = {"normal": TASKS["normal"]}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    place = tmp_path_factory.mktemp("set")
    ingest(str(write_set(place / "data", views=4)), str(place / "out"), size=16, shards=2)
    return place / "out"


def first_shard(uri, split):
    """(positions of its views, where their records begin), in the order of the file."""
    rows = Index(uri / FOLDER).rows(split)
    here = np.flatnonzero(rows["shard"] == rows["shard"].min())
    order = here[np.argsort(rows["offset"][here])]
    return order, rows["offset"][order]


@pytest.fixture
def damaged(whole, tmp_path):
    """a bit of the first train record is another, val ends in its third record from the end."""
    uri = shutil.copytree(whole, tmp_path / "out")
    shard = sorted((uri / "Split-train").iterdir())[0]
    data = bytearray(shard.read_bytes())
    data[40] ^= 1
    shard.write_bytes(data)
    shard = sorted((uri / "Split-val").iterdir())[0]
    cut = int(first_shard(uri, "val")[1][-3]) + 10
    shard.write_bytes(shard.read_bytes()[:cut])
    return uri


def lost_keys(uri, split):
    """of the views that the damage of `damaged` costs."""
    order, _ = first_shard(uri, split)
    gone = {"train": order[:1], "val": order[-3:], "test": order[:0]}[split]
    keys = Index(uri / FOLDER).keys(split)
    return {str(keys[int(i)]) for i in gone}


def test_sound_examples_keep_their_index(whole):
    index = Index(whole / FOLDER)
    with sound_index(str(whole), index) as (same, lost):
        assert same is index and lost == {}


def test_views_whose_records_are_gone_are_left_out_and_counted(damaged):
    index = Index(damaged / FOLDER)
    output = io.StringIO()
    with sound_index(str(damaged), index, output) as (left, lost):
        for split in SPLITS:
            keys = {str(key) for key in left.keys(split)}
            assert keys == {str(key) for key in index.keys(split)} - lost_keys(damaged, split)
            assert lost.get(split, 0) == len(lost_keys(damaged, split))
            for i in range(left.count(split)):
                left.record(str(damaged), split, i)
        assert left.hash != index.hash
    lines = output.getvalue().splitlines()
    assert lines[0].startswith(f"  skipped 1 of {index.count('train')} views of train")
    assert "Split-train/examples-" in lines[0] and "Split-val/examples-" in lines[1]


@pytest.mark.parametrize("cache_bytes", [0, 1 << 30])
def test_a_store_of_what_is_left_has_the_labels_of_the_whole(
    whole, damaged, tmp_path, capsys, cache_bytes
):
    how = {"seed": 0, "max_samples": 8, "tasks": NORMAL, "cache_bytes": cache_bytes}
    every = build_label_store(str(whole), tmp_path / "every", **how)
    with pytest.raises((OSError, ValueError), match="copy"):
        build_label_store(str(damaged), tmp_path / "none", **how)
    left = build_label_store(str(damaged), tmp_path / "left", skip_damaged=True, **how)
    assert "skipped 1 of" in capsys.readouterr().err
    assert left.address("normal") != every.address("normal")
    assert left.views_address != every.views_address
    for split in SPLITS:
        place = {key: i for i, key in enumerate(every.views(split))}
        rows = [place[key] for key in left.views(split)]
        assert len(rows) == len(place) - len(lost_keys(damaged, split))
        for ours, theirs in zip(
            left.samples("normal", split).take(slice(None), left.images(split)),
            every.samples("normal", split).take(rows, every.images(split)),
        ):
            assert ours.tobytes() == theirs.tobytes()


def test_a_folder_in_a_shards_place_costs_its_views_alone(whole, tmp_path, capsys):
    uri = shutil.copytree(whole, tmp_path / "out")
    shard = sorted((uri / "Split-train").iterdir())[0]
    shard.unlink()
    shard.mkdir()
    index = Index(uri / FOLDER)
    order, _ = first_shard(uri, "train")
    with sound_index(str(uri), index) as (left, lost):
        assert lost == {"train": len(order)}
        assert left.count("train") == index.count("train") - len(order)
    assert f"{shard} is a folder" in capsys.readouterr().err


def test_sound_records_of_a_shard_are_those_that_can_be_read(whole, damaged):
    order, _ = first_shard(damaged, "val")
    shard = int(Index(whole / FOLDER).rows("val")["shard"].min())
    every = list(sound_records(str(whole), "val", shard))
    assert len(every) == len(order) and len(order) > 3
    assert list(sound_records(str(damaged), "val", shard)) == every[:-3]
