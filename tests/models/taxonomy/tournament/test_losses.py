"""The store of losses: it only grows, and is the same however its rows came."""

import numpy as np
import pytest
from affinity_tables import IMAGES, shifted_store, small_store

from models.taxonomy import LossStore, Transfer, measure


def test_a_store_only_grows(tmp_path):
    store = small_store(tmp_path)
    store.append(
        Transfer(("a",), "b"),
        store.read("b").losses[store.read("b").transfers.index(Transfer(("a",), "b"))],
    )
    with pytest.raises(ValueError, match="other losses"):
        store.append(Transfer(("a",), "b"), np.ones(30))
    with pytest.raises(ValueError, match="another one"):
        store.set_images("a", ["x"])


@pytest.mark.parametrize(
    "values, message",
    [
        (np.full(30, np.nan), "not finite"),
        (np.full(30, -1.0), "not negative"),
        (np.ones(29), "29 losses for 30"),
    ],
)
def test_losses_that_are_none_are_refused(tmp_path, values, message):
    with pytest.raises(ValueError, match=message):
        small_store(tmp_path).append(Transfer(("a", "b"), "c"), values)


def test_a_store_is_the_same_however_its_rows_came(tmp_path):
    first, second = shifted_store(tmp_path / "a"), LossStore(tmp_path / "b")
    losses = first.read("a")
    second.set_images("a", IMAGES)
    order = np.random.default_rng(1).permutation(len(losses.transfers))
    second.extend({losses.transfers[i]: losses.losses[i] for i in order[:3]})
    second.extend(
        {losses.transfers[i]: dict(zip(IMAGES, losses.losses[i].tolist())) for i in order[3:]}
    )
    assert second.address("a") == first.address("a")
    assert second.read("a").transfers == losses.transfers
    np.testing.assert_array_equal(second.read("a").losses, losses.losses)


def test_another_network_under_the_same_name_is_refused(tmp_path):
    store = LossStore(tmp_path)
    store.set_images("a", IMAGES)
    store.append(Transfer(("b",), "a"), np.ones(60), address="networks 1")
    store.append(Transfer(("b",), "a"), np.ones(60), address="networks 1")
    with pytest.raises(ValueError, match="other networks or data"):
        store.append(Transfer(("b",), "a"), np.ones(60), address="networks 2")


def test_images_that_lack_for_one_transfer_are_named(tmp_path):
    store = LossStore(tmp_path)
    store.set_images("a", IMAGES)
    with pytest.raises(
        ValueError, match=r"2 are missing \(i0, i1\), 1 are not in the test set \(elsewhere\)"
    ):
        store.append(Transfer(("b",), "a"), {**dict.fromkeys(IMAGES[2:], 1.0), "elsewhere": 1.0})
    with pytest.raises(ValueError, match="name the test set"):
        store.append(Transfer(("b",), "c"), np.ones(60))


def test_a_half_written_segment_does_not_exist(tmp_path):
    store = shifted_store(tmp_path)
    address = store.address("a")
    np.save(
        tmp_path / "a" / "segment-0000.npy", np.ones((1, 60), "float32")
    )  # killed before the description was written
    assert store.address("a") == address
    assert measure(store).rows
