"""Two bundles are the same model by what they answer with, not by where they were made."""

import errno
import json
import re
import shutil

import pytest
from tiny_bundle import tiny_bundle

from serving.bundle.assets import EXTRA, LINEAGE
from serving.bundle.manifest import write_manifest
from serving.release import identity
from serving.release.identity import (
    content_of,
    graph_digest,
    is_same_model,
    newest_version,
    served_address,
)


def test_a_bundle_built_elsewhere_is_the_same_model(tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_bundle(), copy)
    story = json.loads((copy / EXTRA / LINEAGE).read_text())
    (copy / EXTRA / LINEAGE).write_text(json.dumps({**story, "artifact": "/elsewhere"}))
    write_manifest(copy)
    assert is_same_model(copy, tiny_bundle())
    (copy / EXTRA / LINEAGE).write_text(json.dumps({**story, "manifest": "other data"}))
    assert not is_same_model(copy, tiny_bundle())
    assert not is_same_model(copy, tmp_path)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("saved_model.pb", b"\xff\xff\xff"),
        (f"{EXTRA}/{LINEAGE}", b"["),
        (f"{EXTRA}/{LINEAGE}", b"[]"),
    ],
)
def test_a_damaged_bundle_is_a_value_error_and_the_same_as_none(tmp_path, file, content):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_bundle(), copy)
    (copy / file).write_bytes(content)
    with pytest.raises(ValueError):
        content_of(copy)
    assert not is_same_model(copy, copy)


def test_a_bundle_that_cannot_be_read_now_is_not_called_another(monkeypatch):
    def fails(bundle):
        raise OSError(errno.EIO, "Input/output error", str(bundle))

    monkeypatch.setattr(identity, "digests", fails)
    with pytest.raises(OSError, match="Input/output error"):
        is_same_model(tiny_bundle(), tiny_bundle())


def test_functions_that_were_counted_on_are_the_same_functions(tmp_path):
    """a second export in one process, as pipelines make them, names its functions otherwise."""
    from google.protobuf import text_format
    from tensorflow.core.protobuf import saved_model_pb2

    path = tiny_bundle() / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    (graph,) = model.meta_graphs
    names = [function.signature.name for function in graph.graph_def.library.function]
    assert names, "decoding of pictures is a loop"
    text = text_format.MessageToString(model)
    for number in {re.search(r"\d+$", name)[0] for name in names}:
        text = re.sub(rf"(?<=_){number}(?=___|\b)", str(int(number) + 1000), text)
    counted_on = text_format.Parse(text, saved_model_pb2.SavedModel())
    (tmp_path / "same.pb").write_bytes(counted_on.SerializeToString())
    assert graph_digest(tmp_path / "same.pb") == graph_digest(path)
    graph.graph_def.node[0].device = "/device:CPU:0"
    (tmp_path / "other.pb").write_bytes(model.SerializeToString())
    assert graph_digest(tmp_path / "other.pb") != graph_digest(path)


def test_the_served_version_is_told_by_its_manifest(tmp_path):
    assert served_address(tmp_path / "none") == "" and newest_version(tmp_path / "none") is None
    for number in ("7", "12"):
        shutil.copytree(tiny_bundle(), tmp_path / number)
    assert newest_version(tmp_path) == tmp_path / "12"
    assert served_address(tmp_path)
