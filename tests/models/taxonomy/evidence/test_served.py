"""A policy judged by its exported edges, beside the transfers that were measured in their place."""

import numpy as np
import pytest

from models.taxonomy import Expenses, LossStore, Transfer, halves, measure, solve
from models.taxonomy.evidence.crossfit import split_of
from models.taxonomy.evidence.served import ServedLosses, as_served, served_evidence
from models.taxonomy.program.answers import answer
from models.taxonomy.program.request import Request

VIEWS = [f"building{b}/point_{p}/view_0" for b in range(4) for p in range(5)]
TARGETS = "abcd"
EXPENSES = Expenses(100, {"": 10})


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> LossStore:
    store, rng = LossStore(tmp_path_factory.mktemp("losses")), np.random.default_rng(0)
    for target in TARGETS:
        store.set_images(target, VIEWS)
        rows = {Transfer((name,), target): rng.random(len(VIEWS)) for name in TARGETS}
        rows[Transfer((), target, control="scratch")] = rng.random(len(VIEWS)) + 0.1
        rows[Transfer((), target, control="supervised")] = 0.7 * rng.random(len(VIEWS))
        rows[Transfer((), target, control="average")] = rng.random(len(VIEWS)) + 0.2
        store.extend(rows)
    return store


@pytest.fixture(scope="module")
def table(store):
    return measure(store)


@pytest.fixture(scope="module")
def policy(table):
    return solve(table, 2, 1)


@pytest.fixture(scope="module")
def served(store, policy) -> ServedLosses:
    """edges a little better than measured."""
    losses = {}
    for edge in policy.by("transferred"):
        measured = store.read(edge.transfer.target)
        row = measured.losses[measured.transfers.index(edge.transfer)]
        losses[edge.transfer] = np.float32(0.7) * row
    return ServedLosses(losses, store)


def naive_quality(store, losses, transfer, images) -> float:
    """share of images on which an edge beats the supervised network, image by image."""
    if transfer.control == "supervised":
        return 0.5
    measured = store.read(transfer.target)
    own = losses.get(transfer)
    if own is None:
        own = measured.losses[measured.transfers.index(transfer)]
    rival = measured.losses[
        measured.transfers.index(Transfer((), transfer.target, control="supervised"))
    ]
    places = [i for i, name in enumerate(measured.images) if name in images]
    return sum(own[i] < rival[i] for i in places) / len(places)


def naive_mean(store, losses, policy, images) -> float:
    values = [naive_quality(store, losses, edge.transfer, images) for edge in policy.edges]
    return float(np.mean(values))


def evidence(table, policy, served, tables):
    return served_evidence(table, policy, Request(2, 1), EXPENSES, served, tables)


def test_quality_as_served_is_what_other_code_counts(store, table, policy, served):
    facts = evidence(table, policy, served, halves(store))
    assert len(facts["edges"]) == len(served.losses) == 2
    assert facts["measured"]["quality"] == pytest.approx(policy.quality)
    assert facts["served"]["quality"] == pytest.approx(
        naive_mean(store, served.losses, policy, VIEWS)
    )
    assert facts["served"]["quality"] > facts["measured"]["quality"]
    assert facts["served"]["saved"] > facts["measured"]["saved"]
    for row in facts["edges"]:
        assert row["served"]["loss"] == pytest.approx(0.7 * row["measured"]["loss"], rel=1e-5)
        assert row["served"]["gain"] >= row["measured"]["gain"]


@pytest.fixture(scope="module")
def served_by_half(store) -> ServedLosses:
    """one transfer of the first half's policy was exported, both of the second's: with losses of a
    third, so that they win on images of either half on which they lost.
    """
    losses = {}
    for half, count in zip(halves(store), (1, 2)):
        for edge in answer(half, Request(2, 1)).by("transferred")[:count]:
            measured = store.read(edge.transfer.target)
            row = measured.losses[measured.transfers.index(edge.transfer)]
            losses[edge.transfer] = row * np.float32(1 / 3)
    return ServedLosses(losses, store)


def test_each_half_judges_the_choice_of_the_other_as_measured_and_as_served(
    store, table, policy, served_by_half
):
    tables, served = halves(store), served_by_half
    facts = evidence(table, policy, served, tables)["crossfit"]
    in_first = split_of(dict.fromkeys(TARGETS, VIEWS))
    sides = [[name for name in VIEWS if in_first(name)], [n for n in VIEWS if not in_first(n)]]
    policies = [answer(half, Request(2, 1)) for half in tables]
    for form, losses in (("served", served.losses), ("measured", {})):
        expected = [naive_mean(store, losses, policies[i], sides[1 - i]) for i in (0, 1)]
        assert facts[form]["quality"] == pytest.approx(np.mean(expected))
    assert facts["served"]["quality"] > facts["measured"]["quality"]
    # two transfers a half, three of them exported
    assert facts["shared"] == 0.75


def test_a_half_judges_an_exported_edge_by_its_own_images_alone(store, table, served_by_half):
    in_first = split_of(dict.fromkeys(TARGETS, VIEWS))
    exported = as_served(table, served_by_half, in_first)
    for edge, own in served_by_half.losses.items():
        row, measured = exported.of[edge], store.read(edge.target)
        places = [i for i, name in enumerate(measured.images) if in_first(name)]
        for control, rate in (("scratch", row.gain), ("supervised", row.quality)):
            rival = Transfer((), edge.target, control=control)
            against = measured.losses[measured.transfers.index(rival)]
            assert rate == pytest.approx(np.mean([own[i] < against[i] for i in places]))
        assert row.mean_loss == pytest.approx(np.mean([own[i] for i in places]))


def test_an_edge_of_few_data_is_held_against_scratch_on_as_few(tmp_path):
    store, ones = LossStore(tmp_path), np.ones(len(VIEWS), "float32")
    store.set_images("a", VIEWS)
    for regime, scratch in (("", 0.5), ("few", 2.0)):
        store.append(Transfer(("b",), "a", regime), ones)
        store.append(Transfer((), "a", regime, "scratch"), scratch * ones)
    store.append(Transfer((), "a", control="supervised"), 0.25 * ones)
    edge = Transfer(("b",), "a", "few")
    row = as_served(measure(store), ServedLosses({edge: ones}, store)).of[edge]
    assert (row.gain, row.quality) == (1.0, 0.0)


def test_without_halves_the_policy_is_judged_all_the_same(table, policy, served):
    assert evidence(table, policy, served, None)["crossfit"] is None


def test_other_rows_and_all_affinities_stay_as_measured(table, served):
    exported = as_served(table, served)
    assert exported.targets == table.targets
    for row in table.rows:
        assert exported.of[row.transfer].affinity == row.affinity
        assert row.transfer in served.losses or exported.of[row.transfer] == row


def test_losses_of_other_test_images_are_refused(table, store, served):
    edge = next(iter(served.losses))
    with pytest.raises(ValueError, match="20 test images; train the policy again"):
        as_served(table, ServedLosses({edge: np.zeros(3, "float32")}, store))
    with pytest.raises(LookupError, match="no store of losses has the target"):
        as_served(table, ServedLosses({edge: np.zeros(20, "float32")}, []))
