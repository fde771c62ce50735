"""Nothing unblessed is pushed, nor what is served or was withdrawn."""

import json
import shutil

import pytest
from component_calls import artifact, run
from tfx.types import standard_artifacts as standard
from tiny_bundle import TARGETS, tiny_bundle

from components.accepted import ACCEPTED, PROFILE, STATISTICS, accepted_address
from components.artifacts import GateVerdict
from components.data_schema import SCHEMA
from components.push_bundle import PushBundle
from components.verdicts import Check, save_verdict, verdict_of
from models.provenance.atomic import write_json
from serving.bundle.assets import EXTRA, LINEAGE, read_extras
from serving.release.identity import withdrawn_versions
from serving.release.push import push, rollback, versions
from serving.release.withdrawals import note_withdrawn


def test_only_what_both_gates_blessed_is_pushed(tmp_path):
    model = artifact(standard.Model, tmp_path / "model")
    shutil.copytree(tiny_bundle(), tmp_path / "model" / "Format-Serving")
    blessings = {
        "policy_blessing": artifact(standard.ModelBlessing, tmp_path / "policy"),
        "infra_blessing": artifact(standard.InfraBlessing, tmp_path / "infra"),
    }
    (tmp_path / "policy" / "BLESSED").touch()
    (tmp_path / "infra" / "NOT_BLESSED").write_text("the server took 99 MiB")
    write_json(tmp_path / "infra" / "blessing.json", {"figures": {"records": 3}})
    quality, data = tmp_path / "quality", tmp_path / "data"
    save_verdict(quality, verdict_of("CheckQuality", (Check("chance", False, "p = 0.5"),)))
    files = [data / PROFILE, data / SCHEMA, data / STATISTICS / "Split-train" / "FeatureStats.pb"]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
    arguments = {
        "model": model,
        **blessings,
        "quality": artifact(GateVerdict, quality),
        "data": artifact(GateVerdict, data),
        "accepted": str(tmp_path / "run" / ACCEPTED),
        "served": "",
        "pushed": artifact(standard.PushedModel, tmp_path / "pushed"),
        "destination": str(tmp_path / "served"),
        "code": "x",
    }
    with pytest.raises(
        ValueError, match="the server check refused the bundle: the server took 99 MiB"
    ):
        run(PushBundle, **arguments)
    assert not (tmp_path / "served").exists()
    (tmp_path / "infra" / "BLESSED").touch()
    with pytest.raises(ValueError, match="the served version stays: the gate CheckQuality refused"):
        run(PushBundle, **arguments)
    assert not (tmp_path / "served").exists() and accepted_address(tmp_path / "run") == ""
    save_verdict(quality, verdict_of("CheckQuality", (Check("chance", True, "p = 0.001"),)))
    run(PushBundle, **arguments)
    assert accepted_address(tmp_path / "run")
    assert len(versions(tmp_path / "served")) == 1 and len(TARGETS) == len(
        read_extras(next((tmp_path / "served").iterdir()))[0]["tasks"]
    )
    run(PushBundle, **arguments)
    assert len(versions(tmp_path / "served")) == 1, "the very bundle that is served"
    push(tiny_bundle(), tmp_path / "served")
    rollback(tmp_path / "served")
    before = versions(tmp_path / "served")
    story = tmp_path / "served" / str(before[0]) / EXTRA / LINEAGE
    story.write_text(json.dumps({**json.loads(story.read_text()), "manifest": "other data"}))
    run(PushBundle, **arguments)
    assert versions(tmp_path / "served") == before, "what somebody withdrew does not come back"
    for hidden in withdrawn_versions(tmp_path / "served"):
        note_withdrawn(hidden)
        shutil.rmtree(hidden)
    run(PushBundle, **arguments)
    assert versions(tmp_path / "served") == before, "nor does it once its folder was pruned"
