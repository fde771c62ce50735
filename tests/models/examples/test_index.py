"""Any record of an artifact is found by its position, and is the one that was written there."""

import json
from pathlib import Path

import numpy as np
import pytest
from published_set import write_set
from synthetic import view

from beam_jobs.ingest.job import ingest
from models.examples import encode_view, parse_view, records
from models.examples.index import FOLDER, ROW, Index
from models.examples.shards import DamagedRecord, Place, read_record, records_of, shard_writer
from models.examples.splits import SPLITS


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    place = tmp_path_factory.mktemp("set")
    ingest(str(write_set(place / "data")), str(place / "out"), size=16, shards=2)
    return place / "out"


@pytest.fixture
def shard(tmp_path):
    """a shard of three records: its path, the records, their places."""
    path = tmp_path / "records.tfrecord.gz"
    kept = [encode_view(view(i), "train") for i in range(3)]
    with shard_writer(path) as writer:
        places = [writer.write(record) for record in kept]
    return str(path), kept, places


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

    path, kept, _ = shard
    with beam.Pipeline() as pipeline:
        assert_that(pipeline | beam.io.ReadFromTFRecord(path), equal_to(kept))


def test_tensorflow_reads_the_same_records_from_first_to_last(shard):
    import tensorflow as tf

    path, kept, _ = shard
    dataset = tf.data.TFRecordDataset([path], compression_type="GZIP")
    assert list(dataset.as_numpy_iterator()) == kept


def test_we_read_the_same_records_from_first_to_last_and_name_what_was_cut_or_changed(shard):
    path, kept, places = shard
    assert list(records_of(path)) == kept
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
    path, kept, places = shard
    whole = bytearray(Path(path).read_bytes())
    place = places[1]
    changed = 0
    for byte in range(place.offset, place.offset + place.length, 997):
        flipped = bytearray(whole)
        flipped[byte] ^= 4
        Path(path).write_bytes(flipped)
        try:
            assert read_record(path, place) == kept[1], byte  # gzip's header says nothing of it
        except DamagedRecord as error:
            assert path in str(error) and "ingest again" in str(error)
            changed += 1
    assert changed > 10 and read_record(path, places[2]) == kept[2]


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
    Path(path).unlink()
    with pytest.raises(FileNotFoundError, match=path):
        read_record(path, places[0])


def test_an_index_that_was_cut_and_examples_without_one_say_what_to_do(examples, tmp_path):
    with pytest.raises(FileNotFoundError, match="ingest again"):
        Index(tmp_path)
    Index(examples / FOLDER).copy_to(tmp_path)
    np.save(tmp_path / "val.npy", np.load(tmp_path / "val.npy")[:-1])
    with pytest.raises(ValueError, match=r"index.json says .* ingest again"):
        Index(tmp_path).rows("val")
