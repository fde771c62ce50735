"""Reads bodies of requests: chunks of RFC 9112, and gzip.

A body in one-byte chunks is 18 MiB for 3 MiB of data; read one by one, a million chunks would hold
a thread, and by Python's lock all others, for seconds. So small chunks that have arrived together
are told apart by one regular expression, and cut out at once where all are of one size.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from io import BufferedReader

import numpy as np

from serving.server.rest.body_room import LARGEST_BODY, Share, UnreadableBodyError

LONGEST_LINE = 66  # bytes of a chunk's size with its extension
# up to 16 hexadecimal digits: a chunk's size of 64 bits; a bare LF ends it, too (RFC 9112, 2.2)
SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\n]*)?\r?\n")
MOST_TRAILERS = 32
LONGEST_TRAILER = 8192
# Chunks of 1 to 15 bytes, and as many of them as follow one another.
# sizes are part of the expression: a chunk whose data do not end in CRLF does not match
SMALL = "|".join(rf"[{i:x}{i:X}]\r\n[\s\S]{{{i}}}\r\n" for i in range(1, 16)).encode()
SMALL_CHUNK = re.compile(SMALL)
# possessive: what matched is not tried again another way, which would take quadratic time
SMALL_CHUNKS = re.compile(rb"(?:" + SMALL + rb")++")
HEADER = 3  # bytes of a small chunk's size line; two more end it
MANY = 64  # equal chunks in sequence that are worth a look at all that follow
PIECE = 1 << 20  # bytes of a body at a time


def chunked(file: BufferedReader, share: Share) -> bytes:
    """Returns a body that came in chunks, trailers left out. Raises UnreadableBodyError."""
    body = bytearray()
    while True:
        # what has arrived already, without waiting
        buffered = file.peek()
        # as many chunks as possible at once, then whatever must be waited for
        end, is_last = _whole_chunks(buffered, body)
        file.read(end)
        if not is_last:
            # nothing whole in the buffer: read one chunk, waiting
            is_last = not end and _one_chunk(file, body, share)
        # after each round: a body grows by at most a buffer before it is judged
        if len(body) > LARGEST_BODY:
            raise UnreadableBodyError(413, f"at most {LARGEST_BODY} bytes are read")
        share.hold(len(body))
        if is_last:
            _skip_trailers(file)
            return bytes(body)


def _whole_chunks(buffered: bytes, body: bytearray) -> tuple[int, bool]:
    """Appends the data of all chunks that lie whole in `buffered` and returns (where they end,
    whether the last one was there).
    """
    at = 0
    while True:
        if SMALL_CHUNK.match(buffered, at):
            at = _small_chunks(buffered, at, body)
        header = SIZE.match(buffered, at)
        if not header:
            break
        size = int(header[1], 16)
        start = header.end()
        if not size:
            return start, True
        end = start + size
        # its data are not all there yet: it is left for `_one_chunk`
        if end + 2 > len(buffered):
            break
        if buffered[end : end + 2] == b"\r\n":
            at = _append(body, buffered[start:end], end + 2)
        # a bare LF, as the specification allows to read
        elif buffered[end : end + 1] == b"\n":
            at = _append(body, buffered[start:end], end + 1)
        else:
            raise UnreadableBodyError(400, "a chunk is not of the size that it claims")
    return at, False


def _append(body: bytearray, data: bytes, end: int) -> int:
    body += data
    return end


def _small_chunks(buffered: bytes, at: int, body: bytearray) -> int:
    """Appends the data of the small chunks from `at`, of which there is one at least, and returns
    where they end.
    """
    size = int(buffered[at : at + 1], 16)
    length = HEADER + size + 2
    count = _equal_chunks(buffered, at, length)
    if count:
        # one table of bytes: the data of all chunks are cut out by one copy
        table = np.frombuffer(buffered, np.uint8, count * length, at).reshape(count, length)
        body += table[:, HEADER:-2].tobytes()
        return at + count * length
    # bounded: the expression runs under Python's lock
    run = SMALL_CHUNKS.match(buffered, at, at + MANY * length)
    end = run.end() if run else at + length
    chunks = SMALL_CHUNK.findall(buffered, at, end)
    body += b"".join([chunk[HEADER:-2] for chunk in chunks])
    return end


def _equal_chunks(buffered: bytes, at: int, length: int) -> int:
    """Returns how many chunks from `at` have the same size line and end in CRLF; 0 for fewer than
    MANY.

    Looks farther only as long as all are equal: what it costs is what it finds.
    """
    look = MANY
    most = (len(buffered) - at) // length
    if most < look:
        return 0
    if not _all_equal(buffered, at, length, look):
        # cheap where chunks are not equal
        return 0
    while look < most:
        # eight times as far: looks at equal chunks cost an eighth more than one look
        look = min(look * 8, most)
        if not _all_equal(buffered, at, length, look):
            table = np.frombuffer(buffered, np.uint8, look * length, at).reshape(look, length)
            same = (table[:, :HEADER] == table[0, :HEADER]).all(1)
            same &= (table[:, -2] == 13) & (table[:, -1] == 10)
            return int(np.argmin(same))
    return most


def _all_equal(buffered: bytes, at: int, length: int, count: int) -> bool:
    """Returns whether `count` chunks from `at` have the size line and the end of the first. Column
    by column: a slice and a comparison each, without a loop over the chunks.
    """
    return all(
        buffered[at + i : at + count * length : length] == buffered[at + i : at + i + 1] * count
        for i in (*range(HEADER), length - 2, length - 1)
    )


def _one_chunk(file: BufferedReader, body: bytearray, share: Share) -> bool:
    """Appends a chunk of which only a part has arrived and returns whether it was the last one."""
    line = file.readline(LONGEST_LINE)
    header = SIZE.fullmatch(line)
    if not header:
        raise UnreadableBodyError(400, "expected the size of a chunk, in hexadecimal digits")
    size = int(header[1], 16)
    # by the size that it claims, before a byte is read
    if len(body) + size > LARGEST_BODY:
        raise UnreadableBodyError(413, f"at most {LARGEST_BODY} bytes are read")
    if not size:
        return True
    length = len(body) + size
    for data in pieces(file, size, share, len(body)):
        body += data
    if len(body) < length or file.readline(3) not in (b"\r\n", b"\n"):
        raise UnreadableBodyError(400, "a chunk is not of the size that it claims")
    return False


def pieces(file: BufferedReader, size: int, share: Share, before: int = 0) -> Iterator[bytes]:
    """Yields `size` bytes of a body as they arrive, or as many as come before the end; `before`
    bytes of it are held already. Raises UnreadableBodyError.
    """
    end = before + size
    while before < end:
        count = min(end - before, PIECE)
        # before they are read: what arrives counts, not what a stranger claims
        share.hold(before + count)
        data = file.read(count)
        yield data
        before += count
        if len(data) < count:
            return


def _skip_trailers(file: BufferedReader) -> None:
    # trailers are passed over: nothing that we answer depends on them
    for _ in range(MOST_TRAILERS):
        if file.readline(LONGEST_TRAILER) in (b"\r\n", b"\n", b""):
            return
    raise UnreadableBodyError(400, "the trailer does not end")


def unpacked(data: bytes, share: Share) -> bytes:
    """Returns the content of a gzip body. It is unpacked in pieces: zlib's own buffer would double
    beyond the limit before it is reached. Raises zlib.error, UnreadableBodyError.
    """
    # 31: gzip's header and check, with zlib's largest window
    unpacking = zlib.decompressobj(31)
    parts = []
    total = 0
    at = 0
    rest: bytes | memoryview = b""
    view = memoryview(data)
    while not unpacking.eof:
        # in pieces also as it goes in: what is left over is copied each time
        if not rest:
            rest = view[at : at + PIECE]
            at += len(rest)
        # a piece at a time, counted: a small body may unpack to gigabytes
        parts.append(unpacking.decompress(rest, PIECE))
        total += len(parts[-1])
        rest = unpacking.unconsumed_tail
        if total > LARGEST_BODY:
            raise zlib.error(f"it unpacks to more than {LARGEST_BODY} bytes")
        share.hold(len(data) + total)
        # nothing came and nothing is left: the end is missing
        if not parts[-1] and not rest and at == len(data):
            raise zlib.error("it is cut short")
    return b"".join(parts)
