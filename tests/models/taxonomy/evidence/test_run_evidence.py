"""The evidence book of a run: labels at what each amount of data really holds, one measurement or
several.
"""

from dataclasses import replace

import numpy as np
import pytest
from affinity_tables import with_shares

from models.taxonomy import (
    Affinities,
    LossStore,
    Transfer,
    bootstrap,
    halves,
    measure,
    solve_all,
    with_spread,
)
from models.taxonomy.evidence.proxies import PROXIES
from models.taxonomy.evidence.run_evidence import (
    EvidenceInputs,
    evidence_book,
    images_by_regime,
    reasons_against,
    seeds_page,
)
from models.taxonomy.evidence.served import ServedLosses
from models.taxonomy.program.run_request import request_fields

VIEWS = [f"building{b}/point_{p}/view_0" for b in range(4) for p in range(5)]
TARGETS = ["normal", "reshading", "depth_zbuffer", "edge_texture"]
SMALL = "30"  # pictures of the second amount of data


def test_each_regime_is_booked_at_its_own_number_of_images():
    assert images_by_regime(["1000", "16000"], 500, 12_000) == {"1000": 1000, "16000": 12_000}


def test_a_single_regime_is_booked_at_what_was_asked_for_or_what_there_is():
    assert images_by_regime([""], 500, 12_000) == {"": 500}
    assert images_by_regime([""], 16_000, 90) == {"": 90}


def losses(folder, regimes) -> LossStore:
    store, rng = LossStore(folder), np.random.default_rng(0)
    for target in TARGETS:
        store.set_images(target, VIEWS)
        rows = {}
        for regime in regimes:
            rows |= {Transfer((name,), target, regime): rng.random(20) for name in TARGETS}
            rows[Transfer((), target, regime, "scratch")] = rng.random(20) + 0.1
        rows[Transfer((), target, control="supervised")] = 0.7 * rng.random(20)
        rows[Transfer((), target, control="average")] = rng.random(20) + 0.2
        store.extend(rows)
    return store


def proxies():
    rng = np.random.default_rng(1)
    return [
        {"sources": [source], "target": target, **dict(zip(PROXIES, rng.random(4).tolist()))}
        for source in TARGETS
        for target in TARGETS
    ]


def inputs_of(store: LossStore, **more) -> EvidenceInputs:
    resamples = bootstrap(store, resamples=20, seed=0, regime="")
    table = with_spread(measure(store, regime=""), resamples)
    request = request_fields(table, scratch=True, costs="equal")
    answers = solve_all(table, [1, 2], [1], **request)
    chosen = next(policy for policy in answers if policy.budget == 2)
    exported = {}
    for edge in chosen.by("transferred"):
        measured = store.read(edge.transfer.target)
        exported[edge.transfer] = measured.losses[measured.transfers.index(edge.transfer)]
    return EvidenceInputs(
        table=table,
        answers=answers,
        budget=2,
        order=1,
        request=request,
        policies=50,
        seed=0,
        resamples=resamples,
        exported=ServedLosses(exported, store),
        train_images=100,
        transfer_split_images=80,
        transfer_images=90,
        seconds=dict.fromkeys(TARGETS, 2.0),
        proxies=proxies(),
        **more,
    )


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> EvidenceInputs:
    return inputs_of(losses(tmp_path_factory.mktemp("one"), [""]))


def test_a_run_of_one_amount_has_no_page_of_amounts_or_seeds(inputs):
    book = evidence_book(inputs)
    assert book["transfers"] == 16
    assert book["served"]["served"] == book["served"]["measured"], "exported as measured"
    assert not {"amounts", "sources", "seeds", "crossfit"} & set(book)
    assert seeds_page(inputs) is None
    # a transfer was asked to learn from 90 images, of which its split has 80
    assert inputs.expenses.little == {"": 80} and inputs.expenses.full == 100


def test_a_run_of_two_amounts_says_what_each_is_worth(tmp_path):
    store = losses(tmp_path, ["", SMALL])
    inputs = inputs_of(
        store,
        every_amount=measure(store),
        curves={"normal": []},
        sources={"ranks": []},
        halves=list(halves(store)),
    )
    book = evidence_book(inputs)
    assert book["transfers"] == 32 and book["sources"] == {"ranks": []} and book["crossfit"]
    amounts = book["amounts"]
    assert amounts["images"] == {"": 80, SMALL: 30} and amounts["curves"] == {"normal": []}
    assert [row["tasks"] for row in amounts["spending"]["budgets"]] == [1, 2, 4]


def test_shares_of_its_own_labels_are_amounts_to_buy_and_none_of_transfers(tmp_path):
    store = losses(tmp_path, ["", SMALL])
    table = with_shares(measure(store), 1, ("45",))
    inputs = inputs_of(store, every_amount=table, halves=list(halves(store)))
    amounts = evidence_book(inputs)["amounts"]
    assert amounts["images"] == {"": 80, SMALL: 30}
    assert amounts["spending"]["amounts"] == {"": 80, SMALL: 30, "45": 45}
    assert amounts["spending"]["decides"] == ""


def test_repeats_are_a_page_with_the_run_itself_in_front(inputs):
    other = Affinities(inputs.table.rows[::-1], {})
    rows = seeds_page(replace(inputs, seeds=[other]))
    assert [row["measurement"] for row in rows] == [1, 2]


def test_a_policy_that_is_not_proved_the_best_is_refused(inputs):
    assert reasons_against(inputs) == []
    late = [replace(policy, status="time limit") for policy in inputs.answers]
    (reason,) = reasons_against(replace(inputs, answers=late))
    assert reason == "the taxonomy at budget 2, order 1 is time limit, not optimal"


def test_a_run_without_that_policy_says_which_there_are(inputs):
    with pytest.raises(LookupError, match=r"no taxonomy at budget 3.*there are \[\(1, 1\), "):
        reasons_against(replace(inputs, budget=3))
