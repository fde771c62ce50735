"""Bodies in chunks: whatever their sizes, whatever pieces they arrive in, at a bounded price."""

import gzip
import io
import json
import random
import time
import zlib

import numpy as np
import pytest

from serving.server.rest.body_room import Room, Share, UnreadableBodyError
from serving.server.rest.chunks import chunked, unpacked

ROOM = Room()


class Slowly(io.RawIOBase):
    """bytes that arrive in pieces."""

    def __init__(self, data: bytes, pieces) -> None:
        self.data = data
        self.pieces = pieces

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        size = min(next(self.pieces), len(buffer), len(self.data))
        buffer[:size] = self.data[:size]
        self.data = self.data[size:]
        return size


def reader(data: bytes, pieces=None) -> io.BufferedReader:
    return io.BufferedReader(Slowly(data, pieces) if pieces else io.BytesIO(data), 65536)


def in_chunks(body: bytes, sizes, end: bytes = b"\r\n") -> bytes:
    parts = []
    at = 0
    while at < len(body):
        piece = body[at : at + next(sizes)]
        parts += [b"%x" % len(piece), end, piece, end]
        at += len(piece)
    return b"".join(parts) + b"0" + end + end


def repeated(*sizes):
    while True:
        yield from sizes


@pytest.mark.parametrize("seed", range(30))
def test_chunks_of_any_size_in_pieces_of_any_size_are_the_body(seed):
    draw = random.Random(seed)
    body = draw.randbytes(draw.randrange(5000))
    most = draw.choice([1, 2, 3, 70, 1000])
    sizes = iter(lambda: draw.randrange(1, most + 1), 0)
    data = in_chunks(body, sizes, draw.choice([b"\r\n", b"\n"]))
    least = draw.choice([1, 7, 100])
    file = reader(data + b"next", iter(lambda: draw.randrange(1, least + 1), 0))
    assert chunked(file, Share(ROOM)) == body and file.read(4) == b"next", (
        "no byte of the next request is taken"
    )


@pytest.mark.parametrize(
    "data, status",
    [
        (b"zz\r\nab\r\n0\r\n\r\n", 400),
        (b"-1\r\n\r\n", 400),
        (b"3\r\nabcd\r\n0\r\n\r\n", 400),
        (b"3\r\nab", 400),
        (b"", 400),
        (b"3", 400),
        (b"ffffffffff\r\n", 413),
        (b"0x1\r\na\r\n0\r\n\r\n", 400),
        (b"11111111111111111\r\n", 400),
        (b"0\r\n" + b"a: b\r\n" * 40, 400),
        (b"1" + b" " * 100 + b"\r\n", 400),
        (b"1\r\na\r\n1\r\nab\r\n0\r\n\r\n", 400),
    ],
)
def test_broken_chunks_are_refused(data, status):
    with pytest.raises(UnreadableBodyError) as error:
        chunked(reader(data, repeated(1)), Share(ROOM))
    assert error.value.status == status


@pytest.mark.parametrize("sizes, times", [((1,), 4), ((2, 1), 30), ((1, 16), 30)], ids=str)
def test_one_byte_chunks_cost_at_most_four_times_a_plain_body(sizes, times):
    """half a MiB of numbers: read and parsed, beside the same in one piece; the best of three.
    Chunks of unequal sizes have no such bound, but one too.
    """
    body = json.dumps({"inputs": [0.5] * (1 << 17)}).encode()
    data = in_chunks(body, repeated(*sizes))

    def seconds(read) -> float:
        spent = []
        for _ in range(3):
            since = time.process_time()
            json.loads(read())
            spent.append(time.process_time() - since)
        return min(spent)

    plain = seconds(lambda: reader(body).read(len(body)))
    in_pieces = seconds(lambda: chunked(reader(data), Share(ROOM)))
    print(f"{in_pieces / plain:.1f} times a plain body")
    assert in_pieces < times * plain


def test_a_long_packed_body_is_taken_in_pieces():
    """noise does not shrink, so that it goes in by many pieces; zeros shrink to nearly none."""
    noise = np.random.default_rng(0).bytes(5 << 20)
    for body in (noise, bytes(5 << 20), noise + bytes(5 << 20)):
        assert unpacked(gzip.compress(body, 1), Share(ROOM)) == body
    for cut in (-9, -(3 << 20)):
        with pytest.raises(zlib.error):
            unpacked(gzip.compress(noise, 1)[:cut], Share(ROOM))


def test_gzip_is_unpacked_in_bounds():
    assert unpacked(gzip.compress(b"hello" * 1000), Share(ROOM)) == b"hello" * 1000
    for broken in (b"", b"no gzip", gzip.compress(b"hello" * 1000)[:-9]):
        with pytest.raises(zlib.error):
            unpacked(broken, Share(ROOM))
