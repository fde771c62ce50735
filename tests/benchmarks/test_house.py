"""What the house is measured by is counted as its rows say, and no module stands in a circle."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOUSE = ROOT / "benchmarks" / "house.py"
spec = importlib.util.spec_from_file_location("house", HOUSE)
house = importlib.util.module_from_spec(spec)
spec.loader.exec_module(house)


def test_no_module_of_ours_reaches_itself_through_imports():
    assert house.circular(ROOT) == set()


@pytest.mark.parametrize(
    ("first", "second", "circle"),
    [
        ("from models.b import x", "from models.a import y", {"models.a", "models.b"}),
        ("import models.b", "def f():\n    from models import a", {"models.a", "models.b"}),
        ("import models.b", "if TYPE_CHECKING:\n    from models import a", set()),
        ("import models.b", "import json", set()),
    ],
)
def test_a_circle_is_what_reaches_itself_from_functions_too(tmp_path, first, second, circle):
    package = tmp_path / "models"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "a.py").write_text(first)
    (package / "b.py").write_text(second)
    (package / "outside.py").write_text("import models.a")
    assert house.circular(tmp_path) == circle


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("made = build()", ["made"]),
        ("def f(kept):\n    return kept", ["kept"]),
        ("class A:\n    lost: int", ["lost"]),
        ("for one, found in pairs:\n    pass", ["found"]),
        ("with work() as (a, told):\n    pass", ["told"]),
        ("f = lambda left: left", ["left"]),
        ("def f():\n    made = 1\n\ndef g():\n    made = 2\n    made = 3", ["made", "made"]),
    ],
)
def test_a_participle_that_stands_for_a_thing_counts_once_a_scope(text, names):
    assert house.participles(ast.parse(text)) == names


@pytest.mark.parametrize(
    "text",
    [
        "known = a in b",
        "def f(kept: bool):\n    pass",
        "lost = path.exists() and not other",
        "gone = False",
        "left, right = 0, 1",
        "found_rows = 1",
        "made.x = 1",
        "print(found)",
    ],
)
def test_truth_values_sides_and_longer_names_do_not_count(text):
    assert house.participles(ast.parse(text)) == []


def test_parameters_are_counted_without_the_object_itself():
    (function,) = house.functions_of(ast.parse("def f(self, a, /, b, *c, d, **e): pass"))
    assert len(house.parameters(function)) == 3


@pytest.mark.parametrize(
    ("text", "owes"),
    [
        ("def f(a: Floats) -> int:\n    'Returns the sum.'", True),
        ("def f() -> tuple[np.ndarray, int]:\n    pass", True),
        ("def f(a: Floats | None) -> int:\n    'a: [n] m'", False),
        ("def f(a: int) -> int:\n    'Returns the sum.'", False),
    ],
)
def test_a_function_of_arrays_owes_a_shape(text, owes):
    (function,) = house.functions_of(ast.parse(text))
    assert (house.takes_arrays(function) and not house.gives_shape(function)) == owes


def test_a_folder_stands_beside_the_working_tree(tmp_path):
    package = tmp_path / "models"
    package.mkdir()
    (package / "a.py").write_text("def f(made):\n    return made\n")
    words = [sys.executable, HOUSE, "--beside", tmp_path]
    process = subprocess.run(words, capture_output=True, text=True, check=True)
    rows = [row.split(" | ") for row in process.stdout.splitlines()]
    assert rows[0][1] == str(tmp_path)
    assert {row[0].strip("| "): row[1] for row in rows[2:]}["names that are participles"] == "1"
