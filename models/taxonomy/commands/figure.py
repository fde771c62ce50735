"""Command `figure`: draws the matrix of first-order affinities as an SVG."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from html import escape
from pathlib import Path

from models.arguments.places import named_place
from models.provenance.atomic import write_text
from models.taxonomy.affinities import Affinities
from models.taxonomy.commands.inputs import table_of
from models.taxonomy.commands.options import table_options

SUMMARY = "the matrix of first-order affinities as a picture (SVG)"
CELL = 24  # side of a cell, in pixels
LETTER = 7  # width of a letter at font size 12, in pixels
TITLE = 20  # height of an axis title, in pixels
LEGEND = (
    "affinity, from 0 to that of the target's best source",
    "outlined: the target's own encoder; blank: hardly any, or not measured",
)
Matrix = dict[str, dict[str, float]]


def options(command: ArgumentParser) -> None:
    table_options(command)
    command.add_argument("--out", type=named_place, required=True, help="matrix.svg to write")


def run(options: Namespace) -> int:
    if Path(options.out).suffix.lower() != ".svg":
        raise ValueError(f"the figure is an SVG; name it so (matrix.svg), got {options.out}")
    table = table_of(options)
    rows = matrix(table)
    write_text(Path(options.out), picture(rows, table))
    if options.json:
        print(json.dumps(rows))
        return 0
    print(f"{len(rows)} targets -> {options.out}")
    return 0


def matrix(table: Affinities) -> Matrix:
    """Returns target -> source -> affinity of the transfer from this source alone; of several
    amounts of data the highest. Raises ValueError for a table without such transfers.
    """
    rows: Matrix = {}
    for row in table.rows:
        if row.transfer.order == 1:
            of_source = rows.setdefault(row.transfer.target, {})
            (source,) = row.transfer.sources
            of_source[source] = max(row.affinity, of_source.get(source, 0.0))
    if not rows:
        raise ValueError("the table has no transfer from one source, which the figure shows")
    return rows


def picture(rows: Matrix, table: Affinities) -> str:
    """Returns an SVG with targets as rows and sources as columns. Shades are relative to each
    target's best source, and its own encoder is outlined. The legend below explains both.
    """
    columns = [name for name in table.sources if any(name in row for row in rows.values())]
    left = TITLE + LETTER * max(map(len, rows)) + 12
    top = TITLE + LETTER * max(map(len, columns)) + 12
    bottom = top + CELL * len(rows)
    width = max(left + CELL * len(columns), 4 * CELL + LETTER * max(map(len, LEGEND))) + 4
    height = bottom + CELL * (len(LEGEND) + 1)
    middle = (left + CELL * len(columns) / 2, (top + bottom) / 2)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{middle[0]:g}" y="14" text-anchor="middle" font-weight="bold">source</text>',
        f'<text transform="translate(14 {middle[1]:g}) rotate(-90)" text-anchor="middle" '
        'font-weight="bold">target</text>',
    ]
    for place, name in enumerate(columns):
        x, y = left + CELL * place + 16, top - 6
        lines.append(f'<text transform="translate({x} {y}) rotate(-90)">{escape(name)}</text>')
    for place, (target, row) in enumerate(rows.items()):
        y = top + CELL * place
        lines.append(f'<text x="{left - 6}" y="{y + 16}" text-anchor="end">{escape(target)}</text>')
        best = max(row.values()) or 1.0
        for column, source in enumerate(columns):
            if source in row:
                edge = "#222" if source == target else "none"
                tip = escape(f"{source} -> {target}: {row[source]:.4f}")
                lines.append(
                    f'<rect x="{left + CELL * column}" y="{y}" width="{CELL - 2}" '
                    f'height="{CELL - 2}" fill="#1b5e8c" stroke="{edge}" '
                    f'fill-opacity="{row[source] / best:.3f}"><title>{tip}</title></rect>'
                )
    lines.append(
        f'<defs><linearGradient id="shade"><stop stop-color="#1b5e8c" stop-opacity="0"/>'
        '<stop offset="1" stop-color="#1b5e8c"/></linearGradient></defs>'
        f'<rect x="8" y="{bottom + CELL // 2}" width="{3 * CELL}" height="{CELL - 8}" '
        'fill="url(#shade)" stroke="#888"/>'
    )
    for place, words in enumerate(LEGEND):
        y = bottom + CELL * place + CELL // 2 + 12
        lines.append(f'<text x="{3 * CELL + 16}" y="{y}">{words}</text>')
    return "\n".join([*lines, "</svg>", ""])
