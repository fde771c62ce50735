"""The solver inside the page gives the Python solver's answers."""

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from affinity_tables import regime_table, with_scratch, with_shares
from made_run import row_facts, table

from models.reports.embedded import BUILT
from models.reports.label_choice import amount_columns, needed
from models.reports.payload import columns
from models.taxonomy import Affinities, Infeasible, Transfer, solve
from models.taxonomy.affinities import Row
from models.taxonomy.program.answers import attempt
from models.taxonomy.program.labels import Labels, priced
from models.taxonomy.program.request import Request

HARNESS = Path(__file__).with_name("ask_solver.mjs")
NAMES = [f"task_{letter}" for letter in "abcdefg"]
CLOSE = 1e-6


def node() -> str:
    path = shutil.which("node")
    if path is None:
        pytest.skip("no node here; the page's solver is asked in Chromium alone")
    return path


def ask(measured, requests: list[dict]) -> list[dict]:
    """the page's answers, one a request."""
    rows = [row_facts(row) | {"mean_loss": row.mean_loss} for row in measured.rows]
    names = sorted({name for row in rows for name in [*row["sources"], row["target"]]})
    return answers(names, columns(rows, names), requests)


def answers(names: list[str], table_columns: dict, requests: list[dict]) -> list[dict]:
    question = {
        "built": str(BUILT),
        "names": names,
        "columns": table_columns,
        "requests": requests,
    }
    process = subprocess.run(
        [node(), HARNESS], input=json.dumps(question), capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr[-2000:]
    return [entry["answer"] for entry in json.loads(process.stdout)]


def random_request(rng: random.Random) -> dict:
    """roles, costs and values drawn for some of the tasks."""
    names = rng.sample(NAMES, len(NAMES))

    def draw(most):
        return [names.pop() for _ in range(rng.randint(0, most))]

    def amounts():
        return {
            name: rng.choice([0, 0.5, 2, 3.25]) for name in rng.sample(NAMES, rng.randint(0, 4))
        }

    return {
        "budget": rng.choice([0.5, 1, 2, 3, 4.5]),
        "order": rng.choice([1, 2, 3]),
        "variant": "web",
        "unused": draw(1),
        "sourceOnly": draw(2),
        "targetOnly": draw(2),
        "cost": amounts(),
        "value": amounts(),
        "transferCost": {},
        "scratch": rng.random() < 0.3,
    }


def python_objective(measured, request: dict) -> float | None:
    """None for what nothing answers."""
    try:
        answer = solve(
            measured,
            request["budget"],
            request["order"],
            value=request["value"],
            cost=request["cost"],
            scratch=request["scratch"],
            forbidden=frozenset(request["unused"]),
            source_only=frozenset(request["sourceOnly"] + request["unused"]),
            target_only=frozenset(request["targetOnly"]),
        )
    except Infeasible:
        return None
    return answer.objective


def test_two_hundred_random_requests_have_the_same_answers():
    measured = table(NAMES, order=3)
    rng = random.Random(5)
    requests = [random_request(rng) for _ in range(200)]
    there = [python_objective(measured, request) for request in requests]
    here = ask(measured, requests)
    solved = sum(value is not None for value in there)
    assert 70 < solved < 200, "the draw holds requests with and without an answer"
    for request, expected, answer in zip(requests, there, here, strict=True):
        if expected is None:
            assert answer["status"] == "infeasible", request
            assert answer["reason"]
        else:
            assert answer["status"] == "optimal", request
            assert abs(answer["objective"] - expected) < CLOSE, request


def test_an_answer_keeps_the_rules_it_was_asked_to_keep():
    measured = table(NAMES, order=2)
    request = random_request(random.Random(0)) | {
        "budget": 2,
        "order": 2,
        "unused": ["task_a"],
        "sourceOnly": ["task_b"],
        "targetOnly": ["task_c"],
        "scratch": False,
        "cost": {"task_d": 5},
        "value": {},
    }
    answer = ask(measured, [request])[0]
    targets = {edge["target"] for edge in answer["edges"]}
    assert targets == set(NAMES) - {"task_a", "task_b"}
    assert not {"task_a", "task_c", "task_d"} & set(answer["supervised"])
    assert answer["spent"] <= 2


PLAIN = {
    "budget": 3,
    "order": 2,
    "variant": "web",
    "unused": [],
    "sourceOnly": [],
    "targetOnly": [],
    "scratch": False,
    "cost": {},
    "value": {},
    "transferCost": {},
}


def test_targets_that_nothing_reaches_have_no_policy():
    answer = ask(table(NAMES), [PLAIN | {"targetOnly": NAMES}])[0]
    assert answer["status"] == "infeasible"
    assert answer["reason"].startswith("no transfer that the roles allow reaches task_a, task_b")


def test_extreme_costs_have_the_same_answers_and_keep_the_budget():
    measured = table(NAMES, order=2)
    rng = random.Random(7)
    requests = []
    for scale in [1e6, 1e4, 1e-6, 3e-7] * 20:
        small = rng.choice([1e-6, 5e-6, 1e-4])
        cost = {name: scale * rng.choice([1, 1, 0.5, small]) for name in NAMES}
        spent = sum(cost[name] for name in rng.sample(NAMES, rng.randint(1, 4)))
        budget = spent - scale * rng.choice([0, small, 0.3])
        if budget > 0:
            requests.append(PLAIN | {"budget": budget, "cost": cost, "order": rng.choice([1, 2])})
    solved = 0
    for request, answer in zip(requests, ask(measured, requests), strict=True):
        expected = python_objective(measured, request)
        if expected is None:
            assert answer["status"] == "infeasible", request
            continue
        solved += 1
        assert answer["status"] == "optimal", request
        assert abs(answer["objective"] - expected) < CLOSE, request
        assert answer["spent"] <= request["budget"] * (1 + 1e-12), request
    assert 20 < solved < len(requests), "the draw holds requests with and without an answer"


def test_values_too_far_apart_are_refused_as_python_refuses_them():
    measured = table(NAMES)
    near, far = (PLAIN | {"value": {"task_a": value}} for value in (1e4, 1.0001e4))
    kept, refused = ask(measured, [near, far])
    assert kept["status"] == "optimal"
    assert refused["status"] == "stopped"
    assert "the value of task_a (10001) is more than 10,000 times that of" in refused["reason"]
    with pytest.raises(ValueError, match="the value of task_a .10001. is more than 10000 times"):
        python_objective(measured, far)


def test_a_role_is_named_where_it_and_not_the_budget_is_the_cause():
    rows = [Row(Transfer((source,), target), 0.5) for source, target in ("ab", "ca", "cc")]
    measured = Affinities(tuple(rows), {})
    lacking, dear = ask(
        measured,
        [
            PLAIN | {"budget": 2, "order": 1, "unused": ["a"]},
            PLAIN | {"budget": 0.5, "order": 1, "sourceOnly": ["c"], "cost": {"b": 0.1}},
        ],
    )
    assert lacking["reason"].startswith("no transfer that the roles allow reaches b")
    assert dear["reason"].startswith("a budget of 0.5 buys no set of sources")
    unused = PLAIN | {"budget": 0.5, "order": 1, "unused": ["b"], "sourceOnly": ["c"]}
    answer = ask(measured, [unused | {"cost": {"b": 0.1}}])[0]
    assert answer["reason"] == "the cheapest labels cost 1, the budget is 0.5"


# Of a target's own network on a share of its labels; the others are amounts of transfers.
SHARE = "400"
AMOUNTS = {"": 200.0, "96": 96.0, "24": 24.0, SHARE: 400.0}
FULL = 1000.0


def random_labels(rng: random.Random, names: list[str]) -> tuple[Labels, Request, float]:
    """prices, owned labels, roles and values drawn for some tasks, and a budget."""

    def some(*values):
        return {name: rng.choice(values) for name in rng.sample(names, rng.randint(0, 3))}

    roles = rng.sample(names, 3)
    request = Request(
        1.0,
        rng.choice([1, 2]),
        value=some(0.0, 0.5, 2.0),
        scratch=rng.random() < 0.5,
        regimes=frozenset(AMOUNTS),
        source_only=frozenset(roles[: rng.randint(0, 1)]),
        target_only=frozenset(roles[1 : 1 + rng.randint(0, 1)]),
    )
    labels = Labels(FULL, AMOUNTS, price=some(0.0, 0.3, 4.0), owned=some(24.0, 100.0, FULL))
    # 0: what is owned and free alone
    return labels, request, rng.choice([0, 150, 700, 1300, 2500, 6000])


def page_request(request: Request, labels: Labels, targets: list[str]) -> dict:
    """what `explorer/src/amounts.js` asks for the request of `labels.priced`."""
    each = {
        target: {regime: labels.cost(target, amount) for regime, amount in AMOUNTS.items()}
        for target in targets
    }
    return {
        "budget": request.budget,
        "order": request.order,
        "variant": "web",
        "unused": [],
        "sourceOnly": sorted(request.source_only),
        "targetOnly": sorted(request.target_only),
        "cost": request.cost,
        "value": request.value,
        "transferCost": {},
        "amountCost": each,
        "scratch": request.scratch,
    }


def test_amounts_are_chosen_as_python_chooses_them_from_the_rows_that_travel():
    regimes = tuple(name for name in AMOUNTS if name != SHARE)
    measured = with_scratch(regime_table(3, 5, regimes=regimes), 3)
    measured = with_shares(measured, 3, (SHARE,))
    rows = [{**row_facts(row), "regime": row.transfer.regime} for row in measured.rows]
    names = sorted({*measured.sources, *measured.targets})
    kept = list(needed(rows, AMOUNTS))
    assert len(kept) < 0.7 * len(rows), "edges that no choice needs stay at home"
    rng = random.Random(2)
    requests, expected = [], []
    for _ in range(80):
        labels, request, budget = random_labels(rng, names)
        asked = priced(measured, request, labels, budget)
        requests.append(page_request(asked, labels, measured.targets))
        expected.append(attempt(measured, asked))
    there = amount_columns({"rows": kept, "known": names}, names)
    chosen = set()
    for request, policy, answer in zip(
        requests, expected, answers(names, there, requests), strict=True
    ):
        if policy is None:
            assert answer["status"] == "infeasible", request
            continue
        assert answer["status"] == "optimal", request
        assert abs(answer["objective"] - policy.objective) < CLOSE, request
        assert answer["spent"] <= request["budget"] + CLOSE
        chosen |= {there["regime"][edge["row"]] for edge in answer["edges"]}
    assert chosen == set(AMOUNTS), "every amount is chosen somewhere"
    assert 40 < sum(policy is not None for policy in expected) < 80
