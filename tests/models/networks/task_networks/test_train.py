"""The address of a network holds what its training reads, and nothing of what others read."""

import dataclasses

import pytest
from edited_sources import copy_of_sources
from synthetic import SIZE
from tiny_store import TINY, TinyStore

from models.networks.task_networks.train import network_address, trainer
from models.tasks import TASKS

RIVALLED = dataclasses.replace(TINY, adversarial=True)
STEPPED = dataclasses.replace(TINY, schedule="step")
PAPER = dataclasses.replace(TINY, encoder="resnet50")


@pytest.mark.parametrize(
    "name, config, change, counts",
    [
        ("jigsaw", TINY, {"tile_size": 8}, True),
        ("normal", TINY, {"tile_size": 8}, False),
        ("normal", RIVALLED, {"warm_up": 1}, True),
        ("normal", TINY, {"warm_up": 1}, False),
        ("class_scene", RIVALLED, {"warm_up": 1}, False),
        ("normal", TINY, {"adversarial": True}, True),
        ("class_scene", TINY, {"adversarial": True}, False),
        ("normal", STEPPED, {"decay_after": 1}, True),
        ("normal", TINY, {"decay_after": 1}, False),
        ("normal", TINY, {"steps": 2}, True),
        ("normal", TINY, {"shares": (("normal", 9.0),)}, True),
        ("normal", TINY, {"shares": (("jigsaw", 9.0),)}, False),
        ("normal", TINY, {"decoder_widths": (9, 8)}, True),
        ("class_scene", TINY, {"decoder_widths": (9, 8)}, False),
        ("class_scene", TINY, {"head_width": 9}, True),
        ("normal", TINY, {"head_width": 9}, False),
        ("egomotion", PAPER, {"head_width": 9}, True),
        ("normal", PAPER, {"encoder_widths": (9,), "decoder_widths": (9, 8)}, False),
        ("normal", TINY, {"encoder_widths": (9, 9, 9)}, True),
        # what transfers alone read, and what reads them
        ("normal", TINY, {"output_stride": 2}, False),
        ("normal", TINY, {"regimes": (4,), "transfer_order": 3, "ridges": (0.5,)}, False),
    ],
)
def test_a_field_counts_for_the_networks_that_it_changes(name, config, change, counts):
    store = TinyStore()
    before = network_address(TASKS[name], store, config)
    after = network_address(TASKS[name], store, dataclasses.replace(config, **change))
    assert (after != before) == counts


def test_kernels_of_heads_and_rivals_have_decays_of_their_own():
    published = dataclasses.replace(TINY, recipe="published", weight_decay=2e-6, adversarial=True)
    network, model = trainer(TASKS["class_scene"], published, SIZE)
    decays = model.optimizer.decays
    for part, decay in ((network.encoder, 1e-5), (network.head, 1e-4)):
        kernels = [each.path for each in part.trainable_variables if each.path.endswith("kernel")]
        assert kernels and [decays[path] for path in kernels] == pytest.approx(
            [decay] * len(kernels)
        )
    network, model = trainer(TASKS["normal"], published, SIZE)
    rivals = [path for path in model.optimizer.rivals if path.endswith("kernel")]
    assert [model.optimizer.decays[path] for path in rivals] == pytest.approx([2e-5] * 5)
    assert not [path for path in model.optimizer.decays if not path.endswith("kernel")]


def test_an_edit_of_readouts_trains_no_network_anew(tmp_path, monkeypatch):
    store = TinyStore()
    before = [network_address(TASKS[name], store, TINY) for name in ("normal", "class_scene")]
    edit = copy_of_sources(tmp_path, monkeypatch)
    edit("models/networks/architecture/pixel_readout.py", "UNIT = 64.0", "UNIT = 32.0")
    after = [network_address(TASKS[name], store, TINY) for name in ("normal", "class_scene")]
    assert after == before
