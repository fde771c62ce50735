"""Transfers are measured once, kept in the ledger, and named when they cannot be."""

import dataclasses
import io
import types

import numpy as np
import pytest
from closed_form_bench import losses_alone
from tiny_store import TINY
from transfer_bank import SOURCES, TARGETS, measured, transfer_bank

from models.networks.task_networks.ledger import train_tasks
from models.networks.task_networks.representations import RepresentationStore, encode_views
from models.networks.training import averages as averages_module
from models.networks.transfers.bench import Bench
from models.networks.transfers.closed_form import sweep
from models.networks.transfers.closed_form.ridge import Moments
from models.networks.transfers.closed_form.vectors import GlobalTarget
from models.networks.transfers.edge import train_transfer
from models.networks.transfers.gradient import learner
from models.networks.transfers.measure import measure_transfers, target_address


@pytest.fixture
def bank():
    return transfer_bank()


def test_every_transfer_and_control_is_measured_on_every_test_sample(bank):
    rows, summary = measured(bank)
    # the keys of calibration.json
    assert list(dataclasses.asdict(summary)) == [
        "transfers",
        "fresh",
        "seconds",
        "calibration",
        "scratch",
        "shares",
        "widths",
        "ceilings",
        "ledgers",
        "addresses",
    ]
    assert summary.transfers == len(TARGETS) * (4 + 6)
    assert len(rows) == len(TARGETS) * (4 + 6 + 3)
    for transfer, names, losses in rows:
        assert len(names) == len(losses) == 8 and np.isfinite(losses).all(), transfer
    assert {row[0]["control"] for row in rows} == {None, "supervised", "pixels", "average"}


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


def test_the_best_constants_are_kept_beside_the_transfers(bank, monkeypatch):
    def averages():
        return [row[2] for row in measured(bank)[0] if row[0]["control"] == "average"]

    def twice(*arguments, **keywords):
        raise AssertionError("the best constant was computed again")

    first = averages()
    monkeypatch.setattr(averages_module, "average_answer", twice)
    again = averages()
    assert len(first) == len(TARGETS)
    for one, other in zip(first, again):
        np.testing.assert_array_equal(one, other)


def test_only_the_transfers_worth_measuring_are_measured_and_as_they_would_have_been(
    bank, tmp_path
):
    store, representations, networks, _ = bank
    expected = {
        "normal": [("colorization",), ("normal", "class_scene")],
        "fixated_pose": [("normal",)],
    }
    targets = ["normal", "fixated_pose", "reshading"]
    rows, summary = measured(bank, targets, ledger=tmp_path, wanted=expected)
    found = {
        (tuple(row[0]["sources"]), row[0]["target"]): row[2]
        for row in rows
        if row[0]["control"] is None
    }
    assert {key for key in found if key[1] != "reshading"} == {
        (sources, target) for target, sets in expected.items() for sources in sets
    }
    assert (
        sum(key[1] == "reshading" for key in found) == 4 + 6
    )  # a target that is not named is measured whole
    assert summary.transfers == len(found)
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


def test_regression_of_one_subset_is_the_same_alone_and_in_the_sweep(bank):
    store, representations, networks, _ = bank
    bench = Bench(store, representations, networks, TINY)
    target = GlobalTarget(bench, "class_scene", bench.regimes[0])
    losses = losses_alone(target, bench, (0, 2))
    expected = next(
        row[2]
        for row in measured(bank)[0]
        if row[0]["sources"] == ["normal", "colorization"] and row[0]["target"] == "class_scene"
    )
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


def test_one_more_source_measures_its_own_transfers_and_nothing_else(bank, tmp_path):
    store, representations, networks, _ = bank
    config = dataclasses.replace(TINY, ridges=(0.1, 1.0))

    def run(names, folder):
        bench, rows = encode_views(networks, store, tmp_path / folder, names, TINY), {}

        def record(facts, _, losses):
            return rows.__setitem__(
                (tuple(facts["sources"]), facts["target"], facts["control"]), losses
            )

        targets = ["normal", "class_scene", "fixated_pose"]
        return measure_transfers(
            store, bench, networks, tmp_path / "ledger", config, record=record, targets=targets
        ), rows

    before, old = run(SOURCES[:3], "three")
    again, _ = run(SOURCES[:3], "three")
    after, new = run(SOURCES, "four")
    assert (before.fresh, again.fresh) == (3 * (3 + 3), 0)
    assert after.fresh == 3 * (
        1 + 3
    )  # alone, and with each of the three others, into three targets
    for key, losses in old.items():
        np.testing.assert_array_equal(new[key], losses)
    _, fresh = measured(bank, ["normal"], ledger=tmp_path / "other", config=config)
    assert fresh.fresh == 4 + 6


def test_what_was_measured_before_a_stop_is_not_measured_again(bank, tmp_path, monkeypatch):
    store, representations, networks, _ = bank
    monkeypatch.setattr(sweep, "SAVED", 3)
    real, count = Moments.solve, iter(range(100))

    def stops(self, *arguments):
        if next(count) == 7:
            raise KeyboardInterrupt
        return real(self, *arguments)

    monkeypatch.setattr(Moments, "solve", stops)

    def run():
        return measured(bank, ["normal", "reshading"], ledger=tmp_path)[1]

    with pytest.raises(KeyboardInterrupt):
        run()
    assert run().fresh == 2 * (10 - 6)


def test_regimes_and_higher_orders_are_rows_of_the_same_target(bank, tmp_path):
    config = dataclasses.replace(TINY, regimes=(4,), transfer_order=4)
    targets = ["normal", "egomotion", "class_scene"]
    rows, summary = measured(bank, targets, ledger=tmp_path, config=config)

    def count(regime, order):
        return sum(row[0]["regime"] == regime and len(row[0]["sources"]) == order for row in rows)

    assert [count("", order) for order in (1, 2, 3, 4)] == [12, 18, 12, 3] and [
        count("4", order) for order in (1, 2)
    ] == [12, 0]
    assert {(row[0]["control"], row[0]["regime"]) for row in rows if row[0]["control"]} == {
        ("pixels", "4"),
        ("pixels", ""),
        ("supervised", ""),
        ("average", "4"),
        ("average", ""),
    }
    assert summary.transfers == sum(row[0]["control"] is None for row in rows)


MORE = {"regimes": (4,), "transfer_order": 3, "regime_order": 2}


def test_one_more_amount_or_order_measures_its_own_rows_as_if_it_were_alone(bank, tmp_path):
    few = dataclasses.replace(TINY, transfer_order=1)
    more = dataclasses.replace(few, **MORE)
    targets = ["normal", "egomotion"]
    first, before = measured(bank, targets, ledger=tmp_path / "grown", config=few)
    grown, after = measured(bank, targets, ledger=tmp_path / "grown", config=more)
    assert after.fresh == after.transfers - before.transfers > 0
    assert after.ledgers == before.ledgers
    fresh = measured(bank, targets, ledger=tmp_path / "fresh", config=more)[0]
    alone = {str(row[0]): row[2] for row in fresh}
    assert alone.keys() == {str(row[0]) for row in grown}
    for row in (*first, *grown):
        np.testing.assert_allclose(row[2], alone[str(row[0])], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "change, counts",
    [
        (MORE, False),
        ({"transfer_images": 7}, False),  # in the key of a row
        ({"seed": 1}, True),
        ({"ridges": (0.5,)}, True),
        ({"random_features": 8}, True),
        ({"output_stride": 2}, True),
        ({"transfer_split": "train"}, True),
        ({"learner": "gradient"}, True),
    ],
)
def test_what_changes_a_row_is_in_its_targets_address_or_its_key(bank, change, counts):
    store, representations, networks, _ = bank
    config = dataclasses.replace(TINY, **change)
    addresses = [target_address("normal", store, each) for each in (TINY, config)]
    assert (addresses[0] != addresses[1]) == counts
    if change.get("transfer_images"):
        keys = [
            (bench := Bench(store, representations, networks, each)).key((0,), bench.regimes[-1])
            for each in (TINY, config)
        ]
        assert keys[0] != keys[1]


def test_an_edge_is_kept_when_an_amount_or_an_order_comes(bank, tmp_path):
    store, representations, networks, _ = bank

    def edge(**change):
        config = dataclasses.replace(TINY, **change)
        folder = tmp_path / "edge"
        train_transfer(("normal",), "reshading", store, representations, networks, folder, config)
        return (folder / "transfer.json").stat().st_ino

    first = edge()
    assert edge(**MORE) == first
    assert edge(ridges=(0.5,)) != first


def test_a_target_without_labels_in_a_smaller_amount_is_named_and_measured_with_all(
    bank, tmp_path, monkeypatch
):
    store, representations, networks, _ = bank
    config = dataclasses.replace(TINY, regimes=(4, 100), transfer_order=1)
    output = io.StringIO()
    monkeypatch.setattr(Bench, "teaches", lambda self, regime, target: target != "normal")
    rows, _ = measured(bank, ["normal", "reshading"], ledger=tmp_path, config=config, out=output)
    told = [row[0] for row in rows if row[0]["control"] is None]
    measured_regimes = {(transfer["target"], transfer["regime"]) for transfer in told}
    assert measured_regimes == {("normal", ""), ("reshading", ""), ("reshading", "4")}
    assert "left out with 4 images, of which fewer than 2 are labelled: normal" in output.getvalue()
    assert "not measured with [100] images apart: the val split holds no more" in output.getvalue()


def test_two_labels_teach_and_one_does_not(bank):
    store, representations, networks, _ = bank
    bench = Bench(store, representations, networks, dataclasses.replace(TINY, regimes=(4,)))
    data, small = store.samples("normal", "val"), bench.regimes[0]

    def few(labelled):
        return types.SimpleNamespace(
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
    measured(bank, ["class_scene"], ledger=tmp_path, config=config)
    assert epochs == [2, 2, 1, 1]  # the sources' stack and the control's, of either amount


def test_transfers_are_measured_by_gradient_and_kept(bank, tmp_path):
    config = dataclasses.replace(
        TINY,
        learner="gradient",
        transfer_order=1,
        transfer_epochs=1,
        stack_members=3,
        transfer_widths=(4,),
    )
    targets = ["reshading", "class_scene"]
    rows, summary = measured(bank, targets, ledger=tmp_path, config=config)
    assert summary.fresh == 8 and len(rows) == 2 * (4 + 3)
    _, again = measured(bank, targets, ledger=tmp_path, config=config)
    assert again.fresh == 0
