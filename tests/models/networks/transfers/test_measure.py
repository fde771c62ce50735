"""Closed-form transfers: the algebra against the textbook, exported networks against the solver,
and the ledger.
"""

import dataclasses
import io
import types

import numpy as np
import pytest
from tiny_store import TINY, TinyStore

from models.networks.losses.block_layout import from_blocks, to_blocks
from models.networks.task_networks.ledger import train_tasks
from models.networks.task_networks.representations import RepresentationStore, encode_views
from models.networks.transfers.bench import Bench
from models.networks.transfers.closed_form.maps import GlobalTarget
from models.networks.transfers.closed_form.ridge import (
    KernelRidge,
    Moments,
    neighbourhoods,
    ridge_solution,
    sample_kernel,
)
from models.networks.transfers.edge import load_transfer_network
from models.networks.transfers.measure import measure_transfers, train_transfer
from models.tasks import TASKS

SOURCES = ["normal", "class_scene", "colorization", "random_projection"]
TARGETS = [
    "normal",
    "reshading",
    "segment_semantic",
    "segment_unsup2d",
    "class_scene",
    "fixated_pose",
    "egomotion",
]


def constant_last(x):
    return np.concatenate([x, np.ones((len(x), 1), "float32")], 1)


def test_blocks_of_the_gram_matrix_are_ridge_regression():
    rng = np.random.default_rng(0)
    features, outputs = (
        [rng.normal(size=(60, 5)).astype("float32") for _ in range(3)],
        rng.normal(size=(60, 2)).astype("float32"),
    )
    moments = Moments([(0, 2), (1,)])
    for rows in (slice(0, 20), slice(20, 60)):
        moments.add(
            {i: constant_last(x[rows]) for i, x in enumerate(features)}, outputs[rows], held=False
        )
    weights, _ = moments.solve((0, 2), (0.1,), {"one": slice(0, 2)})
    x = np.concatenate([features[0], features[2], np.ones((60, 1))], 1)
    penalty = 0.1 * 60 * np.diag([1.0] * 10 + [0.0])
    np.testing.assert_allclose(
        weights, np.linalg.solve(x.T @ x + penalty, x.T @ outputs), atol=1e-3
    )


def test_each_target_gets_the_ridge_that_held_out_rows_like_best_and_weights_from_all_rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 30)).astype("float32")
    outputs = np.stack([x[:, 0], rng.normal(size=90)], 1).astype(
        "float32"
    )  # one that needs no ridge, one that is noise
    moments, ridges = Moments([(0,)]), (1e-6, 10.0)
    moments.add({0: constant_last(x[:60])}, outputs[:60], held=False)
    moments.add({0: constant_last(x[60:])}, outputs[60:], held=True)
    weights, chosen = moments.solve((0,), ridges, {"clean": slice(0, 1), "noise": slice(1, 2)})
    assert chosen == {"clean": 1e-6, "noise": 10.0}
    whole = constant_last(x).astype("float64")
    np.testing.assert_allclose(
        weights[:, 1:],
        ridge_solution(whole.T @ whole, whole.T @ outputs[:, 1:], 10.0, 90),
        atol=1e-4,
    )


def test_leave_one_out_equals_leaving_out():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 6)), rng.normal(size=(20, 3))
    kernel = x @ x.T
    fit = KernelRidge(kernel, y, (0.1,))
    strength = 0.1 * np.trace(kernel) / 20
    for i in (0, 7):
        rest = np.delete(np.arange(20), i)
        mean = y.mean(0)  # the mean is kept, as in the closed form
        dual = np.linalg.solve(kernel[np.ix_(rest, rest)] + strength * np.eye(19), y[rest] - mean)
        np.testing.assert_allclose(fit.left_out[i], kernel[i, rest] @ dual + mean, atol=1e-4)


def test_neighbourhoods_are_what_a_convolution_sees():
    import keras

    maps = np.random.default_rng(0).normal(size=(2, 5, 5, 3)).astype("float32")
    kernel = np.random.default_rng(1).normal(size=(3, 3, 3, 4)).astype("float32")
    np.testing.assert_allclose(
        neighbourhoods(maps) @ kernel.reshape(27, 4),
        np.asarray(keras.ops.conv(maps, kernel, padding="same")),
        atol=1e-4,
    )


def test_blocks_unfold_into_the_map_they_came_from():
    maps = np.random.default_rng(0).normal(size=(2, 16, 16, 3))
    np.testing.assert_allclose(from_blocks(to_blocks(maps, 4, 1), 4, 3, 1), maps)
    np.testing.assert_allclose(
        from_blocks(to_blocks(maps, 4, 2), 4, 3, 2)[:, ::2, ::2],
        maps.reshape(2, 8, 2, 8, 2, 3).mean((2, 4)),
    )


def test_pairs_multiply_and_average_the_kernels_of_their_views():
    kernel = np.random.default_rng(0).random((4, 4))
    found = sample_kernel(kernel, np.array([[0, 1]]), np.array([[2, 3]]))
    assert found[0, 0] == pytest.approx(
        (kernel[0, 2] + kernel[1, 3]) / 2 + kernel[0, 2] * kernel[1, 3]
    )


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    """a store, trained networks, representations: (store, representations, networks folder, ledger
    folder).
    """
    folder, store = tmp_path_factory.mktemp("bank"), TinyStore()
    train_tasks(store, folder / "networks", sorted({*SOURCES, *TARGETS}), TINY)
    return (
        store,
        encode_views(folder / "networks", store, folder / "representations", SOURCES, TINY),
        folder / "networks",
        folder / "ledger",
    )


def measured(bank, targets=TARGETS):
    rows = []
    store, representations, networks, ledger = bank
    summary = measure_transfers(
        store,
        representations,
        networks,
        ledger,
        TINY,
        record=lambda *row: rows.append(row),
        targets=targets,
    )
    return rows, summary


def test_every_transfer_and_control_is_measured_on_every_test_sample(bank):
    rows, summary = measured(bank)
    assert summary["transfers"] == len(TARGETS) * (4 + 6)
    assert len(rows) == len(TARGETS) * (4 + 6 + 3)
    for transfer, names, losses in rows:
        assert len(names) == len(losses) == 8 and np.isfinite(losses).all(), transfer
    assert {row[0]["control"] for row in rows} == {None, "supervised", "scratch", "average"}


def test_finished_targets_come_from_the_ledger_and_a_new_one_is_added(bank):
    first = {str(row[0]): row[2] for row in measured(bank)[0]}
    ledger = bank[3]
    before = {path.name: path.stat().st_mtime_ns for path in ledger.iterdir()}
    again = (
        {str(row[0]): row[2] for row in measured(bank, [*TARGETS, "vanishing_point"])[0]}
        if (bank[2] / "vanishing_point").exists()
        else None
    )
    if again is None:
        train_tasks(bank[0], bank[2], ["vanishing_point"], TINY)
        again = {str(row[0]): row[2] for row in measured(bank, [*TARGETS, "vanishing_point"])[0]}
    for key, losses in first.items():
        np.testing.assert_array_equal(again[key], losses)
    after = {path.name: path.stat().st_mtime_ns for path in ledger.iterdir()}
    assert {name: time for name, time in after.items() if name in before} == before and len(
        after
    ) == len(before) + 1


def test_only_the_transfers_worth_measuring_are_measured_and_as_they_would_have_been(
    bank, tmp_path
):
    store, representations, networks, _ = bank
    wanted = {
        "normal": [("colorization",), ("normal", "class_scene")],
        "fixated_pose": [("normal",)],
    }
    rows = []
    summary = measure_transfers(
        store,
        representations,
        networks,
        tmp_path,
        TINY,
        record=lambda *row: rows.append(row),
        targets=["normal", "fixated_pose", "reshading"],
        wanted=wanted,
    )
    found = {
        (tuple(row[0]["sources"]), row[0]["target"]): row[2]
        for row in rows
        if row[0]["control"] is None
    }
    assert {key for key in found if key[1] != "reshading"} == {
        (sources, target) for target, sets in wanted.items() for sources in sets
    }
    assert (
        sum(key[1] == "reshading" for key in found) == 4 + 6
    )  # a target that is not named is measured whole
    assert summary["transfers"] == len(found)
    whole = {
        (tuple(row[0]["sources"]), row[0]["target"]): row[2]
        for row in measured(bank)[0]
        if row[0]["control"] is None
    }
    for key, losses in found.items():
        np.testing.assert_allclose(losses, whole[key], rtol=1e-4, atol=1e-5)


def test_representations_are_standardised_and_kept(bank):
    store, representations, _, _ = bank
    for source in representations.sources:
        assert (
            np.abs(np.asarray(representations.read(source, "val"), "float32").mean((0, 1, 2))).max()
            < 1e-2
        )
        assert len(representations.read(source, "test")) == len(store.views("test"))
    with pytest.raises(FileNotFoundError):
        representations.read("normal", "train")  # no transfer reads it
    assert RepresentationStore(representations.directory).sources == SOURCES


@pytest.mark.parametrize("target", TARGETS)
def test_an_exported_edge_answers_as_it_was_measured(bank, target, tmp_path):
    from models.networks.losses.losses import image_losses

    store, representations, networks, _ = bank
    sources = ("normal", "colorization")
    network = load_transfer_network(
        train_transfer(sources, target, store, representations, networks, tmp_path / target, TINY)
    )
    data, raw = store.samples(target, "test"), []
    for source in sources:
        mean, deviation = representations.scale(source)
        raw.append(np.asarray(representations.read(source, "test"), "float32") * deviation + mean)
    maps = np.concatenate(raw, -1)[data.views]
    answer = np.asarray(network.head(maps[:, 0] if TASKS[target].images == 1 else maps))
    losses = image_losses(TASKS[target].loss, data.target, data.mask, answer)
    wanted = next(
        row[2]
        for row in measured(bank)[0]
        if row[0]["sources"] == list(sources) and row[0]["target"] == target
    )
    np.testing.assert_allclose(losses, wanted, rtol=2e-2, atol=2e-3)


def test_regression_of_one_subset_is_the_same_alone_and_in_the_sweep(bank):
    store, representations, networks, _ = bank
    bench = Bench(store, representations, networks, TINY)
    target = GlobalTarget(bench, "class_scene", bench.regimes[0])
    losses = target.losses(*target.kernels(bench, (0, 2)))
    wanted = next(
        row[2]
        for row in measured(bank)[0]
        if row[0]["sources"] == ["normal", "colorization"] and row[0]["target"] == "class_scene"
    )
    np.testing.assert_allclose(losses, wanted, rtol=1e-4)


def test_one_more_source_measures_its_own_transfers_and_nothing_else(bank, tmp_path):
    store, representations, networks, _ = bank
    config = dataclasses.replace(TINY, ridges=(0.1, 1.0))

    def run(names, folder):
        bench, rows = encode_views(networks, store, tmp_path / folder, names, TINY), {}
        record = lambda facts, _, losses: rows.__setitem__(
            (tuple(facts["sources"]), facts["target"], facts["control"]), losses
        )
        targets = ["normal", "class_scene", "fixated_pose"]
        return measure_transfers(
            store, bench, networks, tmp_path / "ledger", config, record=record, targets=targets
        ), rows

    before, old = run(SOURCES[:3], "three")
    again, _ = run(SOURCES[:3], "three")
    after, new = run(SOURCES, "four")
    assert (before["fresh"], again["fresh"]) == (3 * (3 + 3), 0)
    assert after["fresh"] == 3 * (
        1 + 3
    )  # alone, and with each of the three others, into three targets
    for key, losses in old.items():
        np.testing.assert_array_equal(new[key], losses)
    fresh = measure_transfers(
        store,
        representations,
        networks,
        tmp_path / "other",
        config,
        record=lambda *_: None,
        targets=["normal"],
    )
    assert fresh["fresh"] == 4 + 6


def test_what_was_measured_before_a_stop_is_not_measured_again(bank, tmp_path, monkeypatch):
    from models.networks.transfers.closed_form import maps

    store, representations, networks, _ = bank
    monkeypatch.setattr(maps, "SAVED", 3)
    real, count = maps.Moments.solve, iter(range(100))

    def stops(self, *arguments):
        if next(count) == 7:
            raise KeyboardInterrupt
        return real(self, *arguments)

    monkeypatch.setattr(maps.Moments, "solve", stops)
    run = lambda: measure_transfers(
        store,
        representations,
        networks,
        tmp_path,
        TINY,
        record=lambda *_: None,
        targets=["normal", "reshading"],
    )
    with pytest.raises(KeyboardInterrupt):
        run()
    assert run()["fresh"] == 2 * (10 - 6)


def test_regimes_and_higher_orders_are_rows_of_the_same_target(bank, tmp_path):
    store, representations, networks, _ = bank
    config, rows = dataclasses.replace(TINY, regimes=(4,), transfer_order=4), []
    summary = measure_transfers(
        store,
        representations,
        networks,
        tmp_path,
        config,
        record=lambda *row: rows.append(row),
        targets=["normal", "egomotion", "class_scene"],
    )
    count = lambda regime, order: sum(
        row[0]["regime"] == regime and len(row[0]["sources"]) == order for row in rows
    )
    assert [count("", order) for order in (1, 2, 3, 4)] == [12, 18, 12, 3] and [
        count("4", order) for order in (1, 2)
    ] == [12, 0]
    assert {(row[0]["control"], row[0]["regime"]) for row in rows if row[0]["control"]} == {
        ("scratch", "4"),
        ("scratch", ""),
        ("supervised", ""),
        ("average", ""),
    }
    assert summary["transfers"] == sum(row[0]["control"] is None for row in rows)


def test_a_target_without_labels_in_a_smaller_amount_is_named_and_measured_with_all(
    bank, tmp_path, monkeypatch
):
    store, representations, networks, _ = bank
    config, rows, said = (
        dataclasses.replace(TINY, regimes=(4, 100), transfer_order=1),
        [],
        io.StringIO(),
    )
    monkeypatch.setattr(Bench, "teaches", lambda self, regime, target: target != "normal")
    measure_transfers(
        store,
        representations,
        networks,
        tmp_path,
        config,
        record=lambda *row: rows.append(row[0]),
        targets=["normal", "reshading"],
        out=said,
    )
    found = {(row["target"], row["regime"]) for row in rows if row["control"] is None}
    assert found == {("normal", ""), ("reshading", ""), ("reshading", "4")}
    assert "left out with 4 images, of which fewer than 2 are labelled: normal" in said.getvalue()
    assert "not measured with [100] images apart: the val split holds no more" in said.getvalue()


def test_two_labels_teach_and_one_does_not(bank):
    store, representations, networks, _ = bank
    bench = Bench(store, representations, networks, dataclasses.replace(TINY, regimes=(4,)))
    data, small = store.samples("normal", "val"), bench.regimes[0]
    few = lambda labelled: types.SimpleNamespace(
        views=data.views,
        mask=np.isin(np.asarray(data.views)[:, 0], small.views[:labelled])[:, None, None, None]
        * 1.0,
    )
    answers = []
    for labelled in (2, 1):
        bench.store = types.SimpleNamespace(samples=lambda *_, labelled=labelled: few(labelled))
        answers.append(bench.teaches(small, "normal"))
    assert answers == [True, False]


def test_smaller_amounts_have_epochs_of_their_own(bank, tmp_path, monkeypatch):
    from models.networks.transfers.gradient import learner

    store, representations, networks, _ = bank
    real, epochs = learner.learn, []
    monkeypatch.setattr(
        learner,
        "learn",
        lambda *given, **more: epochs.append(given[6].epochs) or real(*given, **more),
    )
    config = dataclasses.replace(
        TINY,
        learner="gradient",
        transfer_order=1,
        transfer_epochs=1,
        regimes=(4,),
        regime_epochs=2,
        transfer_widths=(4,),
    )
    measure_transfers(
        store,
        representations,
        networks,
        tmp_path,
        config,
        record=lambda *_: None,
        targets=["class_scene"],
    )
    assert epochs == [2, 2, 1, 1]  # the sources' stack and the control's, of either amount


def test_transfers_are_measured_by_gradient_and_kept(bank, tmp_path):
    store, representations, networks, _ = bank
    config, rows = (
        dataclasses.replace(
            TINY,
            learner="gradient",
            transfer_order=1,
            transfer_epochs=1,
            stack_members=3,
            transfer_widths=(4,),
        ),
        [],
    )
    run = lambda: measure_transfers(
        store,
        representations,
        networks,
        tmp_path,
        config,
        record=lambda *row: rows.append(row),
        targets=["reshading", "class_scene"],
    )
    assert run()["fresh"] == 8 and len(rows) == 2 * (4 + 3) and run()["fresh"] == 0


@pytest.mark.parametrize("target", ["normal", "segment_unsup2d", "class_scene", "egomotion"])
@pytest.mark.parametrize("better", ["gradient", "closed_form"])
def test_an_edge_keeps_the_better_learner_and_says_which(
    bank, target, better, tmp_path, monkeypatch
):
    from models.networks.transfers import edge, regimes

    monkeypatch.setattr(regimes, "FEWEST", 5)
    real = edge.compared

    def decided(*arguments):
        head, losses = real(*arguments)
        assert set(losses) == {"closed_form", "gradient"} and all(
            np.isfinite(loss) for loss in losses.values()
        )
        return head, {**losses, better: -1.0}

    monkeypatch.setattr(edge, "compared", decided)
    store, representations, networks, _ = bank
    monkeypatch.setattr(
        store, "views", lambda split: [f"house{i // 2}/{i}" for i in range(8)]
    )  # two views are held out: one stops, one judges
    folder = train_transfer(
        ("normal", "colorization"),
        target,
        store,
        representations,
        networks,
        tmp_path / target,
        dataclasses.replace(TINY, policy_epochs=1),
    )
    network = load_transfer_network(folder)
    assert network.learner == better
    shape = network.head.input_shape[1:]
    answer = np.asarray(
        network.head(np.random.default_rng(0).random((2, *shape)).astype("float32"))
    )
    wanted = TASKS[target].output.shape(store.size)
    assert answer.shape[:-1] == (2, *wanted[:-1]) and np.isfinite(answer).all()


def test_the_samples_that_stop_an_edge_are_other_buildings_than_those_that_judge_it(
    bank, tmp_path, monkeypatch
):
    from models.networks.transfers import edge
    from models.networks.transfers.gradient import learner

    store, representations, networks, _ = bank
    monkeypatch.setattr(store, "views", lambda split: [f"house{i // 2}/{i}" for i in range(8)])
    seen = {}
    monkeypatch.setattr(
        learner,
        "member_head",
        lambda bench, subset, name, rows, schedule: (seen.update(rows=rows), (None, 0.0))[1],
    )
    monkeypatch.setattr(
        edge,
        "closed_loss",
        lambda bench, subset, name, regime, fit, held: seen.update(judged=held) or 0.0,
    )
    monkeypatch.setattr(edge, "fitting", lambda *_: (np.arange(4), np.arange(4, 8)))
    bench = Bench(store, representations, networks, dataclasses.replace(TINY, policy_epochs=1))
    edge.compared(bench, (0,), "normal", bench.regimes[0])
    fit, stop, judge = seen["rows"]
    houses = [
        {
            store.views("val")[view].split("/")[0]
            for view in store.samples("normal", "val").views[rows, 0]
        }
        for rows in (fit, stop, judge)
    ]
    assert houses == [{"house0", "house1"}, {"house2"}, {"house3"}]
    np.testing.assert_array_equal(seen["judged"], judge)
