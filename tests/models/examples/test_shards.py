"""What is fetched is what will be read; bytes and errors stay those of reading alone."""

import ctypes
import mmap
import os
import random
import time
from pathlib import Path

import numpy as np
import pytest
from synthetic import view

from models.examples import encode_view, shards
from models.examples.message import example_class
from models.examples.shards import (
    PREFETCHED,
    DamagedRecord,
    Place,
    prefetch_features,
    read_features,
    shard_writer,
)

PAGE = mmap.PAGESIZE
LARGE = 1 << 20


def named(*names):
    """a choice of features by their names."""
    return lambda there: [name for name in there if name in names]


@pytest.fixture
def shard(tmp_path):
    """a shard of three records of three large features: its path, and the records' places."""
    path = tmp_path / "records.tfrecord.gz"
    draw = random.Random(0)
    with shard_writer(path) as writer:
        places = []
        for _ in range(3):
            example = example_class()()
            for name in ("a", "b", "c"):
                example.features.feature[name].bytes_list.value.append(draw.randbytes(LARGE))
            places.append(writer.write(example.SerializeToString(deterministic=True)))
    PREFETCHED.clear()
    return str(path), places


def resident(path):
    """[pages] bool, which of a file's pages are in memory."""
    content = np.memmap(path, "uint8", "r")
    flags = np.zeros(-(-len(content) // PAGE), "uint8")
    place = ctypes.c_void_p(content.ctypes.data)
    size = ctypes.c_size_t(len(content))
    assert not ctypes.CDLL(None).mincore(place, size, ctypes.c_void_p(flags.ctypes.data))
    return flags & 1 == 1


def forget(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def test_the_features_that_will_be_read_are_fetched_and_few_others(shard):
    path, places = shard
    extents = []
    for place in places[:2]:
        table = shards.read_table(path, place)
        first, length = table.extent(table.span("b"))
        extents.append((place.offset + first, place.offset + first + length))
    forget(path)
    if resident(path).any():
        pytest.skip("this file system keeps all pages: it lies in memory")
    prefetch_features([(path, place) for place in places[:2]], named("b"))
    wanted = np.zeros(len(resident(path)), bool)
    for start, stop in extents:
        wanted[start // PAGE : -(-stop // PAGE)] = True
    until = time.monotonic() + 20
    while not resident(path)[wanted].all():
        assert time.monotonic() < until, f"{resident(path)[wanted].mean():.0%} were fetched"
        time.sleep(0.01)
    # the tables, and what the system reads behind them
    assert resident(path)[~wanted].mean() < 0.5


def test_a_prefetched_record_is_read_without_its_table_once(shard, monkeypatch):
    path, places = shard
    expected = read_features(path, places[1], named("a", "c"))
    prefetch_features([(path, places[1])], named("a"))
    tables = []
    plain = shards.read_table

    def counted(*place):
        tables.append(place)
        return plain(*place)

    monkeypatch.setattr(shards, "read_table", counted)
    # other features than were asked for, too
    assert read_features(path, places[1], named("a", "c")) == expected and not tables
    assert read_features(path, places[1], named("a", "c")) == expected and len(tables) == 1


def test_tables_of_no_more_records_than_a_bound_are_held(shard, monkeypatch):
    path, places = shard
    monkeypatch.setattr(shards, "MOST_PREFETCHED", 2)
    prefetch_features([(path, place) for place in places], named("a"))
    assert [place for _, place in PREFETCHED] == places[1:]


@pytest.mark.parametrize("broken", ["refuses", "lacks"])
def test_a_system_that_fetches_nothing_reads_as_before(shard, monkeypatch, broken):
    path, places = shard
    expected = read_features(path, places[0], named("c"))
    if broken == "lacks":
        monkeypatch.delattr(os, "posix_fadvise")
    else:

        def refuse(*_):
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(os, "posix_fadvise", refuse)
    prefetch_features([(path, places[0])], named("c"))
    assert read_features(path, places[0], named("c")) == expected


def cut(path):
    os.truncate(path, 700)


def flip(path):
    content = bytearray(Path(path).read_bytes())
    content[40] ^= 4
    Path(path).write_bytes(content)


def folder(path):
    os.unlink(path)
    os.mkdir(path)


@pytest.mark.parametrize("harm", [cut, flip, os.unlink, folder])
@pytest.mark.parametrize("before", [True, False])
def test_damage_is_told_by_whoever_reads_whether_it_came_before_or_behind(shard, harm, before):
    path, places = shard
    every = [(path, place) for place in places]
    if not before:
        prefetch_features(every, named("a"))
        # another time of change than that of the file that was prefetched, on any file system
        time.sleep(0.02)
    harm(path)
    prefetch_features(every, named("a"))
    with pytest.raises((DamagedRecord, FileNotFoundError)) as told:
        read_features(path, places[0], named("a"))
    PREFETCHED.clear()
    with pytest.raises((DamagedRecord, FileNotFoundError)) as alone:
        read_features(path, places[0], named("a"))
    assert type(told.value) is type(alone.value) and str(told.value) == str(alone.value)


def test_records_without_a_table_and_those_in_a_store_are_passed_over(tmp_path):
    import zlib

    record = encode_view(view(0), "train")
    length = len(record).to_bytes(8, "little")
    frame = length + shards.masked(length) + record + shards.masked(record)
    packed = zlib.compress(frame, 0, wbits=31)
    path = tmp_path / "records.tfrecord.gz"
    path.write_bytes(packed)
    place = Place(0, len(packed), zlib.crc32(frame))
    PREFETCHED.clear()
    prefetch_features([("gs://nobody/records.tfrecord.gz", place), (str(path), place)], list)
    assert not PREFETCHED
    assert read_features(str(path), place, named("key"))
