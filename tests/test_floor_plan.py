"""Imports point where BUILD says they may, and heavy packages stay in the rooms that may carry
them.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = ("models", "beam_jobs", "components", "tfx_pipeline", "serving")
HEAVY = {
    "provenance": set(),
    "arguments": set(),
    "tasks": set(),
    "taxonomy": {"cvxopt"},
    "examples": {"tensorflow"},
    "gates": set(),
    "networks": {"keras", "tensorflow"},
    "reports": {"jinja2"},
    "beam_jobs": {"apache_beam", "tensorflow"},
    "serving": {"tensorflow", "grpc", "tensorflow_serving", "keras"},
    "components": {"tfx", "apache_beam", "tensorflow"},
    "tfx_pipeline": {"tfx", "tensorflow", "kfp", "absl"},
}
WATCHED = {
    "tensorflow",
    "keras",
    "tfx",
    "apache_beam",
    "cvxopt",
    "grpc",
    "tensorflow_serving",
    "jinja2",
    "kfp",
    "absl",
}


def room_of(module: str) -> str | None:
    parts = module.split(".")
    if parts[0] == "models":
        return parts[1] if len(parts) > 1 else None
    return parts[0] if parts[0] in OURS else None


@cache
def declared() -> dict[str, set[str]]:
    """room -> rooms it may import, as BUILD states them."""
    calls = [
        node.value
        for node in ast.parse((ROOT / "BUILD").read_text()).body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]
    libraries = [
        {word.arg: word.value for word in call.keywords}
        for call in calls
        if call.func.id == "py_library"
    ]
    return {
        ast.literal_eval(library["name"]): {
            dep.lstrip(":") for dep in ast.literal_eval(library["deps"])
        }
        for library in libraries
    }


def sources() -> list[Path]:
    return [path for room in OURS for path in sorted((ROOT / room).rglob("*.py"))]


@cache
def imported(path: Path) -> set[str]:
    """dotted names of all modules that a file imports anywhere."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            raise AssertionError(
                f"{path.relative_to(ROOT)} imports relatively; write the full name, which the "
                "floor plan can read"
            )
    return names


def test_every_room_has_a_library():
    rooms = {
        room_of(".".join(path.relative_to(ROOT).with_suffix("").parts)) for path in sources()
    } - {None, "__init__"}
    assert rooms == set(declared())


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_floor_plan(path):
    room = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if room == "__init__":
        return
    allowed, names = declared()[room] | {room}, imported(path)
    strangers = {name for name in names if room_of(name) not in (None, *allowed)}
    assert not strangers, f"{room} may import {sorted(allowed)}; it imports {sorted(strangers)}"
    heavy = {name.split(".")[0] for name in names} & WATCHED
    assert heavy <= HEAVY[room], (
        f"{room} may carry {sorted(HEAVY[room])}; it imports {sorted(heavy)}"
    )


def test_cvxopt_stands_behind_one_file():
    users = [
        path.name
        for path in sources()
        if any(name.split(".")[0] == "cvxopt" for name in imported(path))
    ]
    assert users == ["solver.py"]


def test_no_room_is_called_by_a_word_that_says_nothing():
    banned = {"utils", "util", "common", "helpers", "helper", "misc", "base", "core"}
    assert not [path for path in sources() if {path.stem, *path.relative_to(ROOT).parts} & banned]


def test_components_do_not_postpone_annotations():
    """TFX's @component reads annotations as objects."""
    assert not [
        path
        for path in (ROOT / "components").glob("*.py")
        if "from __future__ import annotations" in path.read_text()
    ]


def test_nothing_loads_what_the_pipeline_never_uses():
    """`tfx.v1` loads Google's client libraries too: a third of the time that TFX takes to load."""
    users = [path for path in sources() if any("tfx.v1" in name for name in imported(path))]
    assert not users
