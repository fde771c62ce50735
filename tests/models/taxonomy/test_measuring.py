"""The affinity store and what is derived from it: addresses, regimes, the cache, memory-bounded win
matrices, diagnostics.
"""

import json

import numpy as np
import pytest

from models.taxonomy import Affinities, LossStore, Transfer, measure
from models.taxonomy.ahp import affinities, principal_vectors
from models.taxonomy.measurement import friedman, several
from models.taxonomy.tournament import win_matrix

IMAGES = [f"i{i}" for i in range(60)]


def stored(directory, regimes=("",), targets=("a", "b"), seed=0) -> LossStore:
    store, rng = LossStore(directory), np.random.default_rng(seed)
    for target in targets:
        store.set_images(target, IMAGES)
        for regime in regimes:
            for shift, source in enumerate("abcd"):
                store.append(Transfer((source,), target, regime), rng.random(60) + 0.1 * shift)
            store.append(Transfer((), target, regime, "scratch"), rng.random(60) + 0.5)
        store.append(Transfer((), target, control="supervised"), rng.random(60))
    return store


def test_a_store_is_the_same_however_its_rows_came(tmp_path):
    first, second = stored(tmp_path / "a"), LossStore(tmp_path / "b")
    found = first.read("a")
    second.set_images("a", IMAGES)
    order = np.random.default_rng(1).permutation(len(found.transfers))
    second.extend({found.transfers[i]: found.losses[i] for i in order[:3]})
    second.extend(
        {found.transfers[i]: dict(zip(IMAGES, found.losses[i].tolist())) for i in order[3:]}
    )
    assert second.address("a") == first.address("a")
    assert second.read("a").transfers == found.transfers
    np.testing.assert_array_equal(second.read("a").losses, found.losses)


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
    store = stored(tmp_path)
    address = store.address("a")
    np.save(
        tmp_path / "a" / "segment-0000.npy", np.ones((1, 60), "float32")
    )  # killed before the description was written
    assert store.address("a") == address
    assert measure(store).rows


def test_one_more_regime_computes_only_its_own_tournament(tmp_path):
    store = stored(tmp_path / "store", regimes=("1k",))
    measure(store, cache=tmp_path / "cache")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    rng = np.random.default_rng(5)
    for source in "abcd":
        store.append(Transfer((source,), "a", "16k"), rng.random(60))
    measure(store, cache=tmp_path / "cache")
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    assert len(before) == 2 and len(after) == 3
    assert {name: after[name] for name in before} == before


def test_regimes_are_put_on_one_scale_by_the_supervised_network(tmp_path):
    table = measure(stored(tmp_path / "both", regimes=("1k", "16k")))
    rows = {row.transfer: row.affinity for row in table.rows if row.transfer.target == "a"}
    inside = [value for transfer, value in rows.items() if transfer.control != "scratch"]
    assert sum(inside) == pytest.approx(1)
    alone = measure(only(tmp_path, "16k"))
    lone = {row.transfer: row.affinity for row in alone.rows if row.transfer.target == "a"}
    own = Transfer((), "a", control="supervised")
    for source in "abcd":
        transfer = Transfer((source,), "a", "16k")
        assert rows[transfer] / rows[own] == pytest.approx(lone[transfer] / lone[own], rel=1e-6)
    joined = several(
        {
            "1k": Affinities.load(saved(tmp_path, "1k")),
            "16k": Affinities.load(saved(tmp_path, "16k")),
        }
    )
    assert {str(row.transfer) for row in joined.rows} == {str(row.transfer) for row in table.rows}


def only(tmp_path, regime) -> LossStore:
    """the rows of one regime of the store `both`, in a store of their own."""
    found, store = LossStore(tmp_path / "both"), LossStore(tmp_path / f"only-{regime}")
    for target in found.targets():
        rows = found.read(target)
        store.set_images(target, rows.images)
        for transfer, losses in zip(rows.transfers, rows.losses):
            if transfer.regime in ("", regime):
                store.append(transfer, losses)
    return store


def saved(tmp_path, regime):
    """an affinity table of one regime that, like a released file, does not name it."""
    path = tmp_path / f"{regime}.json"
    measure(only(tmp_path, regime)).save(path)
    content = json.loads(path.read_text())
    path.write_text(
        json.dumps({**content, "rows": [{**row, "regime": ""} for row in content["rows"]]})
    )
    return path


def test_regimes_without_a_common_anchor_are_refused(tmp_path):
    store = LossStore(tmp_path)
    store.set_images("a", IMAGES)
    for regime in ("1k", "16k"):
        store.append(Transfer(("b",), "a", regime), np.ones(60))
        store.append(Transfer(("c",), "a", regime), np.ones(60))
    with pytest.raises(ValueError, match="no supervised network in common"):
        measure(store)


def test_an_empty_tournament_is_refused(tmp_path):
    store = LossStore(tmp_path)
    with pytest.raises(ValueError, match="stores hold no target"):
        measure(store)
    store.set_images("a", IMAGES)
    store.append(Transfer((), "a", control="average"), np.ones(60))
    with pytest.raises(ValueError, match="tournament of a is empty"):
        measure(store)


def test_win_matrices_of_many_images_pass_the_byte_counters():
    losses = np.random.default_rng(0).integers(0, 3, (5, 700)).astype("float32")
    naive = [[np.mean((a < b) + 0.5 * (a == b)) for b in losses] for a in losses]
    np.testing.assert_allclose(win_matrix(losses), naive)


def test_large_tournaments_have_the_dense_eigenvector():
    losses = np.random.default_rng(0).random((80, 50)) + np.linspace(0, 0.5, 80)[:, None]
    wins = win_matrix(losses)
    clipped = np.clip(wins, 1e-3, 1 - 1e-3)
    values, vectors = np.linalg.eig(clipped / clipped.T)
    first = np.argsort(-np.abs(values))
    wanted = np.abs(vectors[:, first[0]].real)
    found = affinities(wins)
    np.testing.assert_allclose(found.affinity, wanted / wanted.sum(), atol=1e-9)
    assert found.gap == pytest.approx(abs(values[first[1]] / values[first[0]]), rel=1e-6)
    np.testing.assert_allclose(principal_vectors(wins[None])[0], found.affinity, atol=1e-5)


def test_friedman_is_scipys_and_tells_noise_from_difference():
    from scipy.stats import friedmanchisquare

    rng = np.random.default_rng(0)
    noise = rng.integers(0, 4, (6, 200)).astype("float32")
    assert friedman(noise) == pytest.approx(friedmanchisquare(*noise).pvalue, rel=1e-6)
    assert friedman(rng.random((6, 200)) + np.arange(6)[:, None]) < 1e-6
    assert friedman(np.ones((4, 10))) == 1.0
