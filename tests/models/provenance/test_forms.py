"""Closures are held against the compiler, and forms that they do not follow are in no module."""

import ast
import functools

from models.provenance.closure import defined
from models.provenance.mentions import local_names, mentions, read_from_module
from models.provenance.sources import (
    NOT_SOURCES,
    PACKAGES,
    REPOSITORY,
    parsed,
    path_of,
    syntax_of,
)

# Words of a command that is printed; no result is made of it.
PRINTED = ("models.reports.look",)
# What finds definitions by a text that is made while it runs: no closure holds them.
BY_TEXT = {"globals", "locals", "eval", "exec", "__import__", "import_module"}
# Commands choose their verb so; no result is made of that choice.
CHOOSING = ("beam_jobs.annotate.command",)


@functools.cache
def modules():
    """dotted name -> file, of all modules of ours."""
    found = {}
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            parts = path.relative_to(REPOSITORY).with_suffix("").parts
            if not set(parts) & set(NOT_SOURCES):
                found[".".join(parts).removesuffix(".__init__")] = path
    return found


def bases(node):
    return {base for base, _ in mentions(node)}


def test_no_definition_reads_a_name_of_ours_that_it_does_not_mention():
    missed = []
    for name in modules():
        module = parsed(name)
        ours = {
            *module.definitions,
            *(bound for bound, (source, _) in module.bindings.items() if path_of(source)),
        }
        for own, nodes in module.definitions.items():
            for node in nodes:
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    read = read_from_module(node) & ours
                    # what is read from the module is never taken for a local name
                    unseen = (read - bases(node)) | (read & local_names(node))
                    missed += [f"{name}:{own} {each}" for each in unseen]
    assert len(modules()) > 300 and missed == []


def test_every_definition_can_be_followed():
    """what a module imports of a package that imports it is no circle."""
    for name in modules():
        for own in parsed(name).bindings:
            list(defined(name, own))


def test_packages_run_nothing_when_they_are_imported():
    """a closure of a module does not hold the packages above it."""
    packages = [name for name, path in modules().items() if path.name == "__init__.py"]
    assert packages and not [name for name in packages if parsed(name).effects]


def test_no_module_names_files_of_ours_from_elsewhere():
    """a path without __file__, and importlib.resources, name files that no closure holds."""
    wrong = []
    for name, path in modules().items():
        for node in ast.walk(syntax_of(path)):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                words = {getattr(node, "module", None), *(alias.name for alias in node.names)}
                if words & {"importlib.resources", "pkgutil"} or ast.unparse(node).startswith(
                    "from importlib import resources"
                ):
                    wrong.append(f"{name}: {ast.unparse(node)}")
            elif (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and node.value.startswith(tuple(f"{package}/" for package in PACKAGES))
                and (REPOSITORY / node.value).exists()
                and name not in PRINTED
            ):
                wrong.append(f"{name}: {node.value}")
    assert wrong == []


def by_text(tree):
    """calls in a tree that find definitions by a text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            # another's package, by a constant name, is none of ours
            named = [each.value for each in node.args if isinstance(each, ast.Constant)]
            others = called == "import_module" and named and path_of(str(named[0])) is None
            if (called in BY_TEXT and not others) or (called == "vars" and not node.args):
                yield ast.unparse(node)


def test_no_module_finds_definitions_by_a_text():
    wrong = [
        f"{name}: {call}"
        for name, path in modules().items()
        if not name.endswith(".__main__") and name not in CHOOSING
        for call in by_text(syntax_of(path))
    ]
    assert wrong == []
    text = "globals()['f'](), vars()['f'], eval('f()'), importlib.import_module('models.tasks')"
    assert len(list(by_text(ast.parse(text)))) == 4
    assert not list(by_text(ast.parse("importlib.import_module('numpy'), vars(x)")))
