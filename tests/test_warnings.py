"""A warning that our lines cause ends the test; others' are ignored by the name of who warns."""

import re
import tomllib
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILTERS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"][
    "filterwarnings"
]
# action:message:category:module
MODULES = [entry.split(":")[3:] for entry in FILTERS]
OURS = ("models", "beam_jobs", "components", "tfx_pipeline", "serving")


def test_no_warning_is_ignored_whoever_it_is_of():
    assert len(MODULES) == 2 and all(named and named[0] for named in MODULES)
    others = re.compile(MODULES[0][0])
    assert not [name for name in OURS if others.match(f"{name}.tasks")]


@pytest.mark.parametrize("category", [DeprecationWarning, FutureWarning, UserWarning])
@pytest.mark.parametrize("package", OURS)
def test_a_warning_that_our_lines_cause_is_an_error(package, category):
    with pytest.raises(category, match="w"):
        warnings.warn_explicit("w", category, "file.py", 1, module=f"{package}.room")


@pytest.mark.parametrize("category", [DeprecationWarning, FutureWarning, UserWarning])
def test_only_those_who_are_named_are_ignored(category):
    with warnings.catch_warnings(record=True) as shown:
        warnings.warn_explicit("w", category, "file.py", 1, module="tensorflow.python.ops")
        assert not shown
        warnings.warn_explicit("w", category, "file.py", 1, module="somebody.tensorflow")
        assert len(shown) == 1
