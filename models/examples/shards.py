"""Files of records that are read both ways: from the first to the last, as every TFRecord reader
does, and one record by its place.

A shard is a `.tfrecord.gz` whose records are gzip members of their own, without compression (PNGs
do not shrink twice): members one after the other are one gzip stream (RFC 1952), so that TFX reads
the file, and a member can be read alone, held against its checksum. Decision 0008 has the figures.
"""

from __future__ import annotations

import errno
import functools
import gzip
import os
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import deflate
import google_crc32c

from models.provenance.stores import MOUNTED, STORES, here

GZIP = 31  # of zlib: a gzip frame with the largest window
# Before a record its length (uint64) and a checksum of that, after it one of the record.
LENGTH = struct.Struct("<Q")
HEADER = 12
FOOTER = 4
TRAILER = struct.Struct("<II")  # of a gzip member: CRC-32 and length of what it holds
# Of a member without a name, a comment or the like; then come time, level and system.
PLAIN_MEMBER = b"\x1f\x8b\x08\x00"
GZIP_HEADER = 10
# Before the bytes of a stored block: is it the last (bit 0), its length, and the complement.
BLOCK = struct.Struct("<BHH")


class DamagedRecord(ValueError):
    """A record is not what was written there."""


class Place(NamedTuple):
    """Where a record lies in its shard: bytes [offset, offset + length), and their CRC-32."""

    offset: int
    length: int
    crc: int


class ShardWriter:
    """A shard that is being written; made by `shard_writer`."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def write(self, record: bytes) -> Place:
        """add a serialised tf.train.Example; where it lies."""
        length = LENGTH.pack(len(record))
        frame = b"".join([length, masked(length), record, masked(record)])
        member = zlib.compress(frame, 0, GZIP)
        place = Place(self.file.tell(), len(member), TRAILER.unpack(member[-8:])[0])
        self.file.write(member)
        return place


@contextmanager
def shard_writer(path: str | Path) -> Iterator[ShardWriter]:
    """writes the shard `path`."""
    with open(path, "wb") as file:
        yield ShardWriter(file)


def shards_below(folder: str) -> list[str]:
    """the paths of all shards of a split's folder, in order; [] for a folder that is not there."""
    local = here(folder.removeprefix("file://"))
    if "://" not in local:
        return sorted(map(str, Path(local).glob("*.tfrecord.gz")))
    import tensorflow as tf

    return sorted(tf.io.gfile.glob(f"{folder}/*.tfrecord.gz"))


def records_of(path: str) -> Iterator[bytes]:
    """the serialised views of one shard, from the first to the last. Raises DamagedRecord, which
    names it, FileNotFoundError for one that is not there.
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
    except (EOFError, zlib.error, gzip.BadGzipFile, DamagedRecord) as error:
        raise DamagedRecord(
            f"{path}: damaged after record {count} ({error}); copy the shard anew, or ingest again"
        ) from error


def local_records(path: str) -> Iterator[bytes]:
    """the records of a file of this machine, every checksum looked at, without TensorFlow."""
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
    """the checksum that TFRecord files have: CRC-32C, turned and shifted."""
    crc = google_crc32c.value(data)
    turned = (crc >> 15 | crc << 17) + 0xA282EAD8
    return struct.pack("<I", turned & 0xFFFFFFFF)


def remote_records(path: str) -> Iterator[bytes]:
    """the records of a file in a store that TensorFlow knows."""
    import tensorflow as tf

    if not tf.io.gfile.exists(path):
        raise FileNotFoundError(path)
    try:
        yield from tf.data.TFRecordDataset([path], "GZIP").as_numpy_iterator()
    except (tf.errors.DataLossError, tf.errors.OutOfRangeError) as error:
        raise DamagedRecord(error.message.splitlines()[0]) from error


def read_record(path: str, place: Place) -> bytes:
    """the record at a place of the shard `path`, by one read. Raises DamagedRecord if it is not the
    one that was written, FileNotFoundError for a shard that is gone.
    """
    try:
        member = read_bytes(path, place.offset, place.length)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            error.errno, "the shard is missing: copy it anew, or ingest again", path
        ) from error
    if len(member) != place.length:
        raise damaged(path, place, "is cut")
    try:
        blocks = stored_blocks(member)
    except ValueError as error:
        raise damaged(path, place, f"is damaged ({error})") from error
    crc = TRAILER.unpack(member[-TRAILER.size :])[0]
    if crc != place.crc:
        raise damaged(path, place, "is not the one that the index lists (another checksum)")
    length = LENGTH.unpack_from(blocks[0])[0]
    blocks[0] = blocks[0][HEADER:]
    record = b"".join(blocks)[:-FOOTER] if len(blocks[-1]) < FOOTER else joined(blocks)
    if length != len(record):
        raise damaged(path, place, f"says another length than its {len(record)} bytes")
    return record


def joined(blocks: list[memoryview]) -> bytes:
    """what stands in blocks before the footer, copied once."""
    blocks[-1] = blocks[-1][:-FOOTER]
    return b"".join(blocks)


def stored_blocks(member: memoryview) -> list[memoryview]:
    """what the blocks of a gzip member hold that are stored, not compressed (RFC 1951, 3.2.4), as
    `ShardWriter` writes them; nothing is copied. Raises ValueError for another member, or one whose
    checksum or length is wrong.
    """
    if len(member) < GZIP_HEADER + TRAILER.size or bytes(member[:4]) != PLAIN_MEMBER:
        raise ValueError("no gzip member of a record")
    place = GZIP_HEADER
    end = len(member) - TRAILER.size
    blocks = []
    crc = size = last = 0
    while not last:
        if place + BLOCK.size > end:
            raise ValueError("its last block is missing")
        kind, length, complement = BLOCK.unpack_from(member, place)
        last = kind & 1
        place += BLOCK.size
        if kind > 1 or length ^ complement != 0xFFFF or place + length > end:
            raise ValueError("a block is not as it was stored")
        block = member[place : place + length]
        crc = deflate.crc32(block, crc)  # libdeflate's, a tenth of zlib's time
        size += length
        place += length
        blocks.append(block)
    if place != end or (crc, size) != TRAILER.unpack(member[end:]):
        raise ValueError("it fails its checksum")
    if len(blocks[0]) < HEADER or size < HEADER + FOOTER:
        raise ValueError(f"it holds {size} bytes, no record")
    return blocks


def damaged(path: str, place: Place, what: str) -> DamagedRecord:
    return DamagedRecord(
        f"{path}: the record at byte {place.offset} {what}; copy the shard anew, or ingest again"
    )


def read_bytes(path: str, offset: int, length: int) -> memoryview:
    """`length` bytes of a file of this machine, of a store that is mounted here, or of one that
    TensorFlow knows, until this thread reads the next. Raises OSError for a store that is neither.
    """
    path = here(path.removeprefix("file://"))
    if "://" not in path:
        status = os.stat(path)
        kept = opened(path, status.st_ino, status.st_mtime_ns)
        # preadv moves no position: threads share the descriptor
        goal = buffer(length)
        return goal[: os.preadv(kept.number, [goal], offset)]
    import tensorflow as tf

    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            file.seek(offset)
            return memoryview(file.read(length))
    except tf.errors.NotFoundError as error:
        raise FileNotFoundError(2, "no such file", path) from error
    except tf.errors.UnimplementedError as error:
        raise OSError(
            f"cannot read {path}: TensorFlow does not know this kind of store; mount it, and say "
            f"where: {MOUNTED}=DIR ({', '.join(f'{a} at DIR/{b}' for a, b in STORES.items())})"
        ) from error


READING = threading.local()


def buffer(length: int) -> memoryview:
    """`length` bytes that this thread reads into again and again: a fresh buffer costs more to the
    system, which clears its pages, than reading into it.
    """
    if len(getattr(READING, "bytes", b"")) < length:
        READING.bytes = bytearray(length + length // 2)
    return memoryview(READING.bytes)[:length]


class Descriptor:
    """An open file, closed when nobody knows it any more."""

    def __init__(self, path: str) -> None:
        self.number = os.open(path, os.O_RDONLY)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        # by its own name: when the interpreter ends, `os` may be gone before this is
        close(self.number)


@functools.lru_cache(maxsize=64)
def opened(path: str, inode: int, changed: int) -> Descriptor:
    """inode, changed: of the file, so that another in its place is opened anew."""
    return Descriptor(path)
