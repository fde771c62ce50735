"""The package has the artifacts' types, which Kubeflow's entry point imports by path, and is quick
to import.
"""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import components
from components import artifacts

ROOT = Path(__file__).resolve().parents[2]
TYPES = ["NetworkBank", "LabelBank", "TransferBank", "GateVerdict"]


@pytest.mark.parametrize("name", TYPES)
def test_a_types_name_is_its_path(name):
    assert getattr(components, name) is getattr(artifacts, name)
    module, _, kind = f"components.{name}".rpartition(".")
    assert getattr(importlib.import_module(module), kind).TYPE_NAME.endswith(name)


@pytest.mark.parametrize("name", ["NoSuchBank", "nothing", "artifact"])
def test_what_is_no_type_is_no_attribute(name):
    with pytest.raises(AttributeError, match=f"'components' has no attribute {name!r}"):
        getattr(components, name)


def test_the_package_alone_imports_nothing_heavy():
    code = "import sys, components; print({'tfx', 'tensorflow', 'keras'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.stdout.strip() == "set()", ran.stderr
