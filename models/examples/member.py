"""Writes and reads a record as a gzip member of its own: stored blocks, not compressed, and in the
member's header a table of the record's features, so that any of them can be read without the
others.

A header's extra field is there for such things (RFC 1952, 2.3.1.1): every reader of gzip passes
over it. The blocks (RFC 1951, 3.2.4) are all of the largest size but the last, so that the place of
a byte of the record can be computed.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import deflate

from models.examples.message import Part

MAGIC = b"\x1f\x8b\x08"
# Flags, time, level and system of a member that says nothing of them, without a table and with one.
PLAIN = b"\x00"
WITH_EXTRA = b"\x04"
NOTHING_SAID = b"\x00\x00\x00\x00\x00\xff"
GZIP_HEADER = 10
# Before a table: the extra field's length, the two letters of its kind, and its own length.
EXTRA = struct.Struct("<H2sH")
KIND = b"TK"
# A table's head: CRC-32 of the content, CRC-32 of what follows it in the table, count of features.
TABLE = struct.Struct("<IIH")
ROW = struct.Struct("<III?")
ROWS_AT = 8  # byte of a table from which on its own checksum counts
# Before the bytes of a stored block: is it the last (bit 0), its length, and the complement.
BLOCK = struct.Struct("<BHH")
LARGEST_BLOCK = 0xFFFF
TRAILER = struct.Struct("<II")  # CRC-32 and length of what a member holds


class Span(NamedTuple):
    """A feature's bytes [start, stop) of the content, their CRC-32, and `Part.alone`."""

    start: int
    stop: int
    crc: int
    alone: bool


@dataclass(frozen=True)
class Table:
    """What a member's header says: how long it is, the CRC-32 of the content, its features, and in
    which row of `spans` each stands.
    """

    header: int
    crc: int
    names: tuple[str, ...]
    rows: Mapping[str, int]
    spans: bytes

    def span(self, name: str) -> Span:
        """Returns where a feature lies. Raises KeyError for one that is not there."""
        return Span._make(ROW.unpack_from(self.spans, ROW.size * self.rows[name]))

    def extent(self, span: Span) -> tuple[int, int]:
        """Returns (first byte, length) of a feature in the member, the heads of blocks in between
        included.
        """
        start, stop, *_ = span
        block = start // LARGEST_BLOCK
        # behind the heads of all blocks up to and with its first
        first = self.header + start + BLOCK.size * (block + 1)
        if start == stop:
            return first, 0
        return first, stop - start + BLOCK.size * ((stop - 1) // LARGEST_BLOCK - block)


def pack(content: bytes, parts: Iterable[Part]) -> bytes:
    """Returns the gzip member of `content`. parts: the features that lie in it."""
    view = memoryview(content)
    crc = deflate.crc32(content)
    table = table_bytes(view, crc, list(parts))
    pieces: list[bytes | memoryview] = [MAGIC, WITH_EXTRA, NOTHING_SAID]
    pieces += [EXTRA.pack(len(table) + 4, KIND, len(table)), table]
    for start in range(0, len(content), LARGEST_BLOCK):
        block = view[start : start + LARGEST_BLOCK]
        last = start + LARGEST_BLOCK >= len(content)
        pieces += [BLOCK.pack(last, len(block), len(block) ^ 0xFFFF), block]
    pieces.append(TRAILER.pack(crc, len(content)))
    return b"".join(pieces)


def table_bytes(content: memoryview, crc: int, parts: Sequence[Part]) -> bytes:
    """Returns the table of a member whose content has the CRC-32 `crc`."""
    rows = [
        ROW.pack(part.start, part.stop, deflate.crc32(content[part.start : part.stop]), part.alone)
        for part in parts
    ]
    names = "\n".join(part.name for part in parts).encode()
    rest = b"".join([TABLE.pack(0, 0, len(rows))[ROWS_AT:], *rows, names])
    return TABLE.pack(crc, deflate.crc32(rest), len(rows))[:ROWS_AT] + rest


def header_length(head: memoryview) -> int:
    """Returns how many bytes stand before the first block of a member. head: its first bytes.
    Raises ValueError for another kind of member.
    """
    start = bytes(head[: len(MAGIC) + 1])
    if start == MAGIC + PLAIN:
        return GZIP_HEADER
    if start == MAGIC + WITH_EXTRA and len(head) >= GZIP_HEADER + EXTRA.size:
        return GZIP_HEADER + 2 + int(EXTRA.unpack_from(head, GZIP_HEADER)[0])
    raise ValueError("no gzip member of a record")


def table_of(head: memoryview, header: int) -> Table | None:
    """Returns the table of a member; None for a member without one. head: its bytes, at least up to
    its first block, before which stand `header`. Raises ValueError for a damaged table.
    """
    start = GZIP_HEADER + EXTRA.size
    if header < start or EXTRA.unpack_from(head, GZIP_HEADER)[1] != KIND:
        return None
    data = bytes(head[start:header])
    if len(data) < TABLE.size:
        raise ValueError("its table of features is cut")
    crc, own, count = TABLE.unpack_from(data)
    rows_end = TABLE.size + count * ROW.size
    if deflate.crc32(memoryview(data)[ROWS_AT:]) != own or rows_end > len(data):
        raise ValueError("its table of features fails its checksum")
    names, rows = features_named(data[rows_end:])
    return Table(header, crc, names, rows, data[TABLE.size : rows_end])


@functools.lru_cache(maxsize=64)
def features_named(text: bytes) -> tuple[tuple[str, ...], Mapping[str, int]]:
    """Returns the names of a table's features, and the row of each; most records have the same."""
    names = tuple(text.decode().split("\n"))
    return names, {name: row for row, name in enumerate(names)}


def without_block_heads(stored: memoryview, start: int) -> Iterator[memoryview]:
    """Yields the content, in pieces, of bytes of a member without the heads of its blocks. start:
    the byte of the content with which `stored` begins.
    """
    left = LARGEST_BLOCK - start % LARGEST_BLOCK
    place = 0
    while place < len(stored):
        yield stored[place : place + left]
        place += left + BLOCK.size
        left = LARGEST_BLOCK


def feature_bytes(stored: memoryview, span: Span) -> bytes:
    """Returns a feature from the bytes at its extent. Raises ValueError if it is not what was
    written.
    """
    if len(stored) == span.stop - span.start:  # no block begins within it
        feature = bytes(stored)
    else:
        feature = b"".join(without_block_heads(stored, span.start))
    if deflate.crc32(feature) != span.crc:
        raise ValueError("it fails its checksum")
    return feature


def stored_blocks(member: memoryview) -> list[memoryview]:
    """Returns what the blocks of a member hold, as views; nothing is copied. Raises ValueError for
    another kind of member, or one whose checksum or length is wrong.
    """
    if len(member) < GZIP_HEADER + TRAILER.size:
        raise ValueError("no gzip member of a record")
    place = header_length(member)
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
    return blocks
