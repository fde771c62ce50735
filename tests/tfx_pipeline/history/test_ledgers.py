"""What a run added to the ledgers."""

import numpy as np
import pytest

from models.networks.transfers.ledger import TransferLedger
from models.provenance.atomic import write_json
from tfx_pipeline.history.ledgers import (
    NETWORKS,
    TRANSFERS,
    ledgers_of,
    measured_since,
    rows_in,
    trained_since,
)


@pytest.fixture
def run(tmp_path):
    for name, address in (("normal", "a1"), ("jigsaw", "a2")):
        write_json(tmp_path / NETWORKS / name / "network.json", {"address": address})
    TransferLedger(tmp_path / TRANSFERS / "normal").extend({"x": np.ones(3, "float32")})
    return tmp_path


def test_networks_and_rows_that_came_are_counted(run):
    before = ledgers_of(run)
    assert before.networks == {"jigsaw": "a2", "normal": "a1"} and len(before.segments) == 1
    write_json(run / NETWORKS / "normal" / "network.json", {"address": "b1"})
    write_json(run / NETWORKS / "reshading" / "network.json", {"address": "a3"})
    rows = {"y": np.ones(3, "float32"), "z": np.zeros(3, "float32")}
    TransferLedger(run / TRANSFERS / "normal").extend(rows)
    after = ledgers_of(run)
    assert trained_since(before, after) == ("normal", "reshading")
    assert measured_since(run, before, after) == 2
    assert trained_since(after, after) == () and measured_since(run, after, after) == 0


def test_an_empty_folder_has_none(tmp_path):
    found = ledgers_of(tmp_path)
    assert found.networks == {} and not found.segments


def test_what_cannot_be_read_counts_for_nothing(run):
    (run / NETWORKS / "normal" / "network.json").write_text("{torn")
    assert ledgers_of(run).networks["normal"] == ""
    torn = run / TRANSFERS / "normal" / "segment-torn.npz"
    torn.write_bytes(b"torn")
    assert rows_in(torn) == 0 and rows_in(run / "none") == 0
