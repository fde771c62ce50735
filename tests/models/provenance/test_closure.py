"""What a function is made of follows from the syntax, and nothing else changes its digest."""

import os
import textwrap

import pytest

from models.provenance import sources
from models.provenance.closure import closure_of, forget

SOURCES = {
    "models/__init__.py": "",
    "models/work.py": '''
        """Work."""
        from models import tools, unused
        from models.facts import FACTOR
        from models.tables import ROWS

        def whole(x):
            """Does it."""
            return part(x) * FACTOR + tools.helped(x)

        def part(x):
            from models.inner import late
            return late(x)

        def other(x):
            return unused.nothing(x)

        def by_row(name, x):
            return ROWS[name](x)

        def shadowed(tools):
            return tools.never(1)

        def reader():
            return (Path(__file__).parent / "words.txt").read_text()
        ''',
    "models/tools.py": """
        def helped(x):
            return x + 1

        def never(x):
            return x
        """,
    "models/unused.py": "def nothing(x):\n    return x\n",
    "models/facts.py": "FACTOR = 3\nAPART = 4\n",
    "models/inner.py": "def late(x):\n    return x\n",
    "models/tables.py": """
        from models.tools import helped, never
        ROWS = {"a": helped, "b": never}
        """,
    "models/made.py": """
        from models.maker import made_by_kind
        from models.tools import helped, never
        HEADS = made_by_kind("heads", {"a": helped, "b": never})
        def headed(name):
            return HEADS[name]
        """,
    "models/maker.py": "def made_by_kind(purpose, rows):\n    return dict(rows)\n",
    "models/words.txt": "word",
    "models/away.txt": "word",
    "BUILD": 'py_library(name = "w", data = glob(["models/words.txt"]))\n',
}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """a small repository; `edit(path, old, new)` changes it."""
    for name, text in SOURCES.items():
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(textwrap.dedent(text))
    monkeypatch.setattr(sources, "REPOSITORY", tmp_path)
    forget()
    count = iter(range(1, 10**6))

    def edit(path, old, new):
        place = tmp_path / path
        assert old in place.read_text()
        place.write_text(place.read_text().replace(old, new))
        later = place.stat().st_mtime_ns + next(count) * 10**7
        os.utime(place, ns=(later, later))

    yield edit
    forget()


def names(*roots, **more):
    return set(closure_of(*roots, **more).definitions)


def test_a_closure_follows_calls_constants_and_imports_inside_functions(tree):
    assert names("models.work:whole") == {
        "models.work:whole",
        "models.work:part",
        "models.facts:FACTOR",
        "models.tools:helped",
        "models.inner:late",
    }


CHANGED = {
    "the test of an if": (
        "if FLAG:\n    X = 1\nelse:\n    X = 2\ndef f(): return X\nFLAG = 1",
        "FLAG = 1",
        "FLAG = 0",
    ),
    "an import that may fail": (
        "try:\n    import fast\nexcept ImportError:\n    X = 1\ndef f(): return X",
        "import fast",
        "import json",
    ),
    "what is opened": ("with open('d') as d:\n    X = d.read()\ndef f(): return X", "'d'", "'e'"),
    "a constant of another module": (
        "import models.facts as facts\nfacts.APART = 3\ndef f(): return facts.APART",
        "= 3",
        "= 5",
    ),
    "a function beside a comprehension's variable": (
        "def g(): return 1\ndef f():\n    y = g()\n    return [g for g in (y,)]",
        "return 1",
        "return 2",
    ),
    "a function beside an inner parameter": (
        "def g(): return 1\ndef f():\n    h = lambda g: g\n    return h(g())",
        "return 1",
        "return 2",
    ),
    "a default of the parameter's name": (
        "s = 4\ndef f(x, s: float = s): return x * s",
        "s = 4",
        "s = 5",
    ),
    "a decorator of a local's name": (
        "def v(g): return g\n@v\ndef f():\n    v = 1\n    return v",
        "return g",
        "return 2",
    ),
    "a default inside a class": (
        "s = 4\nclass f:\n    def g(self, s=s): return s",
        "s = 4",
        "s = 5",
    ),
}


@pytest.mark.parametrize("text, old, new", CHANGED.values(), ids=CHANGED)
def test_an_edit_that_changes_a_result_changes_the_digest(tree, tmp_path, text, old, new):
    (tmp_path / "models" / "case.py").write_text(text)
    before = closure_of("models.case:f").digest()
    tree("models/case.py", old, new)
    assert closure_of("models.case:f").digest() != before


def test_a_package_that_imports_its_own_module_is_followed(tree, tmp_path):
    package = tmp_path / "models" / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("from models.pack import part\n")
    (package / "part.py").write_text("def g(): return 1\n")
    (tmp_path / "models" / "case.py").write_text(
        "from models.pack import part\ndef f(): return part.g()\n"
    )
    assert names("models.case:f") == {"models.case:f", "models.pack.part:g"}


def test_a_parameter_of_a_modules_name_is_not_the_module(tree):
    assert names("models.work:shadowed") == {"models.work:shadowed"}


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("models/facts.py", "FACTOR = 3", "FACTOR = 5"),
        ("models/inner.py", "return x", "return x + 1"),
        ("models/tools.py", "return x + 1", "return x + 2"),
    ],
)
def test_a_change_of_what_is_reached_changes_the_digest(tree, path, old, new):
    before = closure_of("models.work:whole").digest()
    tree(path, old, new)
    assert closure_of("models.work:whole").digest() != before


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("models/facts.py", "APART = 4", "APART = 5"),
        ("models/unused.py", "return x", "return x + 1"),
        ("models/tools.py", "def never(x):\n    return x", "def never(x):\n    return -x"),
        ("models/work.py", '"""Does it."""', '"""Does it otherwise."""'),
        ("models/work.py", "return part(x) * FACTOR", "return part(x)  *  FACTOR"),
        ("models/work.py", "def part(x):", "# why\ndef part(x: int) -> int:"),
    ],
)
def test_nothing_else_does(tree, path, old, new):
    before = closure_of("models.work:whole").digest()
    tree(path, old, new)
    assert closure_of("models.work:whole").digest() == before


def test_a_table_is_followed_by_the_rows_that_are_chosen(tree):
    table = "models.tables:ROWS"
    assert "models.tools:never" in names("models.work:by_row")
    assert "models.tools:never" not in names("models.work:by_row", choices={table: ("a",)})
    assert "models.tools:helped" in names("models.work:by_row", choices={table: ("a",)})
    with pytest.raises(LookupError, match="no row c; it has a, b"):
        closure_of("models.work:by_row", choices={table: ("c",)})


LATER = {
    "an entry": ('ROWS["a"] = changed', True),
    "an entry of a computed key": ("ROWS[KEY] = changed", True),
    "an update": ("ROWS.update(a=changed)", True),
    "a union": ('ROWS |= {"a": changed}', True),
    "a union with a name": ("ROWS |= MORE", True),
    "a removal": ("del ROWS[changed]", True),
    "a setting": ("setattr(ROWS, 'a', changed)", True),
    "a loop": ("for key in ROWS:\n    ROWS[key] = changed", True),
    "another row's entry": ('ROWS["b"] = changed', False),
    "a union of another row": ('ROWS |= {"b": changed}', False),
}


@pytest.mark.parametrize("line, reaches", LATER.values(), ids=LATER)
def test_what_is_put_into_a_table_after_its_literal_is_followed(tree, tmp_path, line, reaches):
    (tmp_path / "models" / "case.py").write_text(
        "def first(): return 1\ndef changed(): return 2\nKEY = 'a'\nMORE = {'a': changed}\n"
        f"ROWS = {{'a': first, 'b': first}}\n{line}\ndef f(name): return ROWS[name]()\n"
    )
    some = names("models.case:f", choices={"models.case:ROWS": ("a",)})
    assert ("models.case:changed" in some) == reaches and "models.case:first" in some
    assert "models.case:changed" in names("models.case:f")


@pytest.mark.parametrize(
    "rows", ["{'b': first, **MORE}", "{'b': first, KEY: changed}", "dict(MORE)"]
)
def test_what_may_be_any_row_is_followed_for_each(tree, tmp_path, rows):
    (tmp_path / "models" / "case.py").write_text(
        "def first(): return 1\ndef changed(): return 2\nKEY = 'a'\nMORE = {'a': changed}\n"
        f"ROWS = {rows}\ndef f(name): return ROWS[name]()\n"
    )
    for row in ("a", "b"):
        assert "models.case:changed" in names("models.case:f", choices={"models.case:ROWS": (row,)})
    # left out: the values are among the settings
    assert names("models.case:f", choices={"models.case:ROWS": ()}) == {
        "models.case:f",
        "models.case:ROWS",
    }


def test_both_literals_of_a_branch_are_followed(tree, tmp_path):
    (tmp_path / "models" / "case.py").write_text(
        "def one(): return 1\ndef two(): return 2\n"
        "if len('x'):\n    ROWS = {'a': one}\nelse:\n    ROWS = {'a': two}\n"
        "def f(name): return ROWS[name]()\n"
    )
    some = names("models.case:f", choices={"models.case:ROWS": ("a",)})
    assert {"models.case:one", "models.case:two"} <= some


def test_tables_of_one_maker_are_followed_by_the_same_rows(tree):
    maker = "models.maker:made_by_kind"
    reached = names("models.made:headed", choices={maker: ("a", "of another table")})
    assert "models.tools:helped" in reached and "models.tools:never" not in reached
    assert "models.tools:never" in names("models.made:headed")


def test_declared_data_files_count_for_who_reads_beside_itself(tree):
    reader, whole = closure_of("models.work:reader"), closure_of("models.work:whole").digest()
    assert set(reader.files) == {"models/words.txt"}
    tree("models/words.txt", "word", "words")
    assert closure_of("models.work:reader").digest() != reader.digest()
    assert closure_of("models.work:whole").digest() == whole


def test_a_definition_that_is_not_there_is_named(tree):
    with pytest.raises(LookupError, match=r"models\.work defines no absent"):
        closure_of("models.work:absent")
