"""Any record of an artifact is found by its position, and is the one that was written there."""

import functools
import itertools
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from published_set import write_set
from synthetic import view

from beam_jobs.ingest.job import ingest
from models.examples import encode_view, parse_view, records
from models.examples.index import FOLDER, ROW, Entry, Index, IndexWriter
from models.examples.message import bytes_of, example_class, features_of
from models.examples.shards import (
    HEAD,
    DamagedRecord,
    Place,
    masked,
    read_features,
    read_record,
    records_of,
    shard_writer,
)
from models.examples.splits import SPLITS
from models.tasks import ViewKey


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    place = tmp_path_factory.mktemp("set")
    ingest(str(write_set(place / "data")), str(place / "out"), size=16, shards=2)
    return place / "out"


@pytest.fixture
def shard(tmp_path):
    """a shard of three records: its path, the records, their places."""
    path = tmp_path / "records.tfrecord.gz"
    records = [encode_view(view(i), "train") for i in range(3)]
    with shard_writer(path) as writer:
        places = [writer.write(record) for record in records]
    return str(path), records, places


def test_every_record_is_found_by_its_position_in_the_order_of_keys(examples):
    index = Index(examples / FOLDER)
    for split in SPLITS:
        found = [index.record(str(examples), split, i) for i in range(index.count(split))]
        assert sorted(found) == sorted(records(str(examples), split))
        keys = [parse_view(record).key for record in found]
        assert keys == sorted(keys) == list(index.keys(split)) and len(keys) > 1


def test_the_index_is_the_manifest_in_at_most_64_bytes_a_view(examples):
    manifest = json.loads((examples / "manifest.json").read_text())
    index = Index(examples / FOLDER)
    assert (index.hash, index.size) == (manifest["hash"], manifest["size"])
    assert manifest["views"] == {split: index.count(split) for split in SPLITS}
    for split in SPLITS:
        parts = sorted((examples / "manifest").glob(f"{split}-*.jsonl"))
        rows = [json.loads(line) for part in parts for line in part.read_text().splitlines()]
        assert [str(key) for key in index.keys(split)] == sorted(row["key"] for row in rows)
    assert ROW.itemsize <= 64 and isinstance(index.rows("train"), np.memmap)


@pytest.mark.parametrize("count", [2, 3, 4, 6, 7])
def test_rows_wait_for_a_chunk_and_none_is_lost_at_its_border(count, tmp_path, monkeypatch):
    monkeypatch.setattr("models.examples.index.CHUNK", 3)
    entries = [Entry(ViewKey("a", i, 0), "val", 1, Place(9 * i, i, 7)) for i in range(count)]
    writer = IndexWriter(tmp_path)
    for number, entry in enumerate(entries, 1):
        writer.add(entry)
        assert len(writer.waiting["val"]) == number % 3
    writer.close({"hash": "0", "size": 16, "shards": 2})
    index = Index(tmp_path)
    assert [index.count(split) for split in SPLITS] == [0, count, 0]
    assert index.rows("val").tolist() == [(0, i, 0, 1, 9 * i, i, 7) for i in range(count)]


def test_examples_of_earlier_code_and_a_cut_index_are_refused_in_a_line(examples, tmp_path):
    with pytest.raises(FileNotFoundError, match="by earlier code, .* ingest again") as caught:
        Index(tmp_path / "none")
    assert "\n" not in str(caught.value)
    folder = Path(shutil.copytree(examples / FOLDER, tmp_path / "index"))
    np.save(folder / "val.npy", np.load(folder / "val.npy")[:-1])
    with pytest.raises(ValueError, match=r"val\.npy has \d+ rows, .* says \d+; .*ingest again"):
        Index(folder).rows("val")


def test_views_of_a_building_stand_side_by_side(examples):
    index = Index(examples / FOLDER)
    for split in SPLITS:
        keys = index.keys(split)
        spans = list(index.spans(split))
        assert [i for span in spans for i in span] == list(range(len(keys)))
        houses = [{keys[i].building for i in span} for span in spans]
        assert all(len(house) == 1 for house in houses)
        assert len({min(house) for house in houses}) == len(houses)


def test_tfx_reads_the_same_records_from_first_to_last(shard):
    import apache_beam as beam
    from apache_beam.testing.util import assert_that, equal_to

    path, records, _ = shard
    with beam.Pipeline() as pipeline:
        assert_that(pipeline | beam.io.ReadFromTFRecord(path), equal_to(records))


def test_tensorflow_reads_the_same_records_from_first_to_last(shard):
    import tensorflow as tf

    path, records, _ = shard
    dataset = tf.data.TFRecordDataset([path], compression_type="GZIP")
    assert list(dataset.as_numpy_iterator()) == records


def test_we_read_the_same_records_from_first_to_last_and_name_what_was_cut_or_changed(shard):
    path, records, places = shard
    assert list(records_of(path)) == records
    whole = Path(path).read_bytes()
    changed = bytearray(whole)
    changed[places[1].offset + places[1].length // 2] ^= 4
    for damaged in (whole[:-9], whole[: places[2].offset + 30], bytes(changed)):
        Path(path).write_bytes(damaged)
        with pytest.raises(DamagedRecord, match=f"{path}: damaged after record [12] .*anew"):
            list(records_of(path))


def test_a_record_whose_own_checksum_is_wrong_is_seen_though_gzip_holds(shard):
    import gzip

    path, _, _ = shard
    frames = bytearray(gzip.decompress(Path(path).read_bytes()))
    frames[-6] ^= 1
    Path(path).write_bytes(gzip.compress(bytes(frames)))
    with pytest.raises(DamagedRecord, match="after record 2 .the next record is cut or changed"):
        list(records_of(path))


def test_no_flipped_bit_of_a_record_goes_unseen(shard):
    path, records, places = shard
    whole = bytearray(Path(path).read_bytes())
    place = places[1]
    changed = 0
    for byte in range(place.offset, place.offset + place.length, 997):
        flipped = bytearray(whole)
        flipped[byte] ^= 4
        Path(path).write_bytes(flipped)
        try:
            assert read_record(path, place) == records[1], byte  # gzip's header says nothing of it
        except DamagedRecord as error:
            assert path in str(error) and "ingest again" in str(error)
            changed += 1
    assert changed > 10 and read_record(path, places[2]) == records[2]


def named(*names):
    """a choice of features by their names."""
    return lambda there: [name for name in there if name in names]


@pytest.mark.parametrize("names", [("normal",), ("key", "rgb", "camera"), (), None])
def test_features_are_read_alone_as_they_stand_in_the_record(shard, names):
    path, records, places = shard
    choose = list if names is None else named(*names)
    for record, place in zip(records, places):
        some, whole = read_features(path, place, choose), features_of(record)
        expected = sorted(whole) if names is None else sorted(names)
        assert sorted(some) == expected
        for name in expected:
            if isinstance(some[name], bytes):  # all that the feature holds
                assert some[name] == whole[name].bytes_list.value[0]
            else:
                assert some[name] == whole[name]


def test_nothing_else_of_a_record_is_read(shard, monkeypatch):
    path, records, places = shard
    read = []
    plain = os.preadv

    def noting(descriptor, buffers, offset):
        read.append(sum(map(len, buffers)))
        return plain(descriptor, buffers, offset)

    monkeypatch.setattr(os, "preadv", noting)
    size = len(read_features(path, places[1], named("rgb"))["rgb"])
    assert len(read) == 2 and read[0] == min(HEAD, places[1].length)
    assert size <= read[1] < size + 6 < len(records[1])  # a block's head may lie between


@pytest.mark.parametrize("size", [1, 65_000, 65_519, 65_520, 65_535, 65_536, 200_000])
def test_features_across_the_borders_of_blocks_are_whole(tmp_path, size):
    import gzip
    import random

    example = example_class()()
    draw = random.Random(size)
    for name in ("a", "b", "c"):
        example.features.feature[name].bytes_list.value.append(draw.randbytes(size))
    record = example.SerializeToString(deterministic=True)
    path = tmp_path / "records.tfrecord.gz"
    with shard_writer(path) as writer:
        places = [writer.write(record) for _ in range(2)]
    assert list(records_of(str(path))) == [record, record]
    assert len(gzip.decompress(path.read_bytes())) == 2 * (len(record) + 16)
    for place, name in itertools.product(places, "abc"):
        value = example.features.feature[name].bytes_list.value[0]
        assert read_features(str(path), place, named(name)) == {name: value}
        assert read_record(str(path), place) == record


def test_a_table_longer_than_what_is_read_at_first_is_read_whole(tmp_path):
    example = example_class()()
    for number in range(200):
        example.features.feature[f"feature{number:03d}"].int64_list.value.append(number)
    path = tmp_path / "records.tfrecord.gz"
    with shard_writer(path) as writer:
        place = writer.write(example.SerializeToString(deterministic=True))
    part = read_features(str(path), place, named("feature199"))
    assert part["feature199"].int64_list.value == [199]


def test_records_of_earlier_code_have_no_table_and_are_read_as_a_whole(tmp_path):
    import zlib

    record = encode_view(view(0), "train")
    length = len(record).to_bytes(8, "little")
    frame = length + masked(length) + record + masked(record)
    packed = zlib.compress(frame, 0, wbits=31)
    path = tmp_path / "records.tfrecord.gz"
    path.write_bytes(packed)
    place = Place(0, len(packed), zlib.crc32(frame))
    assert read_record(str(path), place) == record
    part = read_features(str(path), place, named("normal"))
    assert part == {"normal": features_of(record)["normal"]}


def test_no_flipped_bit_of_a_table_or_of_a_chosen_feature_goes_unseen(shard):
    path, records, places = shard
    whole = Path(path).read_bytes()
    place = places[1]
    expected = read_features(path, place, named("normal"))["normal"]
    seen = 0
    for byte in [*range(place.offset, place.offset + 700), *range(place.offset, len(whole), 97)]:
        flipped = bytearray(whole)
        flipped[byte] ^= 4
        Path(path).write_bytes(flipped)
        try:
            # time, level and system in gzip's header, and other features, say nothing of it;
            # without a table the whole record is read
            value = read_features(path, place, named("normal"))["normal"]
            assert bytes_of(value) == expected, byte
        except DamagedRecord as error:
            assert path in str(error) and "ingest again" in str(error)
            seen += 1
    assert seen > 500


def test_features_of_several_values_or_none_are_messages(tmp_path):
    example = example_class()()
    feature = example.features.feature
    feature["two"].bytes_list.value.extend([b"a", b"b"])
    feature["none"].bytes_list.SetInParent()
    feature["unset"].SetInParent()
    feature["empty"].bytes_list.value.append(b"")
    feature["number"].float_list.value.append(2.0)
    path = tmp_path / "records.tfrecord.gz"
    with shard_writer(path) as writer:
        place = writer.write(example.SerializeToString(deterministic=True))
    features = read_features(str(path), place, list)
    assert {
        name: value == feature[name] for name, value in features.items() if name != "empty"
    } == dict.fromkeys(("two", "none", "unset", "number"), True)
    assert features["empty"] == b""


def test_a_table_of_another_record_is_refused(shard):
    path, _, places = shard
    lie = Place(places[0].offset, places[0].length, places[1].crc)
    with pytest.raises(DamagedRecord, match="another checksum"):
        read_features(path, lie, named("rgb"))


def test_bytes_that_are_no_example_are_not_written(tmp_path):
    for wrong in (
        b"",
        b"\x0a",
        b"\x0a\x05abc",
        b"\x12\x01a",
        b"\x0a\x00\x0a\x00",
        b"\x0a\x02\x0a\x00",
    ):
        with shard_writer(tmp_path / "x") as writer, pytest.raises(ValueError, match="Example"):
            writer.write(wrong)


@pytest.mark.parametrize("other", [0, 2])
def test_an_index_that_lies_about_a_record_is_refused(shard, other):
    path, _, places = shard
    lie = Place(places[other].offset, places[other].length, places[1].crc)
    with pytest.raises(DamagedRecord, match="another checksum"):
        read_record(path, lie)


def test_a_shard_that_was_cut_or_is_gone_is_named(shard):
    path, _, places = shard
    Path(path).write_bytes(Path(path).read_bytes()[:-9])
    with pytest.raises(DamagedRecord, match=path):
        read_record(path, places[2])
    Path(path).write_bytes(Path(path).read_bytes()[: places[2].offset + 5])
    for reading in (read_record, functools.partial(read_features, choose=list)):
        with pytest.raises(DamagedRecord, match=path):
            reading(path, places[2])
    Path(path).unlink()
    for reading in (read_record, functools.partial(read_features, choose=list)):
        with pytest.raises(FileNotFoundError, match=path):
            reading(path, places[0])


def test_an_index_that_was_cut_and_examples_without_one_say_what_to_do(examples, tmp_path):
    with pytest.raises(FileNotFoundError, match="ingest again"):
        Index(tmp_path)
    Index(examples / FOLDER).copy_to(tmp_path)
    np.save(tmp_path / "val.npy", np.load(tmp_path / "val.npy")[:-1])
    with pytest.raises(ValueError, match=r"index.json says .* ingest again"):
        Index(tmp_path).rows("val")


@pytest.mark.parametrize("left", [0, 100, -20])
def test_files_of_an_index_that_were_cut_are_named_with_what_to_do(examples, tmp_path, left):
    Index(examples / FOLDER).copy_to(tmp_path)
    rows = tmp_path / "train.npy"
    rows.write_bytes(rows.read_bytes()[:left])
    with pytest.raises(ValueError, match=r"/train.npy is cut or changed \(.*copy it anew") as error:
        Index(tmp_path).rows("train")
    assert "\n" not in str(error.value)
    described = tmp_path / "index.json"
    for torn in (described.read_text()[:left], "[]"):
        described.write_text(torn)
        with pytest.raises(ValueError, match=r"/index.json is cut or changed \(.*copy it anew"):
            Index(tmp_path)


def test_a_folder_in_a_shards_place_is_damage(tmp_path):
    (tmp_path / "examples-00000-of-00001.tfrecord.gz").mkdir()
    path = str(tmp_path / "examples-00000-of-00001.tfrecord.gz")
    choose = functools.partial(filter, None)
    for reading in (
        lambda: list(records_of(path)),
        lambda: read_record(path, Place(0, 100, 0)),
        lambda: read_features(path, Place(0, 100, 0), choose),
    ):
        with pytest.raises(DamagedRecord, match=f"^{path} is a folder in a shard's place; remove"):
            reading()
