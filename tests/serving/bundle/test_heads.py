"""A bundle takes heads that are ordinary Keras models: transfers trained by gradient, convolutions
over two sources, beside closed-form ones.
"""

import keras
import numpy as np
import pytest
from bare_model import BareModel
from synthetic import SIZE
from tiny_bundle import tiny_bundle, tiny_folder

from models.networks.transfers.edge import TransferNetwork, load_transfer_network
from serving.bundle.assets import read_extras
from serving.bundle.build import build_bundle

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


@pytest.fixture
def mixed(tmp_path, monkeypatch):
    """SavedModel with learned heads for LEARNED."""
    folder, policy = (
        tiny_folder(),
        read_extras(tiny_bundle())[1]["policy"],
    )  # first: other tests share this bundle, which must hold its own heads

    def load(folder):
        network = load_transfer_network(folder)
        return learned(network) if folder.name in LEARNED else network

    monkeypatch.setattr("models.networks.transfers.edge.load_transfer_network", load)
    return build_bundle(
        policy,
        folder / "networks",
        folder / "transfers",
        tmp_path / "bundle",
        lineage={},
        image_size=SIZE,
    )


def test_learned_heads_answer_as_their_networks_do(mixed):
    with np.load(mixed / "assets.extra" / "parity.npz") as stored:
        probe = stored["probe"].astype("float32") / 255
        found = BareModel(mixed).run(
            "images", {"images": probe}, ["normal", "segment_semantic", *LEARNED]
        )
        for name, value in found.items():
            np.testing.assert_allclose(value, stored[f"answer_{name}"], rtol=1e-3, atol=1e-4)
            assert value.std() > 0


def test_learned_heads_have_every_form(mixed):
    outputs = BareModel(mixed).signatures["image_bytes"].outputs
    for name in LEARNED:
        assert {name, f"{name}_codes", f"{name}_png_bytes"} <= set(outputs)


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
