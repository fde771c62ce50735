"""Continuous ingestion: `.../span-{SPAN}/version-{VERSION}` names folders that arrive one after
another; which is the newest?

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
EPOCH = datetime.date(1970, 1, 1)  # a day's span number counts from here, as in TFX


@dataclass(frozen=True)
class Span:
    """a folder that the pattern names; span and version: its numbers, or None where the pattern has
    no such placeholder.
    """

    root: str
    span: int
    version: int | None

    def facts(self) -> dict:
        return {"span": self.span} | ({} if self.version is None else {"version": self.version})


def newest(pattern: str, *, span: int | None = None, version: int | None = None) -> Span:
    """the newest version of the newest span, or of the span asked for.

    Raises ValueError for a pattern without {SPAN} or a whole day, and when no folder answers.
    """
    check(pattern)
    found = [
        each
        for each in matches(pattern)
        if span in (None, each.span) and version in (None, each.version)
    ]
    if not found:
        there = sorted({(each.span, each.version or 0) for each in matches(pattern)})
        raise ValueError(
            f"no folder is called {pattern} with span {span or 'any'}, version "
            f"{version or 'any'}; there are (span, version) {there or 'none'}"
        )
    last = max(found, key=lambda each: (each.span, each.version or 0))
    same = [each.root for each in found if (each.span, each.version) == (last.span, last.version)]
    if len(same) > 1:
        raise ValueError(
            f"span {last.span} version {last.version} has two folders: "
            f"{' and '.join(sorted(same))}; remove one"
        )
    return last


def check(pattern: str) -> None:
    names = [match[1] for match in PLACEHOLDER.finditer(pattern)]
    days = [name for name in names if name in ("YYYY", "MM", "DD")]
    if (
        len(set(names)) != len(names)
        or ("SPAN" in names) == bool(days)
        or (days and sorted(days) != ["DD", "MM", "YYYY"])
    ):
        raise ValueError(
            "an input pattern names {SPAN}, or {YYYY}, {MM} and {DD}, once each, and "
            f"perhaps {{VERSION}}; got {pattern!r}"
        )


def matches(pattern: str) -> Iterator[Span]:
    """every folder that the pattern names, with its numbers."""
    fixed, *levels = split_levels(pattern)
    places = [(fixed, {})]
    for level in levels:
        grown = []
        for place, numbers in places:
            if not PLACEHOLDER.search(level):
                grown.append((storage.join(place, level), numbers))
                continue
            for name in storage.folders(place):
                match = level_expression(level).fullmatch(name)
                if match:
                    grown.append(
                        (
                            storage.join(place, name),
                            numbers | {key: int(text) for key, text in match.groupdict().items()},
                        )
                    )
        places = grown
    for place, numbers in places:
        number = number_of(numbers)
        if number is not None and storage.folders(place):
            yield Span(place, number, numbers.get("VERSION"))


def split_levels(pattern: str) -> list[str]:
    """the part before the first placeholder's folder, then one folder name a level."""
    parts = storage.plain(pattern).rstrip("/").split("/")
    first = next(i for i, part in enumerate(parts) if PLACEHOLDER.search(part))
    return ["/".join(parts[:first]) or ("/" if pattern.startswith("/") else "."), *parts[first:]]


def level_expression(level: str) -> re.Pattern:
    expression, end = "", 0
    for match in PLACEHOLDER.finditer(level):
        width = match[2] or {"YYYY": "4", "MM": "2", "DD": "2"}.get(match[1])
        digits = f"\\d{{{width}}}" if width else "\\d{1,18}"
        expression += f"{re.escape(level[end : match.start()])}(?P<{match[1]}>{digits})"
        end = match.end()
    return re.compile(expression + re.escape(level[end:]))


def number_of(numbers: dict[str, int]) -> int | None:
    """the span's number; None for a day that is in no calendar."""
    if "SPAN" in numbers:
        return numbers["SPAN"]
    try:
        return (datetime.date(numbers["YYYY"], numbers["MM"], numbers["DD"]) - EPOCH).days
    except ValueError:
        return None
