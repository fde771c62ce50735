"""The measurement again: other seeds give other losses, the same seed the same, a killed run goes
on.
"""

import dataclasses

import numpy as np
import pytest
from tiny_store import TINY, TinyStore

from components.evaluate_taxonomy import read_seed_tables
from components.measure_seeds import measure_with_seed, repeated
from models.networks.task_networks import ledger
from models.networks.transfers.bench import Bench
from models.taxonomy import Affinities

NAMES = ["normal", "depth_zbuffer", "random_projection"]
TARGETS = ["normal", "depth_zbuffer"]


def again(folder, seed) -> Affinities:
    settings = dataclasses.replace(TINY, seed=seed)
    return measure_with_seed(TinyStore(), NAMES, TARGETS, [], settings, None, str(folder))


def losses(table: Affinities) -> np.ndarray:
    return np.array([row.mean_loss for row in table.rows if row.transfer.control is None])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("seeds")


def test_another_seed_measures_other_losses_of_the_same_transfers(folder, tmp_path):
    first, other = again(folder / "1", 1), again(tmp_path, 2)
    assert [row.transfer for row in first.rows] == [row.transfer for row in other.rows]
    assert (losses(first) != losses(other)).mean() > 0.9


def test_what_was_measured_is_not_measured_again(folder, monkeypatch):
    first = again(folder / "1", 1)
    monkeypatch.setattr(ledger, "train_task", None)
    monkeypatch.setattr(Bench, "keep", None)
    np.testing.assert_array_equal(losses(again(folder / "1", 1)), losses(first))


def test_a_repeated_measurement_has_another_seed_and_no_networks_of_shares_of_the_labels():
    run = dataclasses.replace(TINY, seed=4, calibration_targets=2, supervised_shares=(0.5,))
    assert repeated(run, 2) == dataclasses.replace(TINY, seed=6)


def test_tables_are_read_in_the_order_of_their_seeds(folder, tmp_path):
    table = again(folder / "1", 1)
    for number in (10, 2, 1):
        part = table.only(lambda row, n=number: n != 2 or row.transfer.target == "normal")
        part.save(tmp_path / f"seed-{number}.json")
    sizes = [len(table.rows) for table in read_seed_tables(str(tmp_path))]
    assert sizes[1] < sizes[0] == sizes[2]
