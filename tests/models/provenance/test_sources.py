"""Sources as syntax trees: what a module defines, binds and does at import."""

import ast
import gc
import os
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.provenance import sources
from models.provenance.sources import (
    assigned,
    bindings_of,
    declared_files,
    declared_patterns,
    files_of,
    forget,
    is_command,
    is_docstring,
    parsed,
    path_of,
    stamp,
    syntax_of,
)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """`write(path, text)` into a small repository."""
    monkeypatch.setattr(sources, "REPOSITORY", tmp_path)
    forget()

    def write(name: str, text: str):
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(text))
        return place

    yield write
    forget()


def test_a_name_of_ours_has_a_file(tree):
    module = tree("models/work.py", "")
    package = tree("models/inner/__init__.py", "")
    assert path_of("models.work") == module and path_of("models.inner") == package
    assert path_of("models.none") is None and path_of("numpy") is None
    assert parsed("numpy") is None and parsed("models.none") is None


def test_statements_are_definitions_bindings_or_effects(tree):
    tree(
        "models/work.py",
        '''
        """Words."""
        import os.path
        import numpy as np
        from models import tools as t

        A = 1
        ROWS["b"] = 2
        if A:
            def f(): ...
        else:
            def f(): ...
        try:
            import fast
        except ImportError:
            fast = None
        run_at_import()
        if __name__ == "__main__":
            never_at_import()
        ''',
    )
    found = parsed("models.work")
    assert set(found.definitions) == {"A", "ROWS", "f", "fast"}
    assert len(found.definitions["f"]) == 2
    assert found.bindings == {
        "os": ("os", None),
        "np": ("numpy", None),
        "t": ("models", "tools"),
        "fast": ("fast", None),
    }
    assert [ast.unparse(effect) for effect in found.effects] == [
        "A",  # what decides which `f` there is
        "import fast",
        "fast = None",  # in place of what is imported
        "run_at_import()",
    ]


@pytest.mark.parametrize(
    ("text", "effects"),
    [
        ("import a.b as shapes\nshapes.SIDE = 3", ["shapes.SIDE = 3"]),
        ("from a import ROWS\nROWS['x'] = 5", ["ROWS['x'] = 5"]),
        ("ROWS = {}\nROWS['x'] = 5", []),
        ("with open('d') as file:\n    X = file.read()", ["open('d')"]),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a", []),
    ],
)
def test_what_changes_others_or_decides_is_an_effect(tree, text, effects):
    tree("models/work.py", text)
    assert [ast.unparse(effect) for effect in parsed("models.work").effects] == effects


def test_a_file_that_changed_is_parsed_again(tree):
    place = tree("models/work.py", "A = 1")
    assert set(parsed("models.work").definitions) == {"A"}
    assert parsed("models.work") is parsed("models.work")
    place.write_text("B = 1")
    later = place.stat().st_mtime_ns + 10**7
    os.utime(place, ns=(later, later))
    assert set(parsed("models.work").definitions) == {"B"}


@pytest.mark.parametrize(
    "text, names",
    [
        ("a = b = 1", ["a", "b"]),
        ("a: int = 1", ["a"]),
        ("a += 1", ["a"]),
        ("(a, b) = x", ["a", "b"]),
    ],
)
def test_assigned_names(text, names):
    assert assigned(ast.parse(text).body[0]) == names


def test_small_questions():
    def first(text: str) -> ast.stmt:
        return ast.parse(text).body[0]

    assert is_command(first("if __name__ == '__main__': pass")) and not is_command(first("if a: b"))
    assert is_docstring(first("'words'")) and not is_docstring(first("1"))
    assert bindings_of(first("import a.b as c")) == {"c": ("a.b", None)}


def test_data_files_count_for_modules_above_them(tree):
    tree("BUILD", 'py_library(name = "a", data = glob(["models/in/*.txt"]), srcs = ["x"])')
    tree("models/in/words.txt", "words")
    tree("models/in/work.py", "")
    tree("models/other/work.py", "")
    tree("models/in/words.md", "words")
    assert list(declared_files("models.in.work")) == ["models/in/words.txt"]
    assert declared_files("models.other.work") == {} and declared_files("numpy") == {}


def test_two_stars_at_the_end_are_every_file_below(tree):
    """folders alone to `pathlib` until Python 3.12, files too from 3.13 on."""
    tree("BUILD", 'py_library(name = "a", data = glob(["models/in/**"]))')
    tree("models/in/words.txt", "words")
    tree("models/in/deeper/still/words.txt", "words")
    tree("models/words.txt", "words")
    tree("models/work.py", "")
    expected = ["models/in/deeper/still/words.txt", "models/in/words.txt"]
    assert list(declared_files("models.work")) == expected


@pytest.mark.parametrize("pattern", declared_patterns())
def test_every_pattern_of_build_has_files(pattern):
    assert files_of(pattern)


def test_the_stamp_changes_with_any_file_but_what_is_no_source(tree):
    place = tree("models/work.py", "A = 1")
    before = stamp()
    assert [row[0] for row in before] == [str(place)]
    tree("models/node_modules/pack.js", "x")
    tree("models/__pycache__/work.pyc", "x")
    assert stamp() == before
    tree("models/work.py", "A = 12")
    assert stamp() != before


def test_threads_parse_beside_each_other():
    """Where the collector of garbage lets another thread in, Python 3.11 raises SystemError."""

    def let_others_in(phase, info):
        time.sleep(0)

    gc.callbacks.append(let_others_in)
    often = gc.get_threshold()
    gc.set_threshold(50)
    try:
        with ThreadPoolExecutor(4) as pool:
            trees = list(pool.map(syntax_of, [path_of("models.provenance.sources")] * 24))
    finally:
        gc.set_threshold(*often)
        gc.callbacks.remove(let_others_in)
    assert len({len(tree.body) for tree in trees}) == 1
