"""A bundle small enough for tests, made once a process: four sources of random weights, targets of
every kind.
"""

import functools
import struct
import tempfile
import zlib
from pathlib import Path

from synthetic import SIZE
from synthetic_policy import synthetic_bundle
from tiny_store import TINY

SUPERVISED = ["normal", "class_scene", "colorization"]
TARGETS = [
    "normal",
    "class_scene",
    "reshading",
    "depth_zbuffer",
    "principal_curvature",
    "segment_semantic",
    "segment_unsup25d",
    "vanishing_point",
    "fixated_pose",
    "point_matching",
    "egomotion",
]


@functools.cache
def tiny_folder() -> Path:
    """networks, transfers and bundle; thrown away with the process."""
    keep.append(tempfile.TemporaryDirectory())
    synthetic_bundle(Path(keep[-1].name), TINY, SIZE, SUPERVISED, TARGETS)
    return Path(keep[-1].name)


def tiny_bundle() -> Path:
    return tiny_folder() / "bundle"


def bomb(width: int, height: int) -> bytes:
    """a sound PNG header that claims width x height pixels, with no pixels behind it."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 64))
        + chunk(b"IEND", b"")
    )


keep: list = []
