"""Chance, baselines, expenses, trees, agreement, proxies and screening: each against a case whose
answer is known.
"""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.taxonomy import Affinities, Transfer, solve, solve_all
from models.taxonomy.affinities import Row
from models.taxonomy.agreement import agreement
from models.taxonomy.baselines import baselines
from models.taxonomy.chance import random_policies, significance
from models.taxonomy.evidence import predictors
from models.taxonomy.expenses import Expenses, headline, independent, ledger
from models.taxonomy.proxies import Gram, Readout, cka, rsa, scores
from models.taxonomy.published import read_any
from models.taxonomy.request import Request
from models.taxonomy.screening import (
    from_cheaper,
    predictions,
    predictor_agreement,
    promising,
    replay,
)
from models.taxonomy.similarity import similarity_tree

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "published"
there = pytest.mark.skipif(
    not PUBLISHED.exists(), reason="the published results of ../shared are not here"
)


def made_up(seed: int, tasks: int = 6) -> Affinities:
    """first- and second-order transfers; quality grows with affinity."""
    rng, names, rows = np.random.default_rng(seed), [f"t{i}" for i in range(tasks)], []
    for target in names:
        others = [name for name in names if name != target]
        for some in [(a,) for a in others] + list(itertools.combinations(others, 2)):
            affinity = float(rng.random())
            rows.append(Row(Transfer(some, target), affinity, 0.5 + affinity / 2, affinity / 2))
        rows.append(Row(Transfer((), target, control="supervised"), 1.0, 0.9, 0.5))
    return Affinities(tuple(rows), {})


def test_random_policies_keep_the_budget_and_the_rules():
    table, rng = made_up(0), np.random.default_rng(0)
    costs = {f"t{i}": 0.5 + i / 4 for i in range(6)}
    request = Request(2.5, 2, cost=costs, forced=frozenset({"t3"}), forbidden=frozenset({"t0"}))
    drawn = random_policies(table, request, 200, rng)
    assert len(drawn) == 200
    assert (
        drawn.objective.max()
        <= solve(
            table, 2.5, 2, cost=costs, forced=frozenset({"t3"}), forbidden=frozenset({"t0"})
        ).objective
        + 1e-9
    )
    best = random_policies(table, request, 200, rng, best_edges=True)
    assert best.quality.mean() > drawn.quality.mean()


def test_an_informed_policy_is_significant_and_an_arbitrary_table_is_not():
    table = made_up(1)
    request = Request(2, 2)
    assert significance(table, request, solve(table, 2, 2))["p"] <= 0.01
    flat = Affinities(
        tuple(
            Row(row.transfer, 0.25, 0.5, 0.5 if row.transfer.control else 0.25)
            for row in table.rows
        ),
        {},
    )
    found = significance(flat, request, solve(flat, 2, 2))
    assert found["p"] > 0.05 and "not distinguishable" in found["verdict"]


def test_baselines_never_beat_the_taxonomy():
    table, request = made_up(2), Request(3, 2, cost={f"t{i}": 1 + (i % 3) / 2 for i in range(6)})
    rows = baselines(table, request, solve(table, 3, 2, cost=request.cost))
    assert [row["name"] for row in rows] == ["this taxonomy", "greedy", "single best source"]
    assert rows[0]["objective"] >= rows[1]["objective"] - 1e-9


@there
def test_features_of_object_classification_are_a_baseline_on_the_released_data():
    table, request = read_any(PUBLISHED / "all_affinities_16k.json"), Request(2, 2)
    rows = {row["name"]: row for row in baselines(table, request, solve(table, 2, 2))}
    assert rows["object classification features"]["supervised"] == ["class_1000"]
    assert rows["object classification features"]["objective"] < rows["this taxonomy"]["objective"]


def test_a_ledger_pays_for_every_label_once():
    table = made_up(3)
    policy = solve(table, 2, 1)
    found = ledger(policy, Expenses(1000, {"": 10}, dict.fromkeys(policy.supervised, 5.0), 1.0))
    assert found["images"] == 2 * 1000 + 4 * 10
    assert found["seconds"] == 2 * 5 + 4 * 1
    assert ledger(policy, Expenses(1000, {"": 10}))["seconds"] is None
    with pytest.raises(ValueError, match="fewer labelled images"):
        Expenses(10, {"": 100})


def test_the_headline_is_what_independent_learning_would_have_cost():
    table = made_up(4)
    images, quality = independent(table, Expenses(1000, {"": 100}))
    assert images[0] == 600 and images[-1] == 6000
    assert quality[0] == pytest.approx(0.1) and quality[-1] == pytest.approx(
        0.5
    )  # scratch is 1 - 0.9
    [row] = headline(table, [solve(table, 2, 2)], Expenses(1000, {"": 100}))
    assert row["independent"] == pytest.approx(np.interp(row["quality"], quality, images))
    assert row["saved"] == pytest.approx(1 - row["images"] / row["independent"])


@there
def test_the_released_policies_save_labels_at_equal_quality():
    table = read_any(PUBLISHED / "all_affinities_16k.json")
    rows = headline(table, solve_all(table, [2, 4, 6], [2]), Expenses(129_380, {"": 16_000}))
    assert all(0.3 < row["saved"] < 0.6 for row in rows)


@there
@pytest.mark.parametrize("regime", ["1k", "16k"])
def test_the_solid_cluster_of_the_released_tree_has_support(regime):
    from models.taxonomy.similarity import members

    tree = similarity_tree(read_any(PUBLISHED / f"all_affinities_{regime}.json"))
    solid = {
        "curvature",
        "edge3d",
        "keypoint3d",
        "reshade",
        "rgb2depth",
        "rgb2mist",
        "rgb2sfnorm",
        "segment25d",
    }
    clusters = {
        frozenset(tree["names"][i] for i in cluster): share
        for cluster, share in zip(members(np.array(tree["linkage"])), tree["support"])
    }
    holding = [
        share
        for cluster, share in clusters.items()
        if solid <= cluster and len(cluster) <= len(solid) + 3
    ]
    assert holding, f"no cluster of at most {len(solid) + 3} tasks holds {solid}"
    assert 0.5 < tree["cophenetic"] <= 1


def test_agreement_of_a_table_with_itself_is_one_and_with_noise_is_not():
    table, other = made_up(5, tasks=9), made_up(6, tasks=9)
    own, noise = agreement(table, table), agreement(table, other)
    assert own["mean"]["spearman"] == pytest.approx(1) and own["mean"]["low"] == pytest.approx(1)
    assert noise["mean"]["low"] < 0 < noise["mean"]["high"]
    assert all(row["low"] <= row["spearman"] <= row["high"] for row in noise["targets"].values())


def features(rng, images=120):
    """a latent world, one source that sees it, one that sees half, one that sees noise; labels are
    a linear function of it.
    """
    world = rng.normal(size=(images, 12))
    clear, half = world @ rng.normal(size=(12, 40)), world[:, :6] @ rng.normal(size=(6, 40))
    return world, {"clear": clear, "half": half, "noise": rng.normal(size=(images, 40))}


def test_every_proxy_ranks_what_is_known():
    rng = np.random.default_rng(0)
    world, sources = features(rng)
    labels = world @ rng.normal(size=(12, 3))
    rows = {
        row["sources"][0]: row
        for row in scores(sources, labels, world, [("clear",), ("half",), ("noise",)])
    }
    for proxy in ("rsa", "cka", "logme", "linear"):
        assert rows["clear"][proxy] > rows["half"][proxy] > rows["noise"][proxy], proxy
    assert rows["clear"]["linear"] > 0.99 and rows["noise"]["linear"] < 0.1


def test_leaving_one_out_in_closed_form_is_leaving_one_out():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 5)), rng.normal(size=(30, 2))
    gram = Gram.of(x)
    ridge = 1.0
    kernel, errors = gram.kernel, []
    for i in range(30):
        keep = np.arange(30) != i
        x_mean, y_mean = x[keep].mean(0), y[keep].mean(0)
        scale = np.trace((x - x.mean(0)) @ (x - x.mean(0)).T) / 30
        weights = np.linalg.solve(
            (x[keep] - x_mean).T @ (x[keep] - x_mean) + ridge * scale * np.eye(5),
            (x[keep] - x_mean).T @ (y[keep] - y_mean),
        )
        errors.append(y[i] - y_mean - (x[i] - x_mean) @ weights)
    readout = Readout(gram)
    shrink = readout.values / (readout.values + ridge)
    centred = y - y.mean(0)
    residual = centred - readout.vectors @ (shrink[:, None] * (readout.vectors.T @ centred))
    leverage = readout.vectors**2 @ shrink + 1 / 30
    np.testing.assert_allclose(residual / (1 - leverage)[:, None], errors, rtol=1e-6)
    assert kernel.trace() == pytest.approx(30)


def test_more_features_than_images_explain_noise_no_better_than_chance():
    rng = np.random.default_rng(3)
    assert Readout(Gram.of(rng.normal(size=(20, 200)))).linear(rng.normal(size=(20, 4))) < 0.2


def test_similarity_ignores_rotation_and_scale_and_features_that_say_nothing_are_refused():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(50, 8))
    turned = 3 * x @ np.linalg.qr(rng.normal(size=(8, 8)))[0]
    assert cka(Gram.of(x), Gram.of(turned)) == pytest.approx(1)
    assert rsa(Gram.of(x), Gram.of(turned)) == pytest.approx(1)
    with pytest.raises(ValueError, match="constant"):
        Gram.of(np.ones((10, 3)))
    with pytest.raises(ValueError, match="finite"):
        Gram.of(np.full((10, 3), np.nan))


def test_the_promising_half_is_half_and_holds_the_best():
    table = made_up(7)
    wanted = {row.transfer: row.affinity for row in table.rows if row.transfer.control is None}
    half = promising(wanted, 0.5)
    assert len(half) == sum(
        len([t for t in wanted if t.target == target]) // 2 for target in table.targets
    )
    for target in table.targets:
        assert max((t for t in wanted if t.target == target), key=wanted.get) in half
    with pytest.raises(ValueError, match="share"):
        promising(wanted, 0.0)


def test_perfect_predictions_lose_nothing_and_random_ones_do():
    table = made_up(8)
    perfect = {row.transfer: row.affinity for row in table.rows if row.transfer.control is None}
    found = replay(table, perfect, Request(3, 2))
    assert found["measured"] <= found["of"] / 2
    assert found["full"] - found["screened"] < 0.01
    assert found["random"]["mean"] < found["screened"]
    (agreed,) = predictor_agreement(table, perfect).values()
    assert set(agreed) == set(table.targets) and np.mean(list(agreed.values())) == pytest.approx(1)


@there
def test_half_of_the_released_transfers_would_have_done():
    """the 1k results choose which 16k transfers to measure."""
    table, cheap = (
        read_any(PUBLISHED / f"all_affinities_{regime}.json") for regime in ("16k", "1k")
    )
    scores_ = from_cheaper(table, cheap)
    for order, budgets in ((1, (2, 4, 6, 8)), (2, (2, 4, 6, 8))):
        for budget in budgets:
            found = replay(table, scores_, Request(budget, order))
            assert found["measured"] <= 0.5 * found["of"]
            assert found["full"] - found["screened"] <= 0.01, (order, budget, found)
            assert found["random"]["mean"] < found["screened"]


def test_predictions_hold_in_every_regime_and_larger_sets_need_none():
    table = made_up(9)
    larger = [Row(Transfer(("t1", "t2", "t3"), "t0", regime="8"), 0.5, 0.75, 0.25)]
    both = [
        replace(row, transfer=replace(row.transfer, regime=regime))
        for regime in ("8", "40")
        for row in table.rows
        if row.transfer.control is None
    ]
    kept = Affinities((*both, *larger, *(row for row in table.rows if row.transfer.control)), {})
    rows = [
        {
            "sources": list(row.transfer.sources),
            "target": row.transfer.target,
            **dict.fromkeys(("rsa", "cka", "logme", "linear"), row.affinity),
        }
        for row in table.rows
        if row.transfer.control is None
    ]
    (found,) = [
        row for row in predictors(kept, Request(3, 3), rows, 0) if row["predictor"] == "rsa"
    ]
    assert found["of"] == len(both) and found["screened"] is not None
    assert found["spearman"] == pytest.approx(1)


def test_a_prediction_is_held_against_each_regime_by_itself():
    table = made_up(9)
    measured = [row for row in table.rows if row.transfer.control is None]
    more = [
        replace(row, transfer=replace(row.transfer, regime="40"), affinity=3 * row.affinity)
        for row in measured
    ]
    foretold = {
        replace(row.transfer, regime=regime): row.affinity
        for row in measured
        for regime in ("", "40")
    }
    found = predictor_agreement(Affinities((*measured, *more), {}), foretold)
    assert set(found) == {"", "40"}
    assert all(
        value == pytest.approx(1) for targets in found.values() for value in targets.values()
    )


def test_proxies_of_a_run_read_as_predictions():
    rows = [
        {"sources": [s], "target": "t", "rsa": i, "cka": i, "logme": -i, "linear": i}
        for i, s in enumerate("abc")
    ]
    found = predictions(rows)
    assert set(found) == {"rsa", "cka", "logme", "linear", "mean rank"}
    assert max(found["mean rank"], key=found["mean rank"].get) == Transfer(("c",), "t")


def run(capsys, *arguments) -> tuple[int, str, str]:
    from models.taxonomy.__main__ import main

    code = main([str(argument) for argument in arguments])
    out = capsys.readouterr()
    return code, out.out, out.err


@pytest.fixture
def tables(tmp_path):
    for name, seed in (("a", 9), ("b", 10)):
        made_up(seed).save(tmp_path / f"{name}.json")
    return tmp_path / "a.json", tmp_path / "b.json"


COMMANDS = {
    "solve": ["--budget", 2, "--explain"],
    "explain": ["--budget", 2],
    "sweep": ["--order", 2, "--full-images", 1000, "--transfer-images", 100],
    "significance": ["--budget", 2],
    "tree": [],
    "compare": ["--with"],
    "replay": ["--budget", 2, "--cheaper"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_prints_a_table_and_json(command, tables, capsys):
    more = [*COMMANDS[command], *([tables[1]] if command in ("compare", "replay") else [])]
    code, text, _ = run(capsys, command, "--affinities", tables[0], *more)
    assert code == 0 and len(text.splitlines()) >= 3
    if command == "solve":
        more.remove("--explain")
    code, text, _ = run(capsys, command, "--affinities", tables[0], *more, "--json")
    assert code == 0 and json.loads(text)


def test_measuring_from_losses_writes_a_table_with_intervals(tmp_path, capsys):
    from models.taxonomy import LossStore

    store, rng = LossStore(tmp_path / "losses"), np.random.default_rng(0)
    store.set_images("t", [str(i) for i in range(40)])
    for source in "abcd":
        store.append(Transfer((source,), "t"), rng.random(40))
    store.append(Transfer((), "t", control="supervised"), rng.random(40))
    code, text, warnings = run(
        capsys,
        "measure",
        "--losses",
        tmp_path / "losses",
        "--out",
        tmp_path / "made.csv",
        "--resamples",
        50,
    )
    assert code == 0 and "noise" in warnings and "made.csv" in text
    assert all(row.spread for row in Affinities.load(tmp_path / "made.csv").rows)


def test_regimes_are_given_as_named_files(tables, capsys):
    first, second = tables
    asked = ["--budget", 2.2, "--regime-cost", "1k=0.01", "--regime-cost", "16k=0.1"]
    code, text, error = run(capsys, "solve", "--affinities", f"1k={first}", f"16k={second}", *asked)
    assert code == 0, error
    assert "(1k)" in text or "(16k)" in text
    code, _, error = run(capsys, "solve", "--affinities", first, second, "--budget", 2)
    assert code == 1 and "REGIME=FILE" in error


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--budget", 2, "--exclude", "t99"], "unknown task 't99'"),
        (["--budget", 0.5], "too small: reaching every target costs at least 1"),
        (["--budget", 2, "--cost", "t1"], "expected NAME=NUMBER"),
        (["--budget", 2, "--risk", "lower"], "needs intervals"),
        (["--budget", 2, "--second-cost", "t1=3"], "--second NAME=LIMIT"),
        (["--budget", 2, "--force", "t1", "--exclude", "t1"], "both forced and forbidden"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(arguments, message, tables, capsys):
    code, text, error = run(capsys, "solve", "--affinities", tables[0], *arguments)
    assert code == 1 and not text
    assert message in error and len(error.splitlines()) == 1
