"""Seals: the SHA-256 of what was written, beside it, so that damage is found before it is used.

A folder of a ledger carries `seal.json` (file -> size and SHA-256), written before the folder takes
its place; a single file carries its own digest, in its name or around its value. What is not as it
was sealed is set aside under `.damaged`, reported, and counts as never made: whoever asked makes it
again.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from models.provenance.atomic import atomic_folder, partial_path, write_json

SEAL = "seal.json"
DAMAGED = ".damaged"
# file below a folder -> [bytes, SHA-256].
Seal = dict[str, list[Any]]
# Digests of this process by (device, inode, bytes, times of change of content and of inode): a
# linked file is read once. The second time, since programs may set the first.
_KNOWN: dict[tuple[int, int, int, int, int], str] = {}


def sha256_of(path: str | Path) -> str:
    """Returns the SHA-256 of a file as 64 hex digits; it is read as a stream."""
    state = os.stat(path)
    key = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    if key not in _KNOWN:
        with open(path, "rb") as file:
            _KNOWN[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _KNOWN[key]


def seal_of(folder: str | Path) -> Seal:
    """Returns the seal of every file below `folder` except a seal at its top."""
    folder = Path(folder)
    names = sorted(
        os.path.relpath(os.path.join(place, name), folder)
        for place, _, files in os.walk(folder)
        for name in files
    )
    return {
        name: [os.path.getsize(folder / name), sha256_of(folder / name)]
        for name in names
        if name != SEAL
    }


@contextmanager
def sealed_folder(path: str | Path) -> Iterator[Path]:
    """As a context, does what `atomic_folder` does, and adds the seal of all that the block
    wrote.
    """
    with atomic_folder(path) as scratch:
        yield scratch
        write_json(scratch / SEAL, seal_of(scratch))


def reseal(folder: str | Path) -> None:
    """Writes the seal of a folder anew after a file in it was rightly replaced."""
    write_json(Path(folder) / SEAL, seal_of(folder))


def damage_of(folder: str | Path, seal: Seal | None = None) -> list[str]:
    """Returns what is not as sealed, a line a file; empty for a whole folder. Sizes are compared
    first.
    seal: given where it does not lie in the folder itself.
    """
    folder = Path(folder)
    if seal is None:
        try:
            seal = json.loads((folder / SEAL).read_text())
        except (OSError, ValueError) as error:
            return [f"{SEAL} cannot be read ({type(error).__name__})"]
        if seal == {}:  # an artifact may hold nothing, an entry of a ledger does not
            return [f"{SEAL} names no file: the seal is damaged"]
    if not is_seal(seal):
        return ["its seal is damaged: expected file -> [bytes, SHA-256]"]
    faults = []
    for name, (size, digest) in sorted(seal.items()):
        path = folder / name
        try:
            length = path.stat().st_size
            if length != size:
                faults.append(f"{name} has {length} bytes instead of {size}")
            elif sha256_of(path) != digest:
                faults.append(f"{name} holds other bytes than were written")
        except FileNotFoundError:
            faults.append(f"{name} is missing")
        except OSError as error:
            faults.append(f"{name} cannot be read ({error.strerror})")
    return faults


def is_seal(value: object) -> bool:
    """Returns whether a value has the form of a `Seal`."""
    return isinstance(value, dict) and all(
        isinstance(row, list) and len(row) == 2 for row in value.values()
    )


def whole(folder: str | Path, out: TextIO | None = None) -> bool:
    """Returns whether a sealed folder is there, and as it was written. A damaged one is set aside
    and reported.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return False
    faults = damage_of(folder)
    if faults:
        set_aside(folder, "; ".join(faults), out=out)
    return not faults


def set_aside(
    path: str | Path, why: str, *, into: Path | None = None, out: TextIO | None = None
) -> Path:
    """Moves a damaged file or folder into `into` (default: `.damaged` beside it), says so, and
    returns where it is now.
    """
    path = Path(path)
    into = into or path.parent / DAMAGED
    into.mkdir(parents=True, exist_ok=True)
    goal = next(
        place
        # without the leading point: what was set aside is there to be looked at
        for place in (into / f"{path.name.lstrip('.')}-{i}" for i in itertools.count(1))
        if not place.exists()
    )
    os.replace(path, goal)
    print(
        f"  damaged: {path}: {why}; set aside as {goal}, made again",
        file=out or sys.stderr,
        flush=True,
    )
    return goal


@contextmanager
def file_with_digest(folder: str | Path, stem: str, suffix: str) -> Iterator[Path]:
    """As a context, yields the place to write a file that appears as STEM-<SHA-256>SUFFIX in
    `folder`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    scratch = partial_path(folder / f"{stem}{suffix}")
    try:
        yield scratch
        os.replace(scratch, folder / f"{stem}-{sha256_of(scratch)}{suffix}")
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def files_with_digest(
    folder: str | Path, stem: str, suffix: str, out: TextIO | None = None
) -> list[Path]:
    """Returns the whole files of `file_with_digest` whose stem begins with `stem`; others are set
    aside.
    """
    files = []
    for path in sorted(Path(folder).glob(f"{stem}*{suffix}")):
        digest = re.search(r"-([0-9a-f]{64})$", path.name.removesuffix(suffix))
        if digest is None or sha256_of(path) != digest[1]:
            set_aside(path, "holds other bytes than its name says", out=out)
        else:
            files.append(path)
    return files


def write_sealed_json(path: str | Path, value: object) -> None:
    """Writes `value` as JSON with the SHA-256 of its text. Raises TypeError for what JSON cannot
    say.
    """
    text = json.dumps(value)
    # as text and not as a value: its digest is of these very characters
    write_json(path, {"sha256": hashlib.sha256(text.encode()).hexdigest(), "value": text})


def read_sealed_json(path: str | Path, out: TextIO | None = None) -> Any:
    """Returns what `write_sealed_json` wrote; None if there is none, or a damaged one, which is set
    aside.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        text = content["value"]
        if hashlib.sha256(text.encode()).hexdigest() == content["sha256"]:
            return json.loads(text)
        why = "holds other text than was written"
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"is no sealed JSON ({type(error).__name__})"
    set_aside(path, why, out=out)
    return None
