"""Evidence behind an edge: counts of test pictures, and how likely the runner-up is better."""

import numpy as np

from components.edge_evidence import BINS, edge_evidence, histograms, key_of, rivals
from models.taxonomy import LossStore, Resamples, Transfer


def drawn() -> Resamples:
    transfers = (Transfer(("a",), "t"), Transfer(("b",), "t"), Transfer(("t", "b"), "t"))
    affinity = np.array([[0.5, 0.4, 0.9], [0.3, 0.4, 0.9], [0.5, 0.1, 0.9], [0.5, 0.2, 0.9]])
    return Resamples(transfers, affinity.astype("float32"), affinity, affinity)


def test_every_test_picture_is_in_one_bin():
    values = np.random.default_rng(0).random(50)
    facts = histograms(values, values + 1)
    assert sum(facts["losses"]) == sum(facts["supervised"]) == 50
    assert len(facts["losses"]) == BINS


def test_a_rival_is_better_in_the_share_of_resamples_that_say_so():
    assert rivals(drawn(), Transfer(("a",), "t"), [frozenset("ab")]) == {key_of(["b"], "t"): 0.25}


def test_a_rival_comes_from_what_is_bought_and_not_from_the_target_itself():
    assert rivals(drawn(), Transfer(("a",), "t"), [frozenset("at")]) == {}


def test_edges_of_all_policies_have_evidence(tmp_path):
    store = LossStore(tmp_path / "losses")
    store.set_images("t", ["one", "two"])
    for transfer in drawn().transfers[:2]:
        store.append(transfer, np.array([0.1, 0.2], "float32"))
    drawn().save(tmp_path / "resamples.npz")
    policies = [
        {"supervised": [name], "edges": [{"sources": [name], "target": "t"}]} for name in "ab"
    ]
    chosen = {"edges": []}
    evidence = edge_evidence(
        tmp_path, [tmp_path / "losses"], tmp_path, policies, chosen, store=None
    )
    assert set(evidence) == {key_of([name], "t") for name in "ab"}
    assert all(facts["supervised"] is None for facts in evidence.values())
