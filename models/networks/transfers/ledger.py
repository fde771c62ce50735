"""The ledger of measured transfers: a folder a target, losses under the content of what they depend
on, appended in whole files.

A transfer depends on its sources' networks, the amount of data, and on what the folder's name
stands for (the labels, settings and code): one more source, order or regime adds rows and touches
none.
"""

from __future__ import annotations

import ast
import hashlib
import json
import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.provenance.seals import file_with_digest, files_with_digest
from models.tasks.arrays import Floats


class TransferLedger:
    """Rows of one target. Keys: JSON text; losses [sample] float32, pages of their files. A segment
    whose bytes are not those of its name is set aside; its rows are measured again.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.rows: dict[str, Floats] = {}
        for path in files_with_digest(self.folder, "segment-", ".npz"):
            self.rows.update(rows_of(path))

    def __contains__(self, key: str) -> bool:
        return key in self.rows

    def __getitem__(self, key: str) -> Floats:
        return self.rows[key]

    def extend(self, rows: Mapping[str, Floats]) -> None:
        """Adds rows, losses [test sample] by key, as one segment, which appears whole or not at
        all. Raises ValueError for losses that are not finite.
        """
        if not rows:
            return
        losses = np.stack(list(rows.values())).astype("float32")
        if not np.isfinite(losses).all():
            faulty_transfers = [key for key, row in zip(rows, losses) if not np.isfinite(row).all()]
            raise ValueError(
                f"{len(faulty_transfers)} of {len(rows)} transfers have losses that are no "
                f"numbers, such as {faulty_transfers[0]}; nothing of them was kept"
            )
        name = hashlib.sha256(json.dumps(sorted(rows)).encode()).hexdigest()[:16]
        with file_with_digest(self.folder, f"segment-{name}", ".npz") as scratch:
            np.savez(scratch, keys=json.dumps(list(rows)), losses=losses)
        # the digest in the file's name is known once it is written
        for path in self.folder.glob(f"segment-{name}-*.npz"):
            self.rows.update(rows_of(path))


def rows_of(segment: Path) -> dict[str, Floats]:
    """Returns key -> losses [sample] of a segment, memory-mapped."""
    with np.load(segment) as file:
        keys = json.loads(str(file["keys"]))
    return dict(zip(keys, memory_mapped(segment, "losses.npy")))


def memory_mapped(path: Path, member: str) -> Any:
    """Memory-maps an array of an uncompressed `.npz`, which numpy does for `.npy` alone."""
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        place = archive.getinfo(member).header_offset
        # The lengths of name and extra field end a member's own header of 30 bytes.
        file.seek(place + 26)
        file.seek(place + 30 + sum(struct.unpack("<HH", file.read(4))))
        magic, length = struct.unpack("<8sH", file.read(10))
        if magic != b"\x93NUMPY\x01\x00":
            raise ValueError(f"{path}: {member} is no array of numpy's format 1.0, got {magic!r}")
        facts = ast.literal_eval(file.read(length).decode())
        return np.memmap(path, facts["descr"], "r", file.tell(), facts["shape"])


def key_of(
    sources: Iterable[tuple[str, str]], regime: str, samples: str, control: str = "", own: str = ""
) -> str:
    """Returns what one row depends on, as text. sources: (name, content address) in order; samples:
    that taught it; own: what else a control depends on.
    """
    return json.dumps([list(map(list, sources)), regime, samples, control, own])
