"""What a node's key is derived from holds all of ours that its component imports."""

import ast
from pathlib import Path

import pytest
from edited_sources import copy_of_sources

from models.provenance.closure import closure_of, defined
from models.provenance.sources import PACKAGES, REPOSITORY, path_of

FOLDER = REPOSITORY / "components"
# How outputs are told apart and linked changes no result.
COMPONENTS = [
    path
    for path in sorted(FOLDER.glob("*.py"))
    if "\n@component" in path.read_text(encoding="utf-8")
]


def component_of(path: Path) -> str:
    """module:Name of the component in a file."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            return f"components.{path.stem}:{node.name}"
    raise AssertionError(f"{path.name} has no component")


def imported(node: ast.AST) -> set[str]:
    """definitions of ours that a component's own function imports, wherever it does."""
    names = set()
    for part in ast.walk(node):
        if isinstance(part, ast.ImportFrom) and (part.module or "").split(".")[0] in PACKAGES:
            for alias in part.names:
                whole = path_of(f"{part.module}.{alias.name}")
                if whole is None:
                    names |= set(defined(part.module, alias.name))
    return {name for name in names if not name.startswith("models.provenance.")}


def test_there_is_a_file_a_component():
    assert len(COMPONENTS) >= 15


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_what_a_component_imports_is_in_its_closure(path):
    component = component_of(path)
    reached = closure_of(component).definitions
    tree = ast.parse(path.read_text(encoding="utf-8"))
    name = component.partition(":")[2]
    own = next(node for node in tree.body if getattr(node, "name", "") == name)
    assert imported(own), "a component calls the core"
    assert imported(own) <= set(reached)


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_functions_that_a_component_calls_in_its_own_file_are_in_its_closure(path):
    component = component_of(path)
    reached = closure_of(component).definitions
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    module = component.partition(":")[0]
    assert {f"{module}:{name}" for name in functions & called} <= set(reached)


@pytest.mark.parametrize(
    "component, folder",
    [
        ("components.build_bundle:BuildBundle", "serving/bundle/vocabularies"),
        ("components.write_report:WriteReport", "serving/bundle/vocabularies"),
        ("components.write_report:WriteReport", "models/reports/templates"),
        ("components.write_report:WriteReport", "models/reports/explorer/built"),
    ],
)
def test_tables_and_templates_are_in_the_closures_of_who_reads_them(component, folder):
    there = {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / folder).iterdir()}
    assert there and there <= set(closure_of(component).files)


def test_a_class_of_another_name_makes_the_bundle_anew(tmp_path, monkeypatch):
    component = "components.build_bundle:BuildBundle"
    before = closure_of(component).digest()
    edit = copy_of_sources(tmp_path, monkeypatch)
    assert closure_of(component).digest() == before
    edit("serving/bundle/vocabularies/places_indoor.txt", "alcove", "niche")
    assert closure_of(component).digest() != before
