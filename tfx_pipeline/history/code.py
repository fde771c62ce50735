"""The code of a run as addresses, from syntax trees: TFX is not loaded for it."""

from __future__ import annotations

import ast
from pathlib import Path

from models.provenance.address import code_digest
from models.provenance.sources import syntax_of

ROOT = Path(__file__).resolve().parents[2]
GRAPH = "pipeline"
# How TFX's components are written here.
DECORATOR, CLASSES = "component", {"BaseComponent", "StatisticsGen"}


def code_addresses() -> dict[str, str]:
    """Returns component -> 16 hex digits over all that it runs, and `pipeline` for the graph's own
    code.
    """
    names = {
        name: f"components.{path.stem}:{name}"
        for path in sorted((ROOT / "components").glob("*.py"))
        for name in components_in(path)
    }
    names[GRAPH] = "tfx_pipeline.pipeline:make_pipeline"
    return {name: code_digest(place) for name, place in sorted(names.items())}


def components_in(path: Path) -> list[str]:
    """Returns the names of a file's components: functions with TFX's decorator, and classes of its
    bases.
    """
    return [
        node.name
        # by syntax: importing a component imports TFX, which takes ten seconds
        for node in syntax_of(path).body
        if (isinstance(node, ast.FunctionDef) and any(map(is_component, node.decorator_list)))
        or (isinstance(node, ast.ClassDef) and any(name_of(base) in CLASSES for base in node.bases))
    ]


def is_component(decorator: ast.expr) -> bool:
    return name_of(decorator.func if isinstance(decorator, ast.Call) else decorator) == DECORATOR


def name_of(node: ast.expr) -> str:
    # an attribute (`tfx.component`) is not how components are written here
    return node.id if isinstance(node, ast.Name) else ""
