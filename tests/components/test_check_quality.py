"""The gate before the push on real bundles of random weights: the served one passes beside itself,
a candidate that lost a target or learned something worse does not.
"""

import json
import re
import shutil

import numpy as np
from synthetic_policy import WHITENING
from tiny_bundle import tiny_bundle
from tiny_store import TinyStore

from components import check_quality
from components.accepted import FIGURES
from models.provenance.atomic import write_json
from models.tasks import TASKS
from serving.bundle.assets import CONTRACT, EXTRA, LINEAGE
from serving.bundle.manifest import write_manifest
from serving.release.comparison import Bundle, losses
from serving.release.identity import graph_digest, newest_version, served_address

COMPARED = ("normal", "class_scene", "fixated_pose")


class Store(TinyStore):
    """some targets, in the whitening that the tiny bundle has."""

    def has(self, name):
        return name in COMPARED

    def whitening(self, name):
        return WHITENING.get(name, (np.zeros(1), np.ones(1)))


def refused(checks):
    return {check.name for check in checks if not check.passed}


def test_a_bundle_built_elsewhere_is_the_same_bundle(tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_bundle(), copy)
    story = json.loads((copy / EXTRA / LINEAGE).read_text())
    (copy / EXTRA / LINEAGE).write_text(json.dumps({**story, "artifact": "/elsewhere"}))
    write_manifest(copy)
    assert check_quality.same(copy, tiny_bundle())
    (copy / EXTRA / LINEAGE).write_text(json.dumps({**story, "manifest": "other data"}))
    assert not check_quality.same(copy, tiny_bundle())
    assert not check_quality.same(copy, tmp_path)


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


def test_losses_are_those_of_the_bundles_own_answers():
    from models.networks.losses.losses import image_losses

    store, bundle = Store(), Bundle.opened(tiny_bundle())
    for name in ("segment_unsup25d", "egomotion", "reshading"):
        found = losses(bundle, store, name)
        assert found.shape == (8,) and np.isfinite(found).all(), name
    samples = store.samples("reshading", "test")
    pictures = store.images("test")[samples.views[:, 0]].astype("float32") / 255
    answer = bundle.version.run("reshading_images", {"images": pictures}, ["reshading"])
    expected = image_losses(
        TASKS["reshading"].loss, samples.target, samples.mask, answer["reshading"]
    )
    np.testing.assert_allclose(losses(bundle, store, "reshading"), expected, rtol=1e-5)


def test_a_bundle_passes_beside_itself_and_fails_without_a_target(tmp_path):
    shutil.copytree(tiny_bundle(), tmp_path / "smaller")
    contract = json.loads((tmp_path / "smaller" / EXTRA / CONTRACT).read_text())
    del contract["tasks"]["egomotion"]
    (tmp_path / "smaller" / EXTRA / CONTRACT).write_text(json.dumps(contract))
    quick = {"as quick as the served version"}  # a busy machine may say otherwise
    checks = check_quality.beside_served(tiny_bundle(), tmp_path / "smaller", Store(), 0.1)
    assert refused(checks) <= quick
    found = next(check for check in checks if check.name.startswith("no target is worse"))
    assert set(found.figures) == set(COMPARED) and not any(found.figures.values())
    checks = check_quality.beside_served(tmp_path / "smaller", tiny_bundle(), Store(), 0.1)
    assert refused(checks) - quick == {"no target is lost"}


def test_better_than_chance_is_asked_at_the_stated_level():
    found = {"p": 0.02, "policies": 50, "verdict": ""}
    assert not check_quality.better_than_chance(found, 0.01).passed
    assert check_quality.better_than_chance(found, 0.1).passed
    assert check_quality.better_than_chance({"verdict": "nothing to compare with"}, 0.01).passed


def test_a_server_that_takes_twice_the_memory_is_refused(tmp_path):
    figures = {"server MiB after loading": 300.0}
    assert check_quality.as_small(figures, tmp_path).passed
    write_json(tmp_path / FIGURES, {"server MiB after loading": 100.0})
    assert not check_quality.as_small(figures, tmp_path).passed
