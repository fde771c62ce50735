"""A source from outside in a bundle: its encoder once, its preprocessing in the graph, served as it
answers offline.
"""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from bare_model import BareModel
from outside_encoders import keras_file, saved_model
from synthetic import SIZE
from synthetic_policy import synthetic_policy, write_networks, write_transfers
from tiny_store import TINY

from models.networks.sources.description import read_source
from models.networks.sources.network import OUTSIDE
from models.networks.sources.register import add_source
from models.provenance.atomic import write_json
from serving.bundle.assets import read_extras
from serving.bundle.build import build_bundle

TARGETS = ["normal", "reshading", "segment_semantic", "class_scene"]
WIDE = 32


@pytest.fixture(scope="module", params=["keras", "saved_model", "wide"])
def served(request, tmp_path_factory):
    """the bundle of a policy whose second source comes from outside; "wide": with more channels
    than the networks' codes.
    """
    folder = tmp_path_factory.mktemp("outside")
    policy = synthetic_policy(["normal", "hed"], TARGETS)
    write_networks(folder / "networks", ["normal"], TINY, SIZE)
    channels = WIDE if request.param == "wide" else TINY.representation_channels
    write_transfers(folder / "transfers", policy, TINY, SIZE, wide={"hed": channels})
    file = keras_file(folder / "hed.keras", side=48)
    if request.param == "saved_model":
        file = saved_model(folder / "exported", file)
    add_source(folder / "transfers" / OUTSIDE, "hed", file, size=48, preprocess="caffe")
    hed = folder / "transfers" / OUTSIDE / "hed"
    rng = np.random.default_rng(0)
    grid = json.loads((folder / "transfers" / "reshading" / "transfer.json").read_text())["grid"]
    write_json(hed / "source.json", {"grid": grid, "address": "made up"})
    components = rng.normal(size=(12, channels)).astype("float32")
    np.savez(hed / "reduction.npz", mean=rng.normal(size=12), components=components)
    goal = build_bundle(
        policy,
        folder / "networks",
        folder / "transfers",
        folder / "bundle",
        lineage={},
        image_size=SIZE,
    )
    form = "saved_model" if request.param == "saved_model" else "keras"
    return SimpleNamespace(goal=goal, form=form, hed=hed, channels=channels)


def test_it_is_served_as_it_answers_offline(served):
    with np.load(served.goal / "assets.extra" / "parity.npz") as stored:
        probe = stored["probe"].astype("float32") / 255
        answers = BareModel(served.goal).run("images", {"images": probe}, TARGETS)
        for name, value in answers.items():
            np.testing.assert_allclose(value, stored[f"answer_{name}"], rtol=1e-3, atol=1e-4)
            assert value.std() > 0


def test_its_codes_are_asked_for_as_any_others(served):
    probe = np.random.default_rng(0).random((2, SIZE, SIZE, 3)).astype("float32")
    codes = BareModel(served.goal).run("encode_images", {"images": probe}, ["code_hed"])
    again = BareModel(served.goal).run("encode_images", {"images": 1 - probe}, ["code_hed"])
    assert codes["code_hed"].shape[-1] == served.channels
    assert np.abs(codes["code_hed"] - again["code_hed"]).max() > 0.01


def test_its_encoder_lies_in_the_graph_once(served):
    contract, _ = read_extras(served.goal)
    assert "hed" in contract["tasks"]["reshading"]["sources"]
    nodes = BareModel(served.goal).graph.as_graph_def().node
    kernels = [
        node
        for node in nodes
        if node.op == "Const"
        and tuple(d.size for d in node.attr["value"].tensor.tensor_shape.dim) == (3, 3, 3, 8)
    ]
    assert len(kernels) == 1
    assert not [node.name for node in nodes if "PartitionedCall" in node.op]
    assert read_source(served.hed).form == served.form
