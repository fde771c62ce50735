"""The worked examples of CONTRIBUTING.md work."""

import json
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = dict(
    re.findall(r"^```python (\w+)\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text(), re.M | re.S)
)


def names_of(example: str) -> dict:
    """what the example defines when it is run, as a module: TFX looks a component's up by name."""
    module = ModuleType(f"example_{example}")
    sys.modules[module.__name__] = module
    exec(compile(EXAMPLES[example], example, "exec"), module.__dict__)
    return module.__dict__


def test_there_is_an_example_of_each_thing():
    assert set(EXAMPLES) == {"task", "kind", "stage", "verb"}


def test_ci_runs_what_is_said_to_run_there():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    (said,) = re.findall(r"`\.ci/run` runs (.*?)\.\n", text)
    ran = re.findall(r"^make ([\w-]+)", (ROOT / ".ci" / "run").read_text(), re.M)
    assert {"setup", *re.findall(r"`make ([\w-]+)`", said)} == set(ran)


def test_the_task_has_a_target():
    from synthetic import draws, view

    from models.tasks.targets import target

    value, mask = target(names_of("task")["entry"], [view(0)], draws)
    assert value.shape[-1] == 1 and mask.shape == value.shape


def test_a_table_without_a_kinds_row_ends_the_import(monkeypatch):
    assert len(names_of("kind")["HEADS"]) == 5
    broken = re.sub(r'"embedding": "map",\s*', "", EXAMPLES["kind"])
    assert broken != EXAMPLES["kind"]
    monkeypatch.setitem(EXAMPLES, "kind", broken)
    with pytest.raises(ValueError, match="heads that answer.*missing: embedding"):
        names_of("kind")


def test_the_stage_runs_and_says_what_it_holds(tmp_path):
    from components.artifacts import TaxonomyList

    node = names_of("stage")["CountEdges"]
    given, counted = TaxonomyList(), TaxonomyList()
    given.uri, counted.uri = str(tmp_path / "given"), str(tmp_path / "counted")
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "taxonomies.json").write_text(json.dumps([{"edges": [1, 2, 3]}]))
    function = node.EXECUTOR_SPEC.executor_class._FUNCTION
    getattr(function, "__func__", function)(taxonomies=given, counted=counted, code="")
    assert json.loads((tmp_path / "counted" / "counts.json").read_text()) == [3]
    assert counted.get_string_custom_property("content")


def test_a_door_that_lacks_a_verb_is_not_made():
    names = names_of("verb")
    plane = SimpleNamespace(check_door=names["check_door"], VERBS=names["VERBS"])
    with pytest.raises(TypeError, match="must offer"):
        plane.check_door("example", plane.VERBS - {"predict"})
