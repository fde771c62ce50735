"""A warm start begins from the networks of the version that serves, of no other."""

import dataclasses
import json
import shutil

import pytest
from made_history import MadeRuns

from tfx_pipeline.config import ConfigError, configuration
from tfx_pipeline.history.blessed import blessed_networks
from tfx_pipeline.pipeline import make_pipeline


def networks(address):
    return {"TrainTasks/networks": {"normal/network.json": {"address": address}}}


def test_the_networks_of_the_version_that_serves_are_found(tmp_path):
    assert blessed_networks(tmp_path) == {}
    made = MadeRuns(tmp_path)
    made.add(version=7, files=networks("a"))
    made.add(version=8, files=networks("b"))
    made.add(until="BuildBundle", ends="failed", files=networks("c"))

    def served():
        [(task, folder)] = blessed_networks(tmp_path).items()
        with open(f"{folder}/network.json") as file:
            return task, json.load(file)["address"]

    assert served() == ("normal", "b")
    shutil.move(tmp_path / "serving/taxonomy/8", tmp_path / "serving/taxonomy/.withdrawn-8")
    assert served() == ("normal", "a")


def test_a_pipeline_for_a_cluster_cannot_start_warm(tmp_path):
    config = dataclasses.replace(configuration("smoke", []), warm_start=True)
    with pytest.raises(ConfigError, match="compile without it"):
        make_pipeline(
            config,
            data=str(tmp_path),
            run=str(tmp_path),
            root="gs://bucket/root",
            fingerprint="f",
        )
