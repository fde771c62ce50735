"""Both learners of an edge see the same samples and are judged by what neither has seen."""

import dataclasses

import numpy as np
from tiny_store import TINY
from transfer_bank import transfer_bank

from models.networks.transfers import edge_learners
from models.networks.transfers.bench import Bench


def test_the_samples_that_stop_an_edge_are_other_buildings_than_those_that_judge_it(monkeypatch):
    store, representations, networks, _ = transfer_bank()
    monkeypatch.setattr(store, "views", lambda split: [f"house{i // 2}/{i}" for i in range(8)])
    seen = {}
    monkeypatch.setattr(
        edge_learners,
        "member_head",
        lambda bench, subset, name, rows, schedule: (seen.update(rows=rows), (None, 0.0))[1],
    )
    monkeypatch.setattr(
        edge_learners,
        "held_out_loss",
        lambda bench, regime, name, subset, rows: seen.update(judged=rows[1]) or 0.0,
    )
    monkeypatch.setattr(edge_learners, "fitting", lambda *_: (np.arange(4), np.arange(4, 8)))
    bench = Bench(store, representations, networks, dataclasses.replace(TINY, policy_epochs=1))
    edge_learners.compared(bench, (0,), "normal", bench.regimes[0])
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
