"""Types of artifacts are found by the names that a cluster knows them by."""

import importlib

import pytest
from tfx.types import Artifact

import components
from components import artifacts

TYPES = [
    each
    for each in vars(artifacts).values()
    if isinstance(each, type) and issubclass(each, Artifact) and each is not Artifact
]


@pytest.mark.parametrize("artifact", TYPES)
def test_the_name_of_a_type_leads_to_it(artifact):
    package, _, name = artifact.TYPE_NAME.rpartition(".")
    assert getattr(importlib.import_module(package), name) is artifact


def test_what_is_no_type_is_named():
    with pytest.raises(AttributeError, match="'Nothing'"):
        components.Nothing  # noqa: B018
