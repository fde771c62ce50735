"""The networks of a policy: a target from scratch gets the very network that was measured, never a
transfer network and never that of all labels.
"""

import json
import types
from dataclasses import asdict
from pathlib import Path

from component_calls import artifact
from tiny_store import TINY

from components.artifacts import LabelBank, NetworkBank, RepresentationBank, TaxonomyList
from components.artifacts import TransferBank as Transfers
from components.train_policy import TrainPolicy
from models.provenance.atomic import write_json

EDGES = [
    {"target": "normal", "sources": [], "control": "scratch", "regime": "48"},
    {"target": "reshading", "sources": ["normal"], "control": None, "regime": ""},
    {"target": "edge_texture", "sources": [], "control": "supervised", "regime": ""},
]


def test_a_target_from_scratch_is_the_network_that_was_measured(tmp_path, monkeypatch):
    work, asked = tmp_path / "work", []

    def transfer(sources, target, store, maps, bank, folder, *_):
        write_json(Path(folder) / "transfer.json", {"address": f"{sources} {target}"})

    def scratch(store, ledger, expected, config):
        asked.append({name: [regime.name for regime in part] for name, part in expected.items()})
        for name, address in (("normal", "all"), ("normal-48", "of 48")):
            write_json(Path(ledger) / "scratch" / name / "network.json", {"address": address})

    regimes = [types.SimpleNamespace(name=name) for name in ("48", "")]
    networks = "models.networks"
    for name, value in {
        "models.examples.label_store.LabelStore": lambda _: types.SimpleNamespace(size=64),
        f"{networks}.task_networks.representations.RepresentationStore": lambda _: None,
        f"{networks}.transfers.edge.train_transfer": transfer,
        f"{networks}.transfers.scratch.train_from_scratch": scratch,
        f"{networks}.transfers.regimes.regimes_of": lambda *_: regimes,
    }.items():
        monkeypatch.setattr(name, value)
    taxonomies = artifact(TaxonomyList, tmp_path / "taxonomies")
    policy = {"budget": 1, "order": 1, "supervised": ["edge_texture", "normal"], "edges": EDGES}
    write_json(tmp_path / "taxonomies" / "taxonomies.json", [policy])
    out = tmp_path / "transfers"
    arguments = {
        "labels": artifact(LabelBank, tmp_path / "labels"),
        "networks": [artifact(NetworkBank, tmp_path / "networks")],
        "representations": artifact(RepresentationBank, tmp_path / "representations"),
        "taxonomies": taxonomies,
        "transfers": artifact(Transfers, out),
        "budget": 1,
        "order": 1,
        "config": json.dumps(asdict(TINY)),
        "work": str(work),
        "code": "x",
    }
    function = TrainPolicy.EXECUTOR_SPEC.executor_class._FUNCTION
    getattr(function, "__func__", function)(**arguments)
    assert asked == [{"normal": ["48"]}]
    assert json.loads((out / "normal" / "network.json").read_text()) == {"address": "of 48"}
    assert not (out / "normal" / "transfer.json").exists()
    assert json.loads((out / "reshading" / "transfer.json").read_text())["address"]
    assert not (out / "edge_texture").exists()
