"""Makes the small finished report that the repository carries, from a run: `python -m
models.reports bundle RUN`.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from models.provenance.atomic import atomic_file, write_text
from models.reports.page import render
from models.reports.run_files import Run, load_run
from models.taxonomy.facts import Facts

ROOT = Path(__file__).resolve().parents[2]
PLACE = Path(__file__).resolve().parent / "example"
MOST = 3 << 20  # bytes of page and table together
COLUMNS = ("sources", "target", "regime", "control", "affinity", "gain", "quality", "mean_loss")


def write_example(folder: str | Path, place: Path = PLACE) -> Path:
    """Writes the page and the affinities of the run in `folder` below `place`, and returns the
    page's path.

    Pictures are left out from the end until both files fit into MOST bytes. Raises ValueError for a
    run that is too large without any.
    """
    table = place / "affinities.csv"
    # without the table of amounts, which alone would fill the room
    run = replace(load_run(folder), affinities_path=path_of(table), amounts_path="")
    write_table(table, run.rows)
    room = MOST - table.stat().st_size
    text = fitting_page(run, room)
    write_text(place / "index.html", text)
    return place / "index.html"


def path_of(table: Path) -> str:
    """Returns the path as a command takes it: relative to the repository's root, where commands
    run, or absolute if it lies outside.
    """
    table = table.resolve()
    return str(table.relative_to(ROOT) if table.is_relative_to(ROOT) else table)


def fitting_page(run: Run, room: int) -> str:
    """Returns the page with as many tasks' pictures as fit into `room` bytes. Raises ValueError if
    it is too large without any.
    """
    # four tasks fewer at a time, because every try draws the whole page
    for count in range(len(run.pictures), -1, -4):
        text = render(replace(run, pictures=run.pictures[:count]))
        if len(text.encode()) <= room:
            return text
    text = render(replace(run, pictures=[]))
    if len(text.encode()) > room:
        raise ValueError(
            f"the page of {run.folder} has {len(text.encode())} bytes without pictures, there is "
            f"room for {room}; take a smaller run"
        )
    return text


def write_table(path: Path, rows: list[Facts]) -> None:
    """Writes transfers and controls as a CSV that `models.taxonomy` reads, with numbers in six
    digits.
    """
    with atomic_file(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([written(row.get(name)) for name in COLUMNS] for row in rows)


def written(value: object) -> str:
    if isinstance(value, list):
        return "|".join(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)
