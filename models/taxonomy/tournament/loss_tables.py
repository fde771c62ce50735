"""Reads losses as people write them: a CSV in long form, one line for each transfer and image.
Every error names the file and the line.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from models.taxonomy.joined_names import all_told_apart, cells_of
from models.taxonomy.table_files import number_of
from models.taxonomy.tournament.losses import LossStore
from models.taxonomy.transfer import Transfer

NEEDED = ("target", "sources", "image", "loss")
EXPECTED = "expected a CSV with the columns target, sources, image, loss (control, regime)"
# The losses of one target: transfer -> image -> loss, both in the order of the file.
TargetLosses = dict[Transfer, dict[str, float]]
# The cells that name a line's transfer, as they are in the file: target, sources, regime, control.
Cells = tuple[str, str, str, str]


def store_of(path: Path, folder: Path) -> LossStore:
    """Returns a store in `folder` with the losses of a CSV. A target's test set has the order of
    its first transfer's lines. Raises ValueError that names the file if it is no table of losses,
    if a transfer lacks an image that others of its target have, or if a number is no loss.
    """
    store = LossStore(folder)
    for target, rows in read_losses(path).items():
        try:
            store.set_images(target, list(next(iter(rows.values()))))
            store.extend(rows)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    return store


def read_losses(path: Path) -> dict[str, TargetLosses]:
    """Returns the losses of each target's transfers, by target. Raises ValueError for a file that
    is no table of losses and for a line that is in it twice.
    """
    losses: dict[Cells, dict[str, float]] = {}
    places: dict[Cells, str] = {}
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            check_columns(path, [title.strip() for title in reader.fieldnames or []])
            reader.fieldnames = [title.strip() for title in reader.fieldnames or []]
            for line in reader:
                place = f"{path}, line {reader.line_num}"
                row = cleaned(place, line)
                cells = (row["target"], row["sources"], row["regime"], row["control"])
                places.setdefault(cells, place)
                of_image = losses.setdefault(cells, {})
                if row["image"] in of_image:
                    raise ValueError(
                        f"{place}: the loss of {row['sources'] or row['control']} -> "
                        f"{row['target']} on image {row['image']!r} stands twice; keep one"
                    )
                of_image[row["image"]] = loss_of(place, row["loss"])
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no table of losses ({error}); {EXPECTED}") from error
    if not losses:
        raise ValueError(f"{path} has no line of losses; {EXPECTED}")
    return by_target(losses, places)


def check_columns(path: Path, header: list[str]) -> None:
    """Raises ValueError unless every required column is in the header and none is in it twice."""
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise ValueError(
            f"{path} is no table of losses: its first line lacks {', '.join(missing)}, it has "
            f"{', '.join(header) or 'nothing'}; {EXPECTED}"
        )
    if len(set(header)) < len(header):
        raise ValueError(f"{path} has a column twice: {', '.join(header)}; keep one")


def cleaned(place: str, line: Mapping[str | None, str | list[str] | None]) -> dict[str, str]:
    """Returns the cells of a line, stripped. Raises ValueError for too many cells, and for a line
    without a target or an image.
    """
    if line.get(None):
        raise ValueError(f"{place} has more cells than columns; are decimals written with a comma?")
    row = {name: str(line.get(name) or "").strip() for name in (*NEEDED, "control", "regime")}
    for name in ("target", "image"):
        if not row[name]:
            raise ValueError(f"{place} has no {name}; {EXPECTED}")
    return row


def loss_of(place: str, text: str) -> float:
    """Returns a loss as a number. Raises ValueError if it is none. The store checks later whether
    it is finite and not negative.
    """
    number = number_of(place, "loss", text)
    if number is None:
        raise ValueError(f"{place} has no loss; every transfer is measured on the same images")
    return number


def by_target(
    losses: Mapping[Cells, dict[str, float]], places: Mapping[Cells, str]
) -> dict[str, TargetLosses]:
    """Returns the losses of each target, by transfer, after splitting joined names of sources.
    Raises ValueError.
    """
    targets = frozenset(target for target, *_ in losses)
    cells = [(places[row], cells_of(row[1], targets)) for row in losses]
    tables: dict[str, TargetLosses] = {}
    for (row, values), sources in zip(losses.items(), all_told_apart(cells, targets)):
        target, _, regime, control = row
        try:
            transfer = Transfer(tuple(sources), target, regime, control or None)
        except ValueError as error:
            raise ValueError(f"{places[row]}: {error}") from error
        rows = tables.setdefault(target, {})
        if transfer in rows:
            raise ValueError(f"{places[row]}: {transfer} stands in two spellings; keep one")
        rows[transfer] = values
    return tables
