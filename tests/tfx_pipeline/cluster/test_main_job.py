"""The small main job on an emulated cluster, beside the local run."""

import re
import shutil
from pathlib import Path

import numpy as np
from small_run import SMOKE, command

from models.examples.label_store import LabelStore
from tfx_pipeline.__main__ import main

# Networks of the local run that the cluster's ledger lacks, all of the first shard: one more than
# are trained side by side, so that a kill as one is done finds another in training.
LOST = ("autoencoding", "keypoints3d", "normal")


def compiled(volume: Path) -> Path:
    """for the emulated cluster whose shared volume is `volume`."""
    file = volume / "taxonomy.yaml"
    places = ("--data", volume / "data", "--work", volume, "--root", "gs://bucket/root")
    words = ("compile", *SMOKE, *places, "--shards", "2,2", "--out", file)
    assert main([*map(str, words)]) == 0
    return file


def run_there(file: Path, volume: Path, *words) -> str:
    """the table of steps."""
    done = command(
        "tfx_pipeline.cluster.emulator", file, "--fork", "--disk", volume / "disk", *words
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_cluster_with_a_kill_gives_the_networks_and_taxonomies_of_the_local_run(demo, tmp_path):
    """its ledger is the local run's without three networks: these are trained on the cluster."""
    volume = tmp_path / "volume"
    shutil.copytree(demo.first / "data", volume / "data")
    shutil.copytree(demo.first / "work", volume / "work")
    for name in LOST:
        shutil.rmtree(volume / "work" / "networks" / name)
    file = compiled(volume)
    kill = ("--kill", "TrainTasks-0", "autoencoding:")
    table = run_there(file, volume, *kill, "--to", "SolveTaxonomy")
    assert re.search(r"TrainTasks-0 +try 1 +exit +-9", table)
    assert re.search(r"TrainTasks-0 +try 2 +exit +0", table)
    assert " left " not in table, "a step wrote into its own folder, which a pod loses"
    store = volume / "disk" / "store" / "gcs" / "bucket" / "root"
    bank = store / "JoinNetworks" / "joined"
    local = demo.first / "work" / "networks"
    for name in LOST:
        weights = "encoder.weights.h5"
        assert tree(bank / name).keys() == tree(local / name).keys()
        # Not to the byte: a step that trains one network has all threads for it, sums differ.
        np.testing.assert_allclose(
            np.load(bank / name / "test_losses.npy"),
            np.load(local / name / "test_losses.npy"),
            rtol=1e-4,
        )
        assert (bank / name / weights).stat().st_size == (local / name / weights).stat().st_size
    solved = store / "SolveTaxonomy" / "taxonomies"
    assert tree(solved) == tree(demo.first / "taxonomies")

    # changed data: another reshading label of one training view is not taken for the known one
    label_store = store / "DecodeLabels" / "labels" / "store"
    before = LabelStore(label_store).address("reshading")
    labels = sorted((volume / "data").glob("*/reshading/*.png"))
    shutil.copy(labels[0], labels[1])
    run_there(file, volume, "--to", "DecodeLabels")
    assert LabelStore(label_store).address("reshading") != before
