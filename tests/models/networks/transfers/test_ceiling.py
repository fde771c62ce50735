"""The ceiling of a grid: no source is better, and a label that never changes is known."""

import io
from dataclasses import replace

import numpy as np
import pytest
from tiny_store import TINY, TinyStore
from transfer_bank import SOURCES, TARGETS, measured, transfer_bank

from models.networks.transfers.bench import Bench
from models.networks.transfers.ceiling import ceilings, label_codes, map_ceilings, vector_ceiling
from models.networks.transfers.measure import ledger_of


def bench_of(store, tmp_path, targets, **settings):
    bank = transfer_bank()
    ledgers = {name: ledger_of(name, bank.store, TINY, tmp_path) for name in targets}
    config = replace(TINY, **settings)
    return Bench(store, bank.representations, bank.networks, config, ledgers, out=io.StringIO())


class Constant(TinyStore):
    """a store in which every sample of a split has the label of the first."""

    def samples(self, name, split):
        data = super().samples(name, split)
        same = np.repeat(data.target[:1], len(data.target), 0)
        return type(data)(data.views, same, np.ones_like(data.mask))


def test_no_source_is_better_to_noise(tmp_path):
    bench = bench_of(transfer_bank().store, tmp_path, TARGETS)
    rows = {row["target"]: row for row in ceilings(bench, TARGETS, 8)}
    sources = measured(transfer_bank())[0]
    for target in TARGETS:
        alone = [
            losses.mean()
            for transfer, _, losses in sources
            if transfer["target"] == target and len(transfer["sources"]) == 1
        ]
        assert len(alone) == len(SOURCES)
        assert rows[target]["loss"] <= 1.02 * min(alone)
        assert 0 <= rows[target]["quality"] <= 1
    again = ceilings(bench, TARGETS, 8)
    assert {row["target"]: row for row in again} == rows


@pytest.mark.parametrize("channels", [1, 8])
def test_a_label_that_never_changes_is_known(tmp_path, channels):
    bench = bench_of(Constant(), tmp_path, [])
    regime = bench.regimes[-1]
    losses = vector_ceiling(bench, regime, "fixated_pose", channels)
    np.testing.assert_allclose(losses, 0, atol=1e-5)


class Blocks(TinyStore):
    """a store whose maps have four numbers a cell of the grid: squares of an eighth of the side."""

    def samples(self, name, split):
        data = super().samples(name, split)
        cells = np.random.default_rng(len(split)).random((len(data.target), 8, 8, 1))
        side = data.target.shape[1] // 8
        maps = cells.repeat(side, 1).repeat(side, 2).astype("float32")
        return type(data)(data.views, maps, np.ones_like(data.mask))


def test_as_many_channels_as_a_cell_has_numbers_know_the_map(tmp_path):
    bench = bench_of(Blocks(), tmp_path, [], ridges=(1e-5,))
    regime = bench.regimes[-1]
    one, four = (
        float(map_ceilings(bench, regime, ["reshading"], channels)["reshading"].mean())
        for channels in (1, 4)
    )
    assert four < 0.02 < 0.1 < one


def test_codes_are_components_of_the_teaching_labels():
    rng = np.random.default_rng(0)
    labels = {split: rng.normal(size=(9, 2, 2, 5)).astype("float32") for split in ("val", "test")}
    codes = label_codes(labels, 5)
    flat = codes["val"].reshape(-1, 5).astype("float64")
    np.testing.assert_allclose(flat.mean(0), 0, atol=1e-2)
    np.testing.assert_allclose(flat.std(0), 1, atol=1e-2)
    assert np.abs(np.corrcoef(flat.T) - np.eye(5)).max() < 1e-2
    assert codes["test"].shape == (9, 2, 2, 5)
