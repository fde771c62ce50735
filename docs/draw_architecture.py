"""The floor plan as a picture, drawn from BUILD: python docs/draw_architecture.py

A room stands a floor above everything that it may import; arrows that follow from others are left
out. tests/test_floor_plan.py holds that the picture is the one that BUILD gives.
"""

from __future__ import annotations

import ast
import html
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "architecture.svg"
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 190, 54, 34, 46, 24
QUESTIONS = {
    "provenance": "what was it made of?",
    "arguments": "what may one say?",
    "tasks": "what is the task?",
    "examples": "how is a view written down?",
    "taxonomy": "what shall we supervise?",
    "networks": "how is it learned?",
    "gates": "may it be trained, served?",
    "reports": "how is it shown?",
    "serving": "who may ask?",
    "beam_jobs": "where do views come from?",
    "components": "what is one stage?",
    "tfx_pipeline": "in what order?",
}


def main() -> None:
    PICTURE.write_text(drawn(imports_of((ROOT / "BUILD").read_text())))
    print(PICTURE.relative_to(ROOT))


def imports_of(build: str) -> dict[str, set[str]]:
    """room -> rooms that it may import."""
    rooms = {}
    for node in ast.walk(ast.parse(build)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "py_library":
            words = {word.arg: word.value for word in node.keywords}
            deps = {dep.lstrip(":") for dep in ast.literal_eval(words["deps"])}
            rooms[ast.literal_eval(words["name"])] = deps
    return rooms


def floors(rooms: dict[str, set[str]]) -> list[list[str]]:
    """rooms by floor, the ground first: a room stands one above the highest that it imports."""
    level: dict[str, int] = {}
    while len(level) < len(rooms):
        for room, deps in rooms.items():
            if room not in level and all(dep in level for dep in deps):
                level[room] = 1 + max((level[dep] for dep in deps), default=-1)
    return [[room for room in rooms if level[room] == i] for i in range(max(level.values()) + 1)]


def direct(rooms: dict[str, set[str]]) -> list[tuple[str, str]]:
    """imports that do not follow from others."""
    reach: dict[str, set[str]] = {}
    for floor in floors(rooms):
        for room in floor:
            reach[room] = set().union(*(reach[dep] for dep in rooms[room])) | rooms[room]
    return [
        (room, dep)
        for room, deps in rooms.items()
        for dep in sorted(deps)
        if not any(dep in reach[other] for other in deps if other != dep)
    ]


def drawn(rooms: dict[str, set[str]]) -> str:
    """the picture as SVG; the street is below."""
    storeys = floors(rooms)
    most = max(map(len, storeys))
    width = 2 * MARGIN + most * WIDTH + (most - 1) * GAP_X
    height = 2 * MARGIN + len(storeys) * HEIGHT + (len(storeys) - 1) * GAP_Y
    place = {}
    for i, floor in enumerate(storeys):
        left = (width - len(floor) * WIDTH - (len(floor) - 1) * GAP_X) / 2
        top = height - MARGIN - HEIGHT - i * (HEIGHT + GAP_Y)
        for k, room in enumerate(floor):
            place[room] = (left + k * (WIDTH + GAP_X), top)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'font-family="sans-serif"><title>The rooms and what they may import</title>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#667"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    parts += [arrow(place[room], place[dep]) for room, dep in direct(rooms)]
    parts += [box(room, *place[room]) for room in rooms]
    return "\n".join([*parts, "</svg>\n"])


def arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    x1, y1 = start[0] + WIDTH / 2, start[1] + HEIGHT
    x2, y2 = end[0] + WIDTH / 2, end[1] - 3
    bend = (y2 - y1) / 2
    return (
        f'<path d="M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}" '
        'fill="none" stroke="#667" stroke-width="1.3" marker-end="url(#tip)"/>'
    )


def box(room: str, left: float, top: float) -> str:
    middle = left + WIDTH / 2
    return (
        f'<rect x="{left:g}" y="{top:g}" width="{WIDTH}" height="{HEIGHT}" rx="6" '
        'fill="#eef3fa" stroke="#35507a"/>'
        f'<text x="{middle:g}" y="{top + 23:g}" text-anchor="middle" font-size="15" '
        f'fill="#123">{html.escape(room)}</text>'
        f'<text x="{middle:g}" y="{top + 42:g}" text-anchor="middle" font-size="11.5" '
        f'fill="#456">{html.escape(QUESTIONS.get(room, ""))}</text>'
    )


if __name__ == "__main__":
    main()
