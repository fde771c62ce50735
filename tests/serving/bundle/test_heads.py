"""A bundle takes heads that are ordinary Keras models: transfers trained by gradient, convolutions
over two sources, beside closed-form ones.
"""

import dataclasses
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from bare_model import BareModel
from synthetic import SIZE
from synthetic_policy import write_networks
from tiny_bundle import tiny_bundle, tiny_folder
from tiny_store import TINY

from models.networks.architecture.pixel_readout import CHANNELS
from models.networks.task_networks.build import load_task_network
from models.networks.transfers.edge import TransferNetwork, load_transfer_network
from models.provenance.atomic import write_json
from serving.bundle.assets import read_extras
from serving.bundle.build import build_bundle
from serving.bundle.heads import load_scratch

LEARNED = ("reshading", "depth_zbuffer")


def learned(network: TransferNetwork) -> TransferNetwork:
    """the same edge with an untrained head of convolutions, batch norm and enlargement."""
    shape = network.head.input_shape[1:]
    source = keras.Input(shape)
    x = keras.layers.LeakyReLU()(
        keras.layers.BatchNormalization()(keras.layers.Conv2D(6, 3, padding="same")(source))
    )
    x = keras.layers.UpSampling2D(SIZE // shape[0], interpolation="nearest")(x)
    return TransferNetwork(
        network.sources,
        network.target,
        keras.Model(
            source, keras.layers.Conv2D(network.target.output.channels, 3, padding="same")(x)
        ),
    )


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """SavedModel with learned heads for LEARNED."""
    folder, policy = (
        tiny_folder(),
        read_extras(tiny_bundle())[1]["policy"],
    )  # first: other tests share this bundle, which must hold its own heads

    def load(folder):
        network = load_transfer_network(folder)
        return learned(network) if folder.name in LEARNED else network

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.networks.transfers.edge.load_transfer_network", load)
        return build_bundle(
            policy,
            folder / "networks",
            folder / "transfers",
            tmp_path_factory.mktemp("mixed") / "bundle",
            lineage={},
            image_size=SIZE,
        )


def test_learned_heads_answer_as_their_networks_do(mixed):
    with np.load(mixed / "assets.extra" / "parity.npz") as stored:
        probe = stored["probe"].astype("float32") / 255
        answers = BareModel(mixed).run(
            "images", {"images": probe}, ["normal", "segment_semantic", *LEARNED]
        )
        for name, value in answers.items():
            np.testing.assert_allclose(value, stored[f"answer_{name}"], rtol=1e-3, atol=1e-4)
            assert value.std() > 0


def test_learned_heads_have_every_form(mixed):
    outputs = BareModel(mixed).signatures["image_bytes"].outputs
    for name in LEARNED:
        assert {name, f"{name}_codes", f"{name}_png_bytes"} <= set(outputs)


def write_pixel_readout(folder: Path, record: dict) -> None:
    """a readout of pixels with made-up weights, in place of the network there."""
    grid, features = SIZE // 8, 5
    values = 3 * (SIZE // TINY.output_stride // grid) ** 2
    rng = np.random.default_rng(0)
    arrays = {
        f"kernel_{CHANNELS}": rng.normal(0, 0.1, (9 * CHANNELS, features)),
        f"bias_{CHANNELS}": rng.normal(size=features),
        "weights": rng.normal(0, 0.1, (9 * CHANNELS + features + 1, values)),
    }
    np.savez(folder / "arrays.npz", **arrays)
    write_json(folder / "network.json", {**record, "grid": grid})


@pytest.fixture(scope="module", params=["network", "pixels"])
def from_scratch(request, tmp_path_factory):
    """(SavedModel, folder of networks from scratch): `normal` is learned from scratch, by a network
    or a readout of pixels, though its own network of all labels is a source; the seed says which
    is which.
    """
    folder, policy = tiny_folder(), read_extras(tiny_bundle())[1]["policy"]
    place = tmp_path_factory.mktemp("from_scratch")
    transfers = place / "transfers"
    kept = [e for e in policy["edges"] if e["target"] in ("normal", "reshading", "class_scene")]
    edges = [
        {**edge, "control": "scratch", "regime": ""} if edge["target"] == "normal" else edge
        for edge in kept
    ]
    shutil.copytree(folder / "transfers", transfers)
    write_networks(transfers, ["normal"], dataclasses.replace(TINY, seed=7), SIZE)
    record = json.loads((transfers / "normal" / "network.json").read_text())
    write_json(transfers / "normal" / "network.json", {**record, "regime": ""})
    if request.param == "pixels":
        write_pixel_readout(transfers / "normal", {**record, "regime": ""})
    bundle = build_bundle(
        {**policy, "edges": edges},
        folder / "networks",
        transfers,
        place / "bundle",
        lineage={},
        image_size=SIZE,
    )
    return bundle, transfers


def test_a_target_from_scratch_is_answered_by_that_network_and_no_other(from_scratch):
    bundle, transfers = from_scratch
    with np.load(bundle / "assets.extra" / "parity.npz") as stored:
        probe = stored["probe"].astype("float32") / 255
    answers = BareModel(bundle).run("images", {"images": probe}, ["normal", "reshading"])
    own = load_task_network(transfers / "normal").answer(probe * 2 - 1)
    others = load_task_network(tiny_folder() / "networks" / "normal").answer(probe * 2 - 1)
    np.testing.assert_allclose(answers["normal"], own, rtol=1e-3, atol=1e-4)
    assert np.abs(answers["normal"] - others).max() > 0.01
    before = BareModel(tiny_bundle()).run("images", {"images": probe}, ["reshading"])
    np.testing.assert_allclose(answers["reshading"], before["reshading"], rtol=1e-3, atol=1e-4)
    facts = read_extras(bundle)[0]["tasks"]
    assert facts["normal"]["from_scratch"] and not facts["normal"]["own_network"]
    assert not facts["reshading"]["from_scratch"]
    assert facts["class_scene"]["own_network"]


def test_the_codes_of_a_network_from_scratch_are_decoded_as_they_are_served(from_scratch):
    bundle, _ = from_scratch
    model = BareModel(bundle)
    assert list(model.signatures["decode_normal"].inputs) == ["code_normal_from_scratch"]
    assert "code_normal" in model.signatures["decode_reshading"].inputs


def test_a_network_from_scratch_of_other_data_is_refused(tmp_path):
    write_networks(tmp_path, ["normal"], TINY, SIZE)
    edge = {"sources": [], "target": "normal", "control": "scratch", "regime": "48"}
    with pytest.raises(ValueError, match="in the regime '48'.*train the policy again"):
        load_scratch(tmp_path / "normal", edge)


def test_a_policy_of_other_sources_is_refused(tmp_path):
    folder, (_, lineage) = tiny_folder(), read_extras(tiny_bundle())
    policy = {
        "edges": [
            {"sources": ["class_scene", "normal"], "target": edge["target"]}
            for edge in lineage["policy"]["edges"]
            if edge["sources"]
        ]
    }
    with pytest.raises(ValueError, match="train the policy again"):
        build_bundle(
            policy,
            folder / "networks",
            folder / "transfers",
            tmp_path / "bundle",
            lineage={},
            image_size=SIZE,
        )
    assert not list(tmp_path.iterdir())
