"""A node's key in TFX's cache: what is in its inputs counts, where data lie does not."""

from pathlib import Path

import pytest
from tfx.orchestration.portable import cache_utils
from tfx.types import standard_artifacts

from components.content import say_content
from tfx_pipeline.content_cache import compare_by_content


@pytest.fixture
def key(monkeypatch):
    """(inputs, parameters) -> what the cache is asked for."""
    monkeypatch.setattr(cache_utils, "get_cache_context", seen)
    with compare_by_content(Path("/runs/a")):
        yield lambda inputs, said: cache_utils.get_cache_context(
            input_artifacts={"examples": inputs}, parameters=said
        )


def seen(*, input_artifacts, parameters):
    artifacts = [str(one.mlmd_artifact) for each in input_artifacts.values() for one in each]
    return artifacts, parameters


def artifact(number: int, content: str = "", place: str = "/somewhere"):
    made = standard_artifacts.Examples()
    made.uri, made.id = f"{place}/{number}", number
    if content:
        say_content(made, content)
    return made


def test_data_at_another_place_are_the_same_data(key):
    here = key([artifact(1, "a")], {"root": "/here", "fingerprint": "f", "size": 32})
    there = key([artifact(2, "a")], {"root": "/there", "fingerprint": "f", "size": 32})
    assert here == there and here[1] == {"fingerprint": "f", "size": 32}


def test_other_content_and_other_parameters_are_another_key(key):
    first = key([artifact(1, "a")], {"fingerprint": "f"})
    assert first != key([artifact(1, "b")], {"fingerprint": "f"})
    assert first != key([artifact(1, "a")], {"fingerprint": "g"})


def test_where_the_run_lies_is_no_part_of_it(key):
    here = key(
        [artifact(1, place="/runs/a/artifacts/Node/output")],
        {"work": "/runs/a/work", "outside": '[{"folder": "/runs/a/sources/hed"}]', "size": 32},
    )
    with compare_by_content(Path("/runs/b")):
        there = cache_utils.get_cache_context(
            input_artifacts={
                "examples": [artifact(1, place="/runs/b/artifacts/Node/output")],
            },
            parameters={
                "work": "/runs/b/work",
                "outside": '[{"folder": "/runs/b/sources/hed"}]',
                "size": 32,
            },
        )
    assert here == there
    elsewhere = key([artifact(1, place="/runs/a2/artifacts/Node/output")], {"work": "/runs/a2"})
    assert "/runs/a2/artifacts/Node/output/1" in elsewhere[0][0]
    assert elsewhere[1] == {"work": "/runs/a2"}
