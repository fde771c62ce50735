"""Reads affinity tables as people write them. Every error names the file and the line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

from models.taxonomy.facts import Facts
from models.taxonomy.joined_names import FORM, all_told_apart, cells_of

NEEDED = ("sources", "target", "affinity")
NAMES = ("target", "regime", "control")
# the fields of `affinities.Spread`; the point estimate is the row's own
SPREADS = (
    "affinity_low",
    "affinity_high",
    "affinity_expected",
    "gain_low",
    "gain_high",
    "quality_low",
    "quality_high",
    "rank_low",
    "rank_high",
)
NUMBERS = ("affinity", "gain", "quality", "mean_loss", *SPREADS)
EXPECTED = "expected rows of sources, target, affinity, ..."
MELTED = (
    "; if it is a matrix, write a row a transfer, in pandas matrix.rename_axis('sources')"
    ".reset_index().melt('sources', var_name='target', value_name='affinity') where its rows are "
    "the sources"
)
SUFFIXES = (".csv", ".json", ".pkl")  # released results only, for .pkl


def read_entries(path: Path) -> tuple[list[tuple[str, Facts]], Facts]:
    """Returns ([(place in words, entry of one row)], diagnostics) of a .csv file, or of any other
    file read as JSON. Names are stripped, numbers are as in the file. Raises ValueError that names
    the file if it holds no table.
    """
    suffix = path.suffix.lower()
    try:
        entries, diagnostics = read_csv(path) if suffix == ".csv" else read_json(path)
    except (csv.Error, json.JSONDecodeError, UnicodeDecodeError) as error:
        hint = ""
        if suffix not in SUFFIXES:
            # other suffixes are read as JSON, which nobody who saved a table as .txt or .tsv
            # expects
            hint = f"; tables are read by their suffix, one of {', '.join(SUFFIXES)}"
        raise ValueError(f"{path} is no affinity table ({error}); {EXPECTED}{hint}") from error
    return with_sources(entries), diagnostics


def with_sources(entries: Sequence[tuple[str, Facts]]) -> list[tuple[str, Facts]]:
    """Returns the entries with "sources" as a list in which each name is one source. Sources given
    as text are read as a cell of a CSV. Raises ValueError for a name that looks joined of others
    (`told_apart`).
    """
    targets = frozenset(entry["target"] for _, entry in entries)
    cells = [
        (place, cells_of(value, targets) if isinstance(value, str) else value)
        for place, value in ((place, entry["sources"]) for place, entry in entries)
    ]
    return [
        (place, {**entry, "sources": sources})
        for (place, entry), sources in zip(entries, all_told_apart(cells, targets))
    ]


def read_csv(path: Path) -> tuple[list[tuple[str, Facts]], Facts]:
    """Returns the entries of a CSV, with sources as text, and empty diagnostics. Raises
    ValueError.
    """
    entries: list[tuple[str, Facts]] = []
    with open(path, newline="", encoding="utf-8-sig") as file:  # Excel writes a byte order mark
        reader = csv.reader(file)
        header = [title.strip() for title in next(reader, [])]
        check_header(path, header)
        for cells in reader:
            values = [cell.strip() for cell in cells]
            # spreadsheets leave lines of spaces or commas alone
            if not any(values):
                continue
            place = f"{path}, line {reader.line_num}"
            if len(values) > len(header):
                raise ValueError(
                    f"{place} has {len(values)} cells, and there are {len(header)} columns; are "
                    "decimals written with a comma?"
                )
            # missing cells of a short line are empty
            entry: Facts = dict.fromkeys(header, "") | dict(zip(header, values))
            entries.append((place, cleaned(place, entry)))
    if not entries:
        raise ValueError(f"{path} has a header and no rows; {EXPECTED}")
    return entries, {}


def check_header(path: Path, header: Sequence[str]) -> None:
    """Raises ValueError unless every required column is in the header and none is in it twice."""
    if not any(header):
        raise ValueError(f"{path} is empty; {EXPECTED}")
    missing = [name for name in NEEDED if name not in header]
    if missing:
        hint = "; separate columns by commas" if any(";" in title for title in header) else ""
        if len(missing) == len(NEEDED) and not hint:
            hint = MELTED
        raise ValueError(
            f"{path} is no affinity table: its first line lacks {', '.join(missing)}, it has "
            f"{', '.join(header)}{hint}"
        )
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise ValueError(f"{path} has two columns {' and two '.join(twice)}; keep one")


def read_json(path: Path) -> tuple[list[tuple[str, Facts]], Facts]:
    """Returns the entries and diagnostics of a JSON file that holds {"rows": [...], "diagnostics":
    {...}}, or the list of rows alone (pandas' orient="records"). Raises ValueError.
    """
    content = once_decoded(path)
    diagnostics = content.get("diagnostics") if isinstance(content, dict) else None
    rows = content.get("rows") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        raise ValueError(
            f"{path} is no affinity table: it has no list of rows; {EXPECTED} (from pandas: "
            "orient='records')"
        )
    places = [(f"{path}, row {number}", row) for number, row in enumerate(rows, 1)]
    return [(place, cleaned(place, row)) for place, row in places], diagnostics or {}


def read_object(path: Path) -> Facts:
    """Returns the object that a JSON file holds. Raises ValueError for other content, and whatever
    `once_decoded` raises.
    """
    content = once_decoded(path)
    if not isinstance(content, dict):
        raise ValueError(f"{path} is no affinity table: it holds no object; {EXPECTED}")
    return content


def once_decoded(path: Path) -> Any:
    """Returns the content of a JSON file. Raises ValueError if an object has a key twice, because
    one of its values would be lost.
    """

    def once(pairs: list[tuple[str, Any]]) -> Facts:
        content = dict(pairs)
        if len(content) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"{path} has the key {twice!r} twice in one object; keep one")
        return content

    return decoded(path, once)


def decoded(path: Path, of_pairs: Callable[[list[tuple[str, Any]]], Any] = dict) -> Any:
    """Returns the content of a JSON file, with objects made by `of_pairs`. Raises
    json.JSONDecodeError for text that is not JSON and ValueError for nesting that is too deep.
    """
    try:
        return json.loads(path.read_text("utf-8-sig"), object_pairs_hook=of_pairs)
    except RecursionError as error:
        raise ValueError(f"{path} holds lists or objects nested too deeply; {EXPECTED}") from error


def cleaned(place: str, entry: Any) -> Facts:
    """Returns an entry with stripped names, with numbers as float or None, and with sources as text
    or as a list of names. Raises ValueError.
    """
    if not isinstance(entry, dict):
        raise ValueError(f"{place} is {entry!r}; {EXPECTED}")
    missing = [name for name in NEEDED if name not in entry]
    if missing:
        raise ValueError(f"{place} has no {', '.join(missing)}; {EXPECTED}")
    sources = entry["sources"]
    if sources is None:  # what pandas makes of a control's empty cell
        sources = []
    named = isinstance(sources, list) and all(isinstance(name, str) for name in sources)
    if not named and not isinstance(sources, str):
        raise ValueError(f"{place}: sources are a list of names, got {sources!r}; as text, {FORM}")
    names = {name: text_of(place, name, entry.get(name)) for name in NAMES}
    if not names["target"]:
        raise ValueError(f"{place} has no target; every row says what it answers")
    numbers = {
        name: number_of(place, name, value) for name, value in entry.items() if name in NUMBERS
    }
    if numbers["affinity"] is None:
        raise ValueError(f"{place} has no affinity; leave the row out if it was not measured")
    cell = sources if isinstance(sources, str) else [name.strip() for name in sources]
    return {**names, **numbers, "sources": cell}


def text_of(place: str, name: str, value: Any) -> str:
    """Returns a name, stripped, or "" for None. Raises ValueError for anything that is no text."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{place}: {name} is a name, got {value!r}")
    return value.strip()


def number_of(place: str, name: str, value: Any) -> float | None:
    """Returns a number, or text that spells one, as float; None for None and "". Raises ValueError
    for anything else.
    """
    if value is None or value == "":
        return None
    # not bool: true would count as 1
    if isinstance(value, (Real, str)) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError:
            pass
        # float() raises this for an integer of hundreds of digits
        except OverflowError as error:
            raise ValueError(f"{place}: {name} is larger than any number can be") from error
    hint = " (decimals have a point)" if "," in str(value) else ""
    raise ValueError(f"{place}: {name} is a number, got {value!r}{hint}")
