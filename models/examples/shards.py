"""Files of records that are read both ways: from the first record to the last, as every TFRecord
reader does, and one record by its place.

A shard is a `.tfrecord.gz` whose records are gzip members of their own, without compression (PNGs
do not shrink twice). Members one after the other are one gzip stream (RFC 1952), so TFX reads the
file, and a member, or some features of it, can be read alone and checked against its checksum.
Decision 0008 has the figures.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import functools
import gzip
import os
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import deflate
import google_crc32c

from models.examples import member
from models.examples.message import Choice, Part, features_of, parts_of, value_of
from models.provenance.stores import MOUNTED, STORES, here

# Before a record its length (uint64) and a checksum of that, after it one of the record.
LENGTH = struct.Struct("<Q")
HEADER = 12
FOOTER = 4
# Bytes of a member that are read before it is known how long its table is; tables take some 560.
HEAD = 1024
# Tables of records that were prefetched and not read since, the last ones, 1 KB each. Threads share
# them: each change is one call, which nothing interrupts.
PREFETCHED: collections.OrderedDict[tuple[Key, Place], member.Table] = collections.OrderedDict()
MOST_PREFETCHED = 1024


class DamagedRecord(ValueError):
    """Raised where a record is not what was written there."""


class Place(NamedTuple):
    """Where a record lies in its shard: bytes [offset, offset + length), and their CRC-32."""

    offset: int
    length: int
    crc: int


class Key(NamedTuple):
    """What tells a file from another in its place."""

    path: str
    inode: int
    changed: int


class ShardWriter:
    """A shard that is being written; made by `shard_writer`."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def write(self, record: bytes) -> Place:
        """Adds a serialised tf.train.Example and returns where it lies."""
        length = LENGTH.pack(len(record))
        frame = b"".join([length, masked(length), record, masked(record)])
        packed = member.pack(frame, parts_in_frame(record))
        crc = member.TRAILER.unpack(packed[-member.TRAILER.size :])[0]
        place = Place(self.file.tell(), len(packed), crc)
        self.file.write(packed)
        return place


def parts_in_frame(record: bytes) -> list[Part]:
    """Returns the features of a record, placed in its frame, that is, behind the record's
    length.
    """
    return [
        Part(name, HEADER + start, HEADER + stop, alone)
        for name, start, stop, alone in parts_of(record)
    ]


@contextlib.contextmanager
def shard_writer(path: str | Path) -> Iterator[ShardWriter]:
    """As a context, writes the shard `path`."""
    with open(path, "wb") as file:
        yield ShardWriter(file)


def shards_below(folder: str) -> list[str]:
    """Returns the paths of all shards of a split's folder, in order; [] for a folder that is not
    there.
    """
    local = here(folder.removeprefix("file://"))
    if "://" not in local:
        return sorted(map(str, Path(local).glob("*.tfrecord.gz")))
    import tensorflow as tf

    return sorted(tf.io.gfile.glob(f"{folder}/*.tfrecord.gz"))


def records_of(path: str) -> Iterator[bytes]:
    """Yields the serialised views of one shard, from the first to the last. Raises DamagedRecord,
    which names the shard, and FileNotFoundError if it is not there.
    """
    local = here(path.removeprefix("file://"))
    read = remote_records if "://" in local else local_records
    count = 0
    try:
        for record in read(local):
            count += 1
            yield record
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, "the shard is missing", path) from error
    except IsADirectoryError as error:
        raise no_file(path) from error
    except (EOFError, zlib.error, gzip.BadGzipFile, DamagedRecord) as error:
        raise DamagedRecord(
            f"{path}: damaged after record {count} ({error}); copy the shard anew, or ingest again"
        ) from error


def local_records(path: str) -> Iterator[bytes]:
    """Yields the records of a file on this machine, every checksum looked at, without
    TensorFlow.
    """
    with gzip.open(path, "rb") as file:
        while header := file.read(HEADER):
            length = LENGTH.unpack_from(header.ljust(HEADER))[0]
            if len(header) < HEADER or masked(header[:8]) != header[8:]:
                raise DamagedRecord("the length of the next record is cut or changed")
            record = file.read(length)
            if len(record) < length or masked(record) != file.read(FOOTER):
                raise DamagedRecord("the next record is cut or changed")
            yield record


def masked(data: bytes) -> bytes:
    """Returns the checksum that TFRecord files have: CRC-32C, turned and shifted."""
    crc = google_crc32c.value(data)
    turned = (crc >> 15 | crc << 17) + 0xA282EAD8
    return struct.pack("<I", turned & 0xFFFFFFFF)


def remote_records(path: str) -> Iterator[bytes]:
    """Yields the records of a file in a store that TensorFlow knows."""
    import tensorflow as tf

    if not tf.io.gfile.exists(path):
        raise FileNotFoundError(path)
    try:
        yield from tf.data.TFRecordDataset([path], "GZIP").as_numpy_iterator()
    except (tf.errors.DataLossError, tf.errors.OutOfRangeError) as error:
        raise DamagedRecord(error.message.splitlines()[0]) from error


def read_record(path: str, place: Place) -> bytes:
    """Returns the record at a place of the shard `path`, by one read. Raises DamagedRecord if it is
    not the one that was written, FileNotFoundError for a shard that is gone.
    """
    (stored,) = read_places(path, place, [(0, place.length)])
    try:
        blocks = member.stored_blocks(stored)
        # others read by the table: a damaged one is seen by all
        member.table_of(stored, member.header_length(stored))
    except ValueError as error:
        raise damaged(path, place, f"is damaged ({error})") from error
    crc, size = member.TRAILER.unpack(stored[-member.TRAILER.size :])
    if crc != place.crc:
        raise another(path, place)
    if len(blocks[0]) < HEADER or size < HEADER + FOOTER:
        raise damaged(path, place, f"holds {size} bytes, no record")
    length = LENGTH.unpack_from(blocks[0])[0]
    blocks[0] = blocks[0][HEADER:]
    record = b"".join(blocks)[:-FOOTER] if len(blocks[-1]) < FOOTER else joined(blocks)
    if length != len(record):
        raise damaged(path, place, f"says another length than its {len(record)} bytes")
    return record


def joined(blocks: list[memoryview]) -> bytes:
    """Returns what stands in blocks before the footer, copied once."""
    blocks[-1] = blocks[-1][:-FOOTER]
    return b"".join(blocks)


def read_features(path: str, place: Place, choose: Choice) -> dict[str, Any]:
    """Returns name -> feature of those features that `choose` takes, from the record at a place of
    the shard `path`: the feature's message, or the bytes alone if they are all that it holds.
    Nothing else of the record is read: its table, then what is chosen, each checked against its own
    checksum. A record in a store, or of earlier code, is read as a whole. Raises DamagedRecord and
    FileNotFoundError as `read_record` does.
    """
    local = here(path.removeprefix("file://"))
    if "://" in local:
        return whole_features(path, place, choose)
    try:
        file = opened_now(local)
    except FileNotFoundError as error:
        raise missing(path, error) from error
    table = PREFETCHED.pop((file.key, place), None) or read_table(path, place, file)
    if table is None:
        return whole_features(path, place, choose)
    chosen = choose(table.names)
    spans = [table.span(name) for name in chosen]
    stored = places_in(file, path, place, [table.extent(span) for span in spans])
    try:
        parts = [member.feature_bytes(part, span) for part, span in zip(stored, spans)]
    except ValueError as error:
        raise damaged(path, place, f"is damaged ({error})") from error
    return {name: value_of(data, span.alone) for name, data, span in zip(chosen, parts, spans)}


def prefetch_features(records: Sequence[tuple[str, Place]], choose: Choice) -> None:
    """Has the system fetch what `read_features` will read of some records (path, place), and waits
    for their tables alone. It is held by the system, in pages that it may drop. Records in a store,
    and those that cannot be read, are passed over: `read_features` says what is wrong.
    """
    files = []
    for path, place in records:
        local = here(path.removeprefix("file://"))
        with contextlib.suppress(OSError):
            if "://" not in local:
                files.append((path, place, opened_now(local)))
    # of all records before the first is waited for: a disk has many at the same time
    for _, place, file in files:
        file.prefetch(place.offset, min(HEAD, place.length))
    for path, place, file in files:
        with contextlib.suppress(OSError, ValueError):
            table = read_table(path, place, file)
            if table is None:
                file.prefetch(place.offset, place.length)
                continue
            PREFETCHED[file.key, place] = table
            if len(PREFETCHED) > MOST_PREFETCHED:
                PREFETCHED.popitem(last=False)
            for name in choose(table.names):
                first, length = table.extent(table.span(name))
                file.prefetch(place.offset + first, length)


def whole_features(path: str, place: Place, choose: Choice) -> dict[str, Any]:
    """Returns what `read_features` does, of a record that is read as a whole."""
    features = features_of(read_record(path, place))
    return {name: features[name] for name in choose(tuple(features))}


def read_table(path: str, place: Place, file: Descriptor | None = None) -> member.Table | None:
    """Returns what the record at a place says of its features; None for a record of earlier code,
    which has no table. file: the shard `path`, where it is open.
    """
    (head,) = places_in(file, path, place, [(0, min(HEAD, place.length))])
    try:
        header = member.header_length(head)
        if header > len(head):
            (head,) = places_in(file, path, place, [(0, min(header, place.length))])
        table = member.table_of(head, header)
    except ValueError as error:
        raise damaged(path, place, f"is damaged ({error})") from error
    if table is not None and table.crc != place.crc:
        raise another(path, place)
    return table


def leads_to(table: member.Table, record: bytes) -> bool:
    """Returns whether a table lists exactly the features of a record, byte by byte."""
    parts = parts_in_frame(record)
    crcs = [deflate.crc32(record[part.start - HEADER : part.stop - HEADER]) for part in parts]
    spans = [member.Span(part.start, part.stop, crc, part.alone) for part, crc in zip(parts, crcs)]
    names = [part.name for part in parts]
    return names == list(table.names) and spans == list(map(table.span, names))


def damaged(path: str, place: Place, what: str) -> DamagedRecord:
    return DamagedRecord(
        f"{path}: the record at byte {place.offset} {what}; copy the shard anew, or ingest again"
    )


def no_file(path: str) -> DamagedRecord:
    return DamagedRecord(
        f"{path} is a folder in a shard's place; remove it, and copy the shard anew or ingest again"
    )


def another(path: str, place: Place) -> DamagedRecord:
    return damaged(path, place, "is not the one that the index lists (another checksum)")


def read_places(path: str, place: Place, extents: Sequence[tuple[int, int]]) -> list[memoryview]:
    """Returns the bytes at each (first, length) of a member, in views that hold until this thread
    reads again. Raises DamagedRecord for a member that is cut, FileNotFoundError for a shard that
    is gone.
    """
    try:
        parts = read_bytes(path, [(place.offset + first, length) for first, length in extents])
    except FileNotFoundError as error:
        raise missing(path, error) from error
    except IsADirectoryError as error:
        raise no_file(path) from error
    return uncut(parts, path, place, extents)


def places_in(
    file: Descriptor | None, path: str, place: Place, extents: Sequence[tuple[int, int]]
) -> list[memoryview]:
    """Returns what `read_places` does, from the shard `path` that is open, if it is."""
    if file is None:
        return read_places(path, place, extents)
    try:
        parts = file.read([(place.offset + first, length) for first, length in extents])
    except IsADirectoryError as error:
        raise no_file(path) from error
    return uncut(parts, path, place, extents)


def uncut(
    parts: list[memoryview], path: str, place: Place, extents: Sequence[tuple[int, int]]
) -> list[memoryview]:
    """Returns the parts as they are. Raises DamagedRecord unless each has its length."""
    if any(len(part) != length for part, (_, length) in zip(parts, extents)):
        raise damaged(path, place, "is cut")
    return parts


def missing(path: str, error: FileNotFoundError) -> FileNotFoundError:
    return FileNotFoundError(
        error.errno, "the shard is missing: copy it anew, or ingest again", path
    )


def read_bytes(path: str, extents: Sequence[tuple[int, int]]) -> list[memoryview]:
    """Returns the bytes at each (offset, length) of a file on this machine, in a store that is
    mounted here, or in one that TensorFlow knows; they hold until this thread reads again. Raises
    OSError for a store that is neither.
    """
    path = here(path.removeprefix("file://"))
    if "://" not in path:
        return opened_now(path).read(extents)
    import tensorflow as tf

    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            return [memoryview(bytes_at(file, *extent)) for extent in extents]
    except tf.errors.NotFoundError as error:
        raise FileNotFoundError(2, "no such file", path) from error
    except tf.errors.UnimplementedError as error:
        raise OSError(
            f"cannot read {path}: TensorFlow does not know this kind of store; mount it, and say "
            f"where: {MOUNTED}=DIR ({', '.join(f'{a} at DIR/{b}' for a, b in STORES.items())})"
        ) from error


def bytes_at(file: Any, offset: int, length: int) -> bytes:
    """Returns bytes of a file that TensorFlow has opened."""
    file.seek(offset)
    part: bytes = file.read(length)
    return part


READING = threading.local()


def buffer(length: int) -> memoryview:
    """Returns `length` bytes that this thread reads into again and again: a fresh buffer costs the
    system, which clears its pages, more than reading into it.
    """
    if len(getattr(READING, "bytes", b"")) < length:
        READING.bytes = bytearray(length + length // 2)
    return memoryview(READING.bytes)[:length]


class Descriptor:
    """An open file, closed when nothing refers to it any more."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.number = os.open(key.path, os.O_RDONLY)

    def read(self, extents: Sequence[tuple[int, int]]) -> list[memoryview]:
        """Returns the bytes at each (offset, length), which hold until this thread reads again."""
        goal = buffer(sum([length for _, length in extents]))
        parts = []
        place = 0
        for offset, length in extents:
            part = goal[place : place + length]
            # preadv moves no position: threads share the descriptor
            count = os.preadv(self.number, [part], offset)
            parts.append(part if count == length else part[:count])
            place += length
        return parts

    def prefetch(self, offset: int, length: int) -> None:
        """Has the system fetch bytes, if it does such things, and does not wait for them."""
        # a file system may refuse; not every system has the call
        with contextlib.suppress(OSError, AttributeError):
            os.posix_fadvise(self.number, offset, length, os.POSIX_FADV_WILLNEED)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        # by its own name: when the interpreter ends, `os` may be gone before this is
        close(self.number)


def opened_now(path: str) -> Descriptor:
    """Returns the open file that lies at `path` now. Raises FileNotFoundError."""
    status = os.stat(path)
    return opened(path, status.st_ino, status.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def opened(path: str, inode: int, changed: int) -> Descriptor:
    """Returns the open file at `path`, kept from call to call. inode, changed: of the file, so that
    another file in its place is opened anew.
    """
    return Descriptor(Key(path, inode, changed))
