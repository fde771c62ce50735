"""The gate before the push on real bundles of random weights: the served one passes beside itself,
a candidate that lost a target or learned something worse does not.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from synthetic import SIZE
from synthetic_policy import WHITENING
from tiny_bundle import TARGETS, tiny_bundle, tiny_folder
from tiny_store import TinyStore

from components import check_quality
from components.accepted import FIGURES
from models.provenance.atomic import write_json
from models.tasks import TASKS
from serving.bundle.assets import EXTRA, LINEAGE, read_extras
from serving.bundle.build import build_bundle
from serving.bundle.manifest import write_manifest
from serving.release.comparison import Bundle, losses
from serving.release.identity import content_of, newest_version, served_address


class Store(TinyStore):
    """targets in the whitening that the tiny bundle has."""

    def whitening(self, name):
        return WHITENING.get(name, (np.zeros(1), np.ones(1)))


def refused(checks):
    return {check.name for check in checks if not check.passed}


@pytest.fixture(scope="module")
def smaller(tmp_path_factory) -> Path:
    """the tiny bundle without its last target."""
    folder = tmp_path_factory.mktemp("smaller")
    policy = read_extras(tiny_bundle())[1]["policy"]
    policy["edges"] = [edge for edge in policy["edges"] if edge["target"] != "egomotion"]
    made = tiny_folder()
    return build_bundle(
        policy,
        made / "networks",
        made / "transfers",
        folder / "bundle",
        lineage={},
        image_size=SIZE,
        whitening=WHITENING,
    )


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


def test_two_exports_of_the_same_networks_are_the_same_bundle(tmp_path):
    made, (_, story) = tiny_folder(), read_extras(tiny_bundle())
    again = build_bundle(
        story["policy"],
        made / "networks",
        made / "transfers",
        tmp_path / "again",
        lineage={key: story[key] for key in story if key not in ("policy", "networks")},
        image_size=SIZE,
        whitening=WHITENING,
    )
    assert content_of(again) == content_of(tiny_bundle())


def test_the_served_version_is_told_by_its_manifest(tmp_path):
    assert served_address(tmp_path / "none") == "" and newest_version(tmp_path / "none") is None
    for number in ("7", "12"):
        shutil.copytree(tiny_bundle(), tmp_path / number)
    assert newest_version(tmp_path) == tmp_path / "12"
    assert served_address(tmp_path)


def test_losses_are_those_of_the_bundles_own_answers():
    from models.networks.losses.losses import image_losses

    store, bundle = Store(), Bundle.opened(tiny_bundle())
    for name in TARGETS:
        found = losses(bundle, store, name)
        assert found.shape == (8,) and np.isfinite(found).all(), name
    samples = store.samples("reshading", "test")
    pictures = store.images("test")[samples.views[:, 0]].astype("float32") / 255
    answer = bundle.version.run("reshading_images", {"images": pictures}, ["reshading"])
    expected = image_losses(
        TASKS["reshading"].loss, samples.target, samples.mask, answer["reshading"]
    )
    np.testing.assert_allclose(losses(bundle, store, "reshading"), expected, rtol=1e-5)


def test_a_bundle_passes_beside_itself_and_fails_without_a_target(smaller):
    checks = check_quality.beside_served(tiny_bundle(), tiny_bundle(), Store(), 0.1)
    quick = "as quick as the served version"  # a busy machine may say otherwise
    assert refused(checks) <= {quick}
    assert "no target is lost" in refused(
        check_quality.beside_served(smaller, tiny_bundle(), Store(), 0.1)
    )


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
