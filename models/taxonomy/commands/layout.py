"""Lays out text for a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

WIDTH = 80
GAP = "  "
NARROWEST = 24  # columns below which a folded last column is unreadable


def folded(text: str, indent: str = "", following: str | None = None) -> str:
    """Returns `text` in lines of at most WIDTH characters, without breaking names. following:
    indent of the later lines.
    """
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  " if following is None else following,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Returns rows as columns under their titles. The first `left` columns and the last one are
    aligned left, the others right; the last one is folded to fit.
    """
    lines = [titles, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(titles) - 1)]
    room = max(NARROWEST, WIDTH - sum(widths) - len(GAP) * len(widths))
    return "\n".join(text for line in lines for text in row_lines(line, widths, room, left))


def row_lines(line: Sequence[str], widths: Sequence[int], room: int, left: int) -> list[str]:
    cells = [
        cell.ljust(width) if i < left else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(line, widths))
    ]
    last = textwrap.wrap(line[-1], room, break_long_words=False, break_on_hyphens=False) or [""]
    start = GAP.join([*cells, ""]) if cells else ""
    indent = " " * len(start)
    return [((indent if i else start) + part).rstrip() for i, part in enumerate(last)]


def shown(value: float | None, digits: int = 3) -> str:
    """Returns a number as text, or a dash for one that was not measured."""
    return "-" if value is None else f"{value:.{digits}f}"
