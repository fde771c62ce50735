"""Finds the newest of the folders that `.../span-{SPAN}/version-{VERSION}` names, for continuous
ingestion of data that arrives folder by folder.

The placeholders are TFX's (tfx.components.example_gen.utils): {SPAN} or {SPAN:width}, or {YYYY},
{MM} and {DD} for a day, and below it {VERSION} or {VERSION:width}. Spans and versions compare as
numbers, days by the calendar.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass

from beam_jobs.ingest import storage

PLACEHOLDER = re.compile(r"\{(SPAN|VERSION|YYYY|MM|DD)(?::(\d+))?\}")
# A file that a finished span holds, where whoever delivers spans writes one (the habit of Hadoop).
MARKER = "_SUCCESS"
EPOCH = datetime.date(1970, 1, 1)  # a day's span number counts from here, as in TFX
# A folder, and the numbers in its name: placeholder -> number.
Place = tuple[str, dict[str, int]]


@dataclass(frozen=True)
class Span:
    """A folder that the pattern names. span, version: its numbers; version is None where the
    pattern has no such placeholder.
    """

    root: str
    span: int
    version: int | None

    def facts(self) -> dict[str, int]:
        """Returns the numbers that there are, by name."""
        numbers = {"span": self.span, "version": self.version}
        return {name: number for name, number in numbers.items() if number is not None}


def newest(pattern: str, *, span: int | None = None, version: int | None = None) -> Span:
    """Returns the newest version of the newest span, or of the span asked for.

    Raises ValueError for a pattern without {SPAN} or a whole day, and when no folder matches or two
    have the same numbers.
    """
    check(pattern)
    there = matches(pattern)
    asked_for = [
        each for each in there if span in (None, each.span) and version in (None, each.version)
    ]
    if not asked_for:
        numbers = sorted({(each.span, each.version or 0) for each in there})
        raise ValueError(
            f"no folder is called {pattern} with span {span or 'any'}, version "
            f"{version or 'any'}; there are (span, version) {numbers or 'none'}"
        )
    last = max(asked_for, key=lambda each: (each.span, each.version or 0))
    newest_numbers = (last.span, last.version)
    same = [each.root for each in asked_for if (each.span, each.version) == newest_numbers]
    if len(same) > 1:
        raise ValueError(
            f"span {last.span} version {last.version} has two folders: "
            f"{' and '.join(sorted(same))}; remove one"
        )
    return last


def check(pattern: str) -> None:
    """Raises ValueError for a pattern that names no span, or names one twice."""
    names = [match[1] for match in PLACEHOLDER.finditer(pattern)]
    days = sorted(name for name in names if name in ("YYYY", "MM", "DD"))
    names_twice = len(set(names)) != len(names)
    one_kind_of_span = ("SPAN" in names) != bool(days)
    whole_day = not days or days == ["DD", "MM", "YYYY"]
    if names_twice or not one_kind_of_span or not whole_day:
        raise ValueError(
            "an input pattern names {SPAN}, or {YYYY}, {MM} and {DD}, once each, and "
            f"perhaps {{VERSION}}; got {pattern!r}"
        )


def matches(pattern: str) -> list[Span]:
    """Returns every folder that the pattern names, with its numbers. Once one of them holds
    `_SUCCESS`, those without it are still being written, and do not count.
    """
    there = list(every_match(pattern))
    marked = [each for each in there if storage.exists(storage.join(each.root, MARKER))]
    return marked or there


def every_match(pattern: str) -> Iterator[Span]:
    """Yields every folder that the pattern names, whether finished or not."""
    fixed, *levels = split_levels(pattern)
    places: list[Place] = [(fixed, {})]
    for level in levels:
        places = [deeper for place in places for deeper in below(place, level)]
    for folder, numbers in places:
        number = number_of(numbers)
        # a place without folders holds no building
        if number is not None and storage.folders(folder):
            yield Span(folder, number, numbers.get("VERSION"))


def below(place: Place, level: str) -> Iterator[Place]:
    """Yields the folders of a place that one level of a pattern names."""
    folder, numbers = place
    if not PLACEHOLDER.search(level):
        yield storage.join(folder, level), numbers
        return
    expression = level_expression(level)
    for name in storage.folders(folder):
        match = expression.fullmatch(name)
        if match:
            more = {key: int(text) for key, text in match.groupdict().items()}
            yield storage.join(folder, name), numbers | more


def split_levels(pattern: str) -> list[str]:
    """Returns the part of the pattern above the first folder with a placeholder, then one folder
    name a level.
    """
    parts = storage.plain(pattern).rstrip("/").split("/")
    first = next(i for i, part in enumerate(parts) if PLACEHOLDER.search(part))
    return ["/".join(parts[:first]) or ("/" if pattern.startswith("/") else "."), *parts[first:]]


def level_expression(level: str) -> re.Pattern[str]:
    """Returns an expression that matches the folder names of a level, with a group for each
    placeholder.
    """
    expression = ""
    end = 0
    for match in PLACEHOLDER.finditer(level):
        width = match[2] or {"YYYY": "4", "MM": "2", "DD": "2"}.get(match[1])
        # 18 digits fit into 64 bits
        digits = f"\\d{{{width}}}" if width else "\\d{1,18}"
        expression += f"{re.escape(level[end : match.start()])}(?P<{match[1]}>{digits})"
        end = match.end()
    return re.compile(expression + re.escape(level[end:]))


def number_of(numbers: dict[str, int]) -> int | None:
    """Returns the span's number; None for a day that is in no calendar."""
    if "SPAN" in numbers:
        return numbers["SPAN"]
    try:
        return (datetime.date(numbers["YYYY"], numbers["MM"], numbers["DD"]) - EPOCH).days
    except ValueError:
        return None
