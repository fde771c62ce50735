"""Puts files in two places: by a hard link where the file system allows one, else by a copy."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def linked(source: str | Path, goal: str | Path) -> None:
    """Puts `source`, a file or a folder, at `goal` too; its parent folder is made."""
    source, goal = Path(source), Path(goal)
    if source.is_dir():
        for path in sorted(part for part in source.rglob("*") if part.is_file()):
            linked(path, goal / path.relative_to(source))
        return
    goal.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, goal)
    except OSError:
        shutil.copy2(source, goal)
