"""A bundle small enough for tests, made once a run: four sources of random weights, targets of
every kind.
"""

import struct
import zlib
from pathlib import Path

from made_once import made_once
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


def tiny_folder() -> Path:
    """networks, transfers and bundle, which nobody changes."""
    return made_once("tiny_bundle", make_bundle)


def make_bundle(folder: Path) -> Path:
    synthetic_bundle(folder, TINY, SIZE, SUPERVISED, TARGETS)
    return folder


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
