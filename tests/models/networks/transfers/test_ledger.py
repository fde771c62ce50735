"""The ledger of measured transfers: rows under what they depend on, in whole files."""

import json

import numpy as np
import pytest

from models.networks.transfers.ledger import TransferLedger, key_of


def losses(value: float) -> np.ndarray:
    return np.full(4, value, "float32")


def test_rows_come_back_and_more_are_added_as_one_file_each_time(tmp_path):
    ledger = TransferLedger(tmp_path / "normal")
    ledger.extend({"a": losses(1), "b": losses(2)})
    ledger.extend({})
    ledger.extend({"c": losses(3)})
    assert len(list((tmp_path / "normal").glob("segment-*.npz"))) == 2
    again = TransferLedger(tmp_path / "normal")
    assert "a" in again and "d" not in again and again["c"].tolist() == [3, 3, 3, 3]
    assert again["b"].dtype == np.float32


def test_losses_that_are_no_numbers_keep_nothing(tmp_path):
    ledger = TransferLedger(tmp_path)
    with pytest.raises(ValueError, match="1 of 2 transfers .* such as b; nothing of them was kept"):
        ledger.extend({"a": losses(1), "b": losses(np.nan)})
    assert not ledger.rows and not list(tmp_path.glob("segment-*"))


def test_a_damaged_file_is_set_aside_and_its_rows_are_lacking(tmp_path):
    TransferLedger(tmp_path).extend({"a": losses(1)})
    TransferLedger(tmp_path).extend({"b": losses(2)})
    damaged = sorted(tmp_path.glob("segment-*.npz"))[0]
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    assert len(TransferLedger(tmp_path).rows) == 1


def test_a_key_is_all_that_a_row_depends_on_in_order():
    base = {"sources": [("normal", "a1"), ("jigsaw", "a2")], "regime": "all", "samples": "s"}
    key = key_of(**base)
    assert json.loads(key)[0] == [["normal", "a1"], ["jigsaw", "a2"]]
    for change in (
        {"sources": base["sources"][::-1]},
        {"sources": [("normal", "a1"), ("jigsaw", "a3")]},
        {"regime": "48"},
        {"samples": "t"},
        {"control": "pixels"},
        {"own": "x"},
    ):
        assert key_of(**{**base, **change}) != key


@pytest.mark.parametrize("anew", [False, True])
def test_rows_are_pages_of_their_files_and_not_held(tmp_path, anew):
    ledger = TransferLedger(tmp_path)
    ledger.extend({"a": np.arange(5, dtype="float32"), "b": losses(2).repeat(2)[:5]})
    ledger.extend({"c": np.full(5, 7.0)})
    if anew:
        ledger = TransferLedger(tmp_path)
    assert all(isinstance(row, np.memmap) for row in ledger.rows.values())
    assert ledger["a"].tolist() == [0, 1, 2, 3, 4] and ledger["c"].tolist() == [7] * 5
