"""An address changes with inputs, with the settings that are read, and with the code."""

from dataclasses import replace

from edited_sources import copy_of_sources

from models.networks.config import NetworkConfig
from models.provenance.address import address_of, reads

ROOT = "models.networks.training.recipes:learning_rate"


def test_the_fields_that_the_code_reads_count_and_no_others():
    config = NetworkConfig()
    _, (values,) = reads(ROOT, config)
    assert {"learning_rate", "schedule", "decay_after"} <= set(values)
    assert "ridges" not in values and "transfer_images" not in values
    base = address_of(ROOT, settings=config)
    assert address_of(ROOT, settings=replace(config, ridges=(7.0,))) == base
    assert address_of(ROOT, settings=replace(config, decay_after=7)) != base


def test_inputs_count():
    assert address_of(ROOT, inputs={"labels": "a"}) != address_of(ROOT, inputs={"labels": "b"})


def test_a_property_reads_what_it_is_made_of():
    root = "models.networks.transfers.edge:write_transfer"
    _, (values,) = reads(root, NetworkConfig())
    assert {"policy_epochs", "learner", "transfer_epochs"} <= set(values), "through edge_epochs"


def test_how_work_is_shared_out_changes_no_address():
    root = "models.networks.task_networks.train:train_task"
    config = NetworkConfig()
    same = replace(config, trainers=3, feeders=2, checkpoint_seconds=1.0)
    assert address_of(root, settings=same) == address_of(root, settings=config)


def test_a_property_of_the_settings_counts_by_what_it_does_and_not_by_its_words(
    tmp_path, monkeypatch
):
    root = "models.networks.transfers.edge:write_transfer"
    base = address_of(root, settings=NetworkConfig())
    edit = copy_of_sources(tmp_path, monkeypatch)
    assert address_of(root, settings=NetworkConfig()) == base
    edit("models/networks/config.py", "most epochs of an edge", "no more epochs of an edge")
    assert address_of(root, settings=NetworkConfig()) == base
    edit("models/networks/config.py", "return self.transfer_epochs", "return 1")
    assert address_of(root, settings=NetworkConfig()) != base
