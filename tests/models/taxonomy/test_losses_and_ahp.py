"""Losses -> win rates -> affinities, by the specification's numbers and by naive loops."""

import numpy as np
import pytest

from models.taxonomy import Affinities, LossStore, Transfer, evaluate, measure, solve_all
from models.taxonomy.ahp import affinities
from models.taxonomy.tournament import win_matrix, win_rate

WINS = np.array(
    [[0.5, 0.8, 0.9, 1], [0.2, 0.5, 0.7, 0.95], [0.1, 0.3, 0.5, 0.9], [0, 0.05, 0.1, 0.5]]
)


def test_the_specifications_eigenvector_comes_out():
    found = affinities(WINS)
    np.testing.assert_allclose(found.affinity, [0.86388, 0.09262, 0.04086, 0.00263], atol=1e-5)
    assert found.eigenvalue == pytest.approx(4.90139, abs=1e-5)


def test_a_transfer_that_never_wins_makes_a_reducible_tournament():
    assert affinities(np.array([[0.5, 1.0], [0.0, 0.5]])).reducible
    assert not affinities(WINS).reducible


def test_win_rates_equal_the_naive_double_loop():
    losses = np.random.default_rng(0).integers(0, 5, (6, 40)).astype("float32")
    naive = [
        [np.mean([(a < b) + 0.5 * (a == b) for a, b in zip(x, y)]) for y in losses] for x in losses
    ]
    np.testing.assert_allclose(win_matrix(losses), naive)
    np.testing.assert_allclose(win_rate(losses, losses[2]), np.array(naive)[:, 2])


def test_what_is_no_tournament_is_refused():
    with pytest.raises(ValueError, match="wins\\[i, j\\]"):
        affinities(np.array([[0.5, 0.9], [0.9, 0.5]]))


def filled(directory, targets=("a", "b", "c"), images=30) -> LossStore:
    store, rng = LossStore(directory), np.random.default_rng(0)
    for target in targets:
        store.set_images(target, [f"i{i}" for i in range(images)])
        for source in targets:
            store.append(Transfer((source,), target), rng.random(images) + 0.1 * (source != target))
        for control, extra in (("supervised", 0.0), ("scratch", 0.3), ("average", 0.6)):
            store.append(Transfer((), target, control=control), rng.random(images) + extra)
    return store


def test_affinities_of_a_target_sum_to_one(tmp_path):
    table = measure(filled(tmp_path))
    for target in table.targets:
        assert sum(
            row.affinity
            for row in table.rows
            if row.transfer.target == target and row.transfer.control != "scratch"
        ) == pytest.approx(1)
    own = table.supervised("a")
    assert own.quality == 0.5 and 0 <= own.gain <= 1


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_a_table_reads_back(tmp_path, suffix):
    table = measure(filled(tmp_path / "losses"))
    table.save(tmp_path / f"table{suffix}")
    assert Affinities.load(tmp_path / f"table{suffix}").rows == table.rows


def test_a_store_only_grows(tmp_path):
    store = filled(tmp_path)
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
        filled(tmp_path).append(Transfer(("a", "b"), "c"), values)


def test_evidence_has_a_verdict_and_baselines(tmp_path):
    table = measure(filled(tmp_path))
    book = evaluate(table, solve_all(table, [1, 2], [1]), budget=2, order=1, policies=100)
    assert {row["name"] for row in book["baselines"]} == {
        "this taxonomy",
        "greedy",
        "single best source",
        "everything from scratch",
    }
    assert (
        0 < book["significance"]["p"] <= 1 and "random policies" in book["significance"]["verdict"]
    )
