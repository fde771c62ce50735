"""Walks what a reader of data sees below a folder: links are followed, hidden names left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def visible_folders(root: str | Path) -> Iterator[tuple[str, list[str]]]:
    """Yields (folder, sorted names of its files) of `root` and all folders below it, in one order
    everywhere; links that lead nowhere are among the files.

    A link to a folder is followed, but not into one that lies on the way to it: a loop ends, and
    what it leads to is seen once already.
    """
    root = os.fspath(root)
    # folder -> the real places of all folders on the way to it, its own included
    ways = {root: frozenset((os.path.realpath(root),))}
    for folder, children, files in os.walk(root, followlinks=True):
        way = ways.pop(folder)
        folders = []
        for name in sorted(name for name in children if not name.startswith(".")):
            below = os.path.join(folder, name)
            place = os.path.realpath(below)
            if place not in way:
                folders.append(name)
                ways[below] = way | {place}
        # in place: `os.walk` goes into what is left in the list
        children[:] = folders
        yield folder, sorted(name for name in files if not name.startswith("."))
