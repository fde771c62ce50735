"""The code of a run is known without TFX, for every component of the pipeline."""

import ast
from pathlib import Path

from models.provenance.closure import closure_of
from tfx_pipeline.history.code import GRAPH, code_addresses

ROOT = Path(__file__).resolve().parents[3]


def test_every_component_that_the_pipeline_imports_has_an_address():
    tree = ast.parse((ROOT / "tfx_pipeline" / "pipeline.py").read_text())
    imported = {
        alias.name: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("components.")
        for alias in node.names
        if alias.name[0].isupper()
    }
    found = code_addresses()
    assert imported.keys() <= found.keys() and GRAPH in found and len(imported) > 15
    place = f"{imported['SolveTaxonomy']}:SolveTaxonomy"
    assert found["SolveTaxonomy"] == closure_of(place).digest()
