"""Joins the last spans of a pattern into one data set, a folder of links in the published layout,
so that training sees several of the folders that arrived and not the newest alone.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from beam_jobs.ingest import listing, spans, storage
from beam_jobs.ingest.known_bad import read_facts
from beam_jobs.ingest.spans import Span
from models.examples.splits import entry_of, hashed_splits, read_splits, split_list
from models.provenance.atomic import atomic_folder, write_json, write_text
from models.provenance.visible import visible_folders

DESCRIPTIONS = ("splits.csv", "dataset.json")


def last_spans(pattern: str, count: int) -> list[Span]:
    """Returns the newest version of each of the last `count` spans, oldest first; fewer if there
    are fewer.

    Raises ValueError for a pattern without a span, for one that names no folder, and for a count
    below 1.
    """
    if count < 1:
        raise ValueError(f"a window holds 1 or more spans, got {count}")
    spans.check(pattern)
    numbers = sorted({each.span for each in spans.matches(pattern)})
    if not numbers:
        spans.newest(pattern)  # raises, in its words
    return [spans.newest(pattern, span=number) for number in numbers[-count:]]


def write_window(window: Sequence[Span], goal: Path) -> dict[str, str]:
    """Writes links to every file of the spans' buildings below `goal`, which is replaced at once,
    and returns {building: the folder that it is taken from}. Of a building that several spans have,
    the newest is taken, as a whole. Hidden files, and files that vanish meanwhile, are skipped.
    """
    owners: dict[str, str] = {}
    places: dict[str, tuple[str, ...]] = {}
    for span in window:
        for building, trees in listing.buildings(span.root).items():
            # spans come oldest first, so that the newest one with a building owns it
            owners[building], places[building] = span.root, trees
    when = newest_description(window)
    with atomic_folder(goal) as scratch:
        for building, root in owners.items():
            for tree in places[building]:
                below = Path(tree) / building
                link_files(Path(storage.plain(root)) / below, scratch / below)
        write_splits(window, owners, scratch / "splits.csv")
        write_facts(window, owners, scratch / "dataset.json")
        # modification times are part of the pipeline's cache key
        for name in DESCRIPTIONS:
            if (scratch / name).exists():
                os.utime(scratch / name, ns=(when, when))
    return owners


def newest_description(window: Iterable[Span]) -> int:
    """Returns the time, in nanoseconds, at which the last of the spans' own descriptions was
    written, so that the same window, made again, has the same times.
    """
    paths = [Path(storage.plain(span.root)) / name for span in window for name in DESCRIPTIONS]
    return max((path.stat().st_mtime_ns for path in paths if path.exists()), default=0)


def link_files(source: Path, goal: Path) -> None:
    """Makes a hard link to every visible file of `source`, or a symbolic one across file systems:
    the links' times are those of the data.
    """
    for folder, names in visible_folders(source):
        place = goal / os.path.relpath(folder, source)
        place.mkdir(parents=True, exist_ok=True)
        # resolved once for each folder, since the path to it may hold links too
        here = os.path.realpath(folder)
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                link(os.path.join(here, name), place / name)


def link(source: str, goal: Path) -> None:
    """Makes a link to the file that `source` leads to. A link to a link would be read from another
    folder, where relative ones (of git-annex, of DataLad) lead nowhere. A link that is broken
    itself stays broken, so that ingest reports it.
    """
    is_link = os.path.islink(source)
    file = os.path.realpath(source) if is_link else source
    try:
        os.link(file, goal)
    # before OSError, which it is too: a file that has vanished can be linked in neither way
    except FileNotFoundError:
        if not is_link:
            raise
        os.symlink(file, goal)
    except OSError:
        os.symlink(file, goal)


def write_splits(window: Iterable[Span], owners: Mapping[str, str], path: Path) -> None:
    """Writes splits.csv of the buildings, each by the list of its own span; not written where no
    span has one.
    """
    tables = {
        span.root: read_splits(table, storage.read(table))
        for span in window
        if storage.exists(table := storage.join(span.root, "splits.csv"))
    }
    if not tables:
        return
    splits = {}
    for building, root in sorted(owners.items()):
        of_span = tables[root] if root in tables else hashed_splits(owners)
        split = entry_of(of_span, building)
        if split is not None:
            splits[building] = split
    write_text(path, split_list(splits))


def write_facts(window: Iterable[Span], owners: Mapping[str, str], path: Path) -> None:
    """Writes dataset.json: the units of every building; absent is what every span lacks."""
    facts = {span.root: read_facts(span.root) for span in window}
    absent = [each.absent for each in facts.values()]
    bad = {name: why for each in facts.values() for name, why in each.known_bad.items()}
    write_json(
        path,
        {
            "name": "window",
            "absent": sorted(frozenset.intersection(*absent)) if absent else [],
            "depth_units_per_metre": {
                building: facts[root].depth_units(building) for building, root in owners.items()
            },
            "known_bad": bad,
        },
        indent=1,
    )
