"""The solver inside the page gives the Python solver's answers."""

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from made_run import row_facts, table

from models.reports.embedded import BUILT
from models.reports.payload import columns
from models.taxonomy import Infeasible, solve

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
    question = {
        "built": str(BUILT),
        "names": names,
        "columns": columns(rows, names),
        "requests": requests,
    }
    asked = subprocess.run(
        [node(), HARNESS], input=json.dumps(question), capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stderr[-2000:]
    return [entry["answer"] for entry in json.loads(asked.stdout)]


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
