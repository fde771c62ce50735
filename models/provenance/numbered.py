"""Finds the folders that TFX numbers: NODE/OUTPUT/1, 2, ... for an output's artifacts."""

from __future__ import annotations

from pathlib import Path


def newest_with(output: Path, name: str) -> Path | None:
    """Returns the folder below `output` with the highest number that holds a file `name`; None if
    there is none. Other folders, such as TFX's own, are passed over.
    """
    folders = [path.parent for path in output.glob(f"*/{name}") if path.parent.name.isdigit()]
    return max(folders, key=lambda path: int(path.name), default=None)
