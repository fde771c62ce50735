"""A version's page is made of its bundle, the artifacts of the run that pushed it, and its line."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from made_history import MadeRuns

from models.provenance.atomic import write_json
from tfx_pipeline.faults import RunError
from tfx_pipeline.history.trace import bundles, missing_facts, trace, trace_of, version_with

ROOT = Path(__file__).resolve().parents[3]
POLICY = {
    "supervised": ["normal"],
    "edges": [
        {"target": "normal", "sources": [], "control": "supervised", "quality": 0.5, "gain": 0.4},
        {"target": "reshading", "sources": ["normal"], "control": None, "quality": 0.7, "gain": 1},
        {"target": "keypoints2d", "sources": [], "control": "scratch", "quality": 0.2, "gain": 0.5},
    ],
}
FILES = {
    "ExampleGen/examples": {
        "index/index.json": {"hash": "d1", "views": {"train": 60, "val": 21}, "buildings": ["a"]},
        "counts.json": {"quarantined": 2},
    },
    "DecodeLabels/labels": {
        f"store/{task}/labels.json": {"address": f"labels of {task}", "samples": {"train": 40}}
        for task in ("normal", "reshading", "keypoints2d")
    },
    "TrainTasks/networks": {
        "normal/network.json": {"address": "net normal", "seconds": 9.5, "start": "net before"}
    },
    "TrainPolicy/transfers": {
        "reshading/transfer.json": {"address": "head reshading", "learner": "closed_form"},
        "keypoints2d/network.json": {"address": "net keypoints2d", "steps": 2},
    },
}


@pytest.fixture
def runs(tmp_path):
    made = MadeRuns(tmp_path)
    for version in (7, 8):
        made.add(version=version, files=FILES)
        story = {
            "artifact": f"model of {version}",
            "policy": POLICY,
            "metrics": {"normal": {"address": "net normal", "win_average": 0.9}},
        }
        write_json(tmp_path / f"serving/taxonomy/{version}/assets.extra/lineage.json", story)
    return tmp_path


def test_every_link_of_the_chain_is_found(runs):
    found = trace_of(runs, 7, bundles(runs)[7])
    answers = {each.target: each for each in found.answers}
    assert answers["normal"].address == "net normal"
    assert answers["reshading"].address == "head reshading"
    assert answers["reshading"].labels == "labels of reshading"
    assert answers["keypoints2d"].address == "net keypoints2d"
    networks = {each.name: each for each in found.networks}
    assert set(networks) == {"normal", "keypoints2d from scratch"}
    assert networks["normal"].record["seconds"] == 9.5
    assert networks["normal"].record["win_average"] == 0.9
    assert networks["normal"].labels == "labels of normal"
    assert found.data["hash"] == "d1" and found.data["count"] == 81
    assert found.data["left out by ingest"] == 2
    assert found.code["TrainTasks"] == "code of TrainTasks"
    assert (found.state, all(there for _, _, there in found.artifacts)) == ("older", True)


def test_what_was_pruned_is_said_and_the_rest_told(runs):
    shutil.rmtree(runs / "artifacts" / "TrainTasks")
    found = trace_of(runs, 8, bundles(runs)[8])
    assert found.state == "serves"
    assert any("TrainTasks/networks" in line for line in found.unknown)
    networks = {each.name: each for each in found.networks}
    assert networks["normal"].address == "net normal", "the bundle itself says it"


def test_a_bundle_that_metadata_do_not_know_is_told_by_itself(runs):
    shutil.copytree(runs / "serving/taxonomy/8", runs / "serving/taxonomy/.withdrawn-9")
    found = trace_of(runs, 9, bundles(runs)[9])
    assert found.state == "withdrawn" and "only the bundle's own story" in found.unknown[0]
    assert [each.target for each in found.answers] == ["normal", "reshading", "keypoints2d"]


def test_a_served_answers_lineage_leads_to_its_version(runs, tmp_path):
    assert version_with(runs, runs / "serving/taxonomy/7/assets.extra/lineage.json") == 7
    with pytest.raises(RunError, match="is no lineage.json"):
        version_with(runs, runs / "metadata.sqlite")
    write_json(tmp_path / "other.json", {"artifact": "x", "policy": {}})
    with pytest.raises(RunError, match="no version in"):
        version_with(runs, tmp_path / "other.json")
    with pytest.raises(RunError, match="there are: 7, 8"):
        trace(runs, 6)


def test_the_command_writes_the_page_of_what_serves(runs):
    done = subprocess.run(
        [sys.executable, "-m", "tfx_pipeline", "trace", str(runs)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(runs / "trace-8.html")
    page = (runs / "trace-8.html").read_text()
    assert "head reshading" in page
    assert "a warm start from <code>net before</code>" in page


def test_a_version_from_before_the_history_says_so():
    lines = missing_facts(None, None, {})
    assert len(lines) == 2 and "know no run that pushed it" in lines[0]
    assert "older than the history" in lines[1]
