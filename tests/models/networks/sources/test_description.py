"""A source from outside is a row in a folder; what cannot be one is said in a line."""

import json

import pytest
from outside_encoders import keras_file

from models.networks.sources.description import (
    OutsideSource,
    SourceError,
    check_name,
    content_of,
    from_row,
    outside_sources,
    read_source,
)
from models.networks.sources.register import add_source


@pytest.mark.parametrize("name", ["normal", "rgb2sfnorm", "pixels", "x_from_scratch", "A", "1a"])
def test_a_name_that_means_something_else_is_refused(name):
    with pytest.raises(SourceError, match=name):
        check_name(name)


def test_contradictions_are_refused():
    with pytest.raises(SourceError, match="three numbers"):
        OutsideSource("hed", "keras", "a", "b", mean=(0.0, 1.0))
    with pytest.raises(SourceError, match="positive"):
        OutsideSource("hed", "keras", "a", "b", deviation=(1.0, 0.0, 1.0))
    with pytest.raises(SourceError, match="keras, saved_model"):
        OutsideSource("hed", "torch", "a", "b")


def test_sources_are_read_back_as_they_were_added(tmp_path):
    [source] = add_source(
        tmp_path / "sources", "hed", keras_file(tmp_path / "hed.keras", 64), preprocess="caffe"
    )
    [row] = outside_sources(tmp_path / "sources")
    assert from_row(json.loads(json.dumps(row))) == (source, tmp_path / "sources" / "hed")
    assert source.blue_first and read_source(tmp_path / "sources" / "hed") == source


def test_a_damaged_source_is_set_aside(tmp_path):
    add_source(tmp_path / "sources", "hed", keras_file(tmp_path / "hed.keras", 64))
    (tmp_path / "sources" / "hed" / "encoder.keras").write_bytes(b"other")
    assert outside_sources(tmp_path / "sources") == []
    assert (tmp_path / "sources" / ".damaged").exists()


def test_the_digest_is_of_content_and_names(tmp_path):
    for name, content in (("a", b"1"), ("b", b"2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(content)
    first = content_of(tmp_path / "a")
    assert first != content_of(tmp_path / "b")
    (tmp_path / "b" / "file").write_bytes(b"1")
    assert first == content_of(tmp_path / "b")
