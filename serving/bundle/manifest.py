"""Writes and checks what a bundle consists of: the SHA-256 of every file, written when it is built.
One flipped byte, a file more or a file less is found by it; who wrote it is told by its signature
(`serving/release/signing.py`).
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from models.provenance.atomic import write_text

# In `assets.extra`, which TensorFlow Serving leaves alone.
MANIFEST = Path("assets.extra") / "manifest.json"
SIGNATURE = Path("assets.extra") / "manifest.sig"
FORMAT = 1
NAMED = 5  # files that an error lists at most


class ManifestError(ValueError):
    """Raised for files that are not what the manifest says."""


def write_manifest(bundle: Path) -> None:
    """Writes the manifest of the files that lie in `bundle` now. A signature of an earlier manifest
    is removed.
    """
    # read in the order that `sort_keys` gives: equal files give an equal manifest
    facts = {"format": FORMAT, "sha256": digests(bundle)}
    # before the new manifest: a signature never stands beside a manifest that it is not of
    (bundle / SIGNATURE).unlink(missing_ok=True)
    write_text(bundle / MANIFEST, json.dumps(facts, indent=1, sort_keys=True) + "\n")


def digests(bundle: Path) -> dict[str, str]:
    """Returns the path below `bundle` -> SHA-256, of every file but the manifest and its signature.
    Raises ManifestError for links and other things that are no plain files: what they stand for may
    change after it was looked at.
    """
    by_path = {}
    for folder, folders, files in os.walk(bundle):
        for name in sorted(folders + files):
            path = Path(folder) / name
            inside = path.relative_to(bundle)
            # `is_symlink` first: the other two follow links
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                raise ManifestError(f"expected files and folders alone, got {inside}")
            if path.is_file() and inside not in (MANIFEST, SIGNATURE):
                # the manifest cannot hold its own digest, and the signature is made of the manifest
                by_path[inside.as_posix()] = digest(path)
    return by_path


def digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_manifest(bundle: str | Path) -> None:
    """Raises ManifestError where there is no manifest, or the files are not those that it names."""
    check_files(Path(bundle), read_manifest(bundle))


def read_manifest(bundle: str | Path) -> bytes:
    """Returns the bytes of a bundle's manifest. Raises ManifestError where there is none."""
    try:
        return (Path(bundle) / MANIFEST).read_bytes()
    except OSError as error:
        raise ManifestError(
            f"{bundle} has no manifest of its files ({MANIFEST}); build it again, or sign it: "
            "`python -m serving sign`"
        ) from error


def check_files(bundle: Path, manifest: bytes) -> None:
    """Raises ManifestError unless the files of `bundle` are those of `manifest`, by name and
    content.
    """
    entries = parse_manifest(manifest)
    present = digests(bundle)
    changed = sorted(
        name for name in entries.keys() & present.keys() if entries[name] != present[name]
    )
    faults = {
        "changed": changed,
        "missing": sorted(entries.keys() - present.keys()),
        "not in the manifest": sorted(present.keys() - entries.keys()),
    }
    text = "; ".join(f"{fault}: {shorten(files)}" for fault, files in faults.items() if files)
    if text:
        raise ManifestError(f"the files of {bundle} are not those of its manifest; {text}")


def parse_manifest(manifest: bytes) -> dict[str, str]:
    """Returns path -> SHA-256 of the files of a manifest. Raises ManifestError for text of another
    form.
    """
    try:
        facts = json.loads(manifest)
        if facts["format"] != FORMAT:
            raise ManifestError(f"expected a manifest of format {FORMAT}, got {facts['format']}")
        return {str(name): str(value) for name, value in facts["sha256"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # a ManifestError is a ValueError: it must not be wrapped into itself
        if isinstance(error, ManifestError):
            raise
        raise ManifestError(f"expected a manifest, JSON with format and sha256: {error}") from error


def shorten(files: list[str]) -> str:
    """Returns the first NAMED names, and how many more there are."""
    rest = len(files) - NAMED
    return ", ".join(files[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
