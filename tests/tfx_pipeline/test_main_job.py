"""The main job, small: data set -> pipeline -> served taxonomy -> an answer over gRPC. Run once;
every test reads what it left behind.
"""

import collections
import json
import re
import socket
import sqlite3
import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from small_run import ROOT, TIMEOUT, command, edited_copy, newest, run_again

from components.verdicts import latest_verdicts
from tfx_pipeline.__main__ import main
from tfx_pipeline.history.journal import read


def test_a_demo_that_is_stopped_ends_at_once_and_says_how_to_resume(stopped):
    run, (code, said, seconds) = stopped
    assert code == 143 and seconds < 10
    assert "Traceback" not in said
    assert re.search(r"stopped \(SIGTERM\).*-m tfx_pipeline demo --config smoke --run", said)
    assert [entry.outcome for entry in read(run)][:1] == ["stopped"]


def test_the_same_command_trains_the_rest_and_no_network_twice(stopped, demo):
    first, second = read(demo.run)[:2]
    done = demo.done
    assert len(first.networks) >= 2 and not set(first.networks) & set(second.networks)
    assert len(first.networks) + len(second.networks) == 26
    assert "network 2/26" not in done.stderr and "network 26/26" in done.stderr
    assert (second.outcome, second.version) == ("pushed", second.serves)


def test_the_demo_ends_with_an_answer_and_says_where_things_are(demo):
    for word in ("measured", "buy", "gives", "asked", "report", "serve", "ask"):
        assert word in demo.done.stdout
    assert len(list((demo.run / "answers").iterdir())) >= 10


def test_every_transfer_of_orders_one_and_two_was_measured(demo):
    rows = json.loads(
        (newest(demo.run, "MeasureAffinities", "affinities") / "affinities.json").read_text()
    )["rows"]
    transfers = [row for row in rows if row["control"] is None]
    assert len({row["target"] for row in rows}) == 22
    assert len(transfers) == 22 * (26 + 325)
    assert {row["control"] for row in rows} == {
        None,
        "supervised",
        "scratch",
        "pixels",
        "average",
    }


def test_first_order_was_measured_with_less_data_too_and_decides_nothing(demo):
    folder = newest(demo.run, "MeasureAffinities", "affinities")

    def counts(name):
        return collections.Counter(
            row["regime"]
            for row in json.loads((folder / name).read_text())["rows"]
            if row["control"] is None
        )

    assert counts("affinities.json") == {"": 22 * (26 + 325)} and counts("amounts.json") == {
        "": 22 * (26 + 325),
        "8": 22 * 26,
    }
    evidence = json.loads(
        (newest(demo.run, "EvaluateTaxonomy", "evidence") / "evidence.json").read_text()
    )
    assert (
        evidence["transfers"] == 22 * (26 + 325 + 26) and len(evidence["amounts"]["targets"]) == 22
    )
    page = (newest(demo.run, "WriteReport", "report") / "index.html").read_text()
    assert "With less data" in page
    assert 'id="amounts-box"' in page, "two amounts: the page chooses among them"


def test_every_budget_has_a_proven_taxonomy(demo):
    found = json.loads(
        (newest(demo.run, "SolveTaxonomy", "taxonomies") / "taxonomies.json").read_text()
    )
    assert {(answer["order"], answer["budget"]) for answer in found} == {
        (order, budget) for order in (1, 2) for budget in (1, 2, 4, 6)
    }
    assert {answer["status"] for answer in found} == {"optimal"}


def test_quality_as_served_is_what_the_exported_networks_losses_say(demo):
    """image by image from the networks' own files, no store or table between."""
    evidence = newest(demo.run, "EvaluateTaxonomy", "evidence") / "evidence.json"
    facts = json.loads(evidence.read_text())["served"]
    exported = newest(demo.run, "TrainPolicy", "transfers")
    own = {path.parent.name: path for path in demo.run.glob("work/networks/*/test_losses.npy")}
    qualities = []
    for edge in json.loads((exported / "policy.json").read_text())["edges"]:
        if edge["control"] == "supervised":
            qualities.append(0.5)
            continue
        losses = np.load(exported / edge["target"] / "test_losses.npy")
        rival = np.load(own[edge["target"]])
        qualities.append(np.mean(losses < rival) + np.mean(losses == rival) / 2)
    assert facts["served"]["quality"] == pytest.approx(np.mean(qualities))
    assert all(row["served"]["loss"] > 0 for row in facts["edges"])
    assert {*facts["crossfit"]} == {"served", "measured", "shared"}
    assert "as served" in demo.done.stdout


def test_the_report_is_one_page_that_asks_no_network(demo):
    page = (newest(demo.run, "WriteReport", "report") / "index.html").read_text()
    assert "Which labels to buy" in page
    assert "data:image/webp;base64," in page
    assert "http://" not in page.replace("http://www.w3.org", "").replace(
        "http://purl.org", ""
    ).replace("http://creativecommons.org", "")
    assert "https://" not in page


def test_metadata_are_in_sqlite_and_every_node_ran(demo):
    with sqlite3.connect(demo.run / "metadata.sqlite") as base:
        states = dict(
            base.execute(
                "select Type.name, max(last_known_state) from Execution join Type on Type.id "
                "= Execution.type_id group by Type.name"
            ).fetchall()
        )
    assert len([name for name in states if "." in name]) >= 17 and set(states.values()) <= {
        3,
        5,
    }  # COMPLETE, CACHED


class Before(NamedTuple):
    """What lay in the demo's folder: served versions, networks' files with their times of change,
    and how many runs the history knew.
    """

    versions: list[str]
    networks: dict[Path, int]
    runs: int


def before(run: Path) -> Before:
    files = (run / "work" / "networks").rglob("*.h5")
    return Before(
        sorted(path.name for path in (run / "serving" / "taxonomy").iterdir()),
        {path: path.stat().st_mtime_ns for path in files},
        len(read(run)),
    )


@pytest.fixture(scope="module")
def tutorial(demo, tmp_path_factory):
    """(what there was before, the tutorial's shell, number of its blocks, its answers): every
    command in order, in one shell, with the demo's folders in place of the reader's own.
    """
    run, answered = demo.run, tmp_path_factory.mktemp("tutorial") / "answers"
    text = (ROOT / "docs" / "TUTORIAL.md").read_text()
    blocks = re.findall(r"^```sh( server)?\n(.*?)^```", text, flags=re.M | re.S)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    script = ["set -e"]
    for server, block in blocks:
        own = block.replace("my_data", str(run / "data")).replace("runs/mine", str(run))
        own = own.replace("8500", port)
        own = own.replace("$PWD/" + str(run), str(run)).replace("answers", str(answered))
        if server:
            answers = f"(echo > /dev/tcp/127.0.0.1/{port}) 2> /dev/null"
            own = f"{own.strip()} > /dev/null &\ntrap 'kill %1' EXIT\n"
            own += f"for i in $(seq 200); do {answers} && break; sleep 1; done\n"
        script.append(own)
    known = before(run)
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT
    )
    return known, done, len(blocks), answered


def test_every_command_of_the_tutorial_works(tutorial):
    _, done, blocks, answered = tutorial
    assert done.returncode == 0, done.stderr[-3000:]
    assert blocks > 8
    assert len(list(answered.iterdir())) >= 10


def test_a_second_run_trains_nothing_and_serves_the_same_version(demo, tutorial):
    """the tutorial's first run finds all done; its second asks for another budget."""
    known, done, _, _ = tutorial
    second, budget = read(demo.run)[known.runs :]
    assert (second.outcome, second.networks, second.transfers) == ("unchanged", (), 0)
    assert str(second.serves) == known.versions[-1]
    assert (budget.outcome, budget.networks, budget.transfers) == ("pushed", (), 0)
    assert before(demo.run).versions == [*known.versions, str(budget.serves)]
    assert before(demo.run).networks == known.networks
    assert not re.search(r"network \d+/26", done.stderr)


def test_what_was_pushed_is_what_later_data_and_bundles_are_compared_with(demo, capsys):
    verdicts = latest_verdicts(demo.run)
    assert [verdict.gate for verdict in verdicts] == ["CheckData", "CheckQuality"]
    assert all(verdict.passed for verdict in verdicts)
    assert (demo.run / "accepted" / "profile.json").exists()
    assert main(["schema", str(demo.run)]) == 0
    assert capsys.readouterr().out.strip().endswith("nothing changed")


def test_an_edit_of_a_component_and_of_a_template_runs_these_nodes_again_and_no_other(
    demo, tmp_path
):
    template = next((ROOT / "models" / "reports").rglob("*.html")).relative_to(ROOT)
    edits = {
        "components/train_tasks.py": ("len(wanted))", "len(wanted) + 0)"),
        str(template): ("<", "<!-- edited --><"),
        "models/taxonomy/program/solver.py": ("\nimport", "\n# a remark\nimport"),
    }
    ran, said = run_again(demo.run, edited_copy(tmp_path / "sources", edits))
    # Gates look again once there are accepted data and a served version to compare with.
    gates = {"CheckData", "CheckQuality", "PushBundle"}
    assert ran - gates == {"TrainTasks", "WriteReport"}, "what follows from them had not changed"
    assert "beats the average" not in said, "its networks were in the ledger"


def test_a_27th_task_trains_one_network_and_measures_its_own_transfers(demo, tmp_path):
    entry = (
        "import dataclasses\n"
        'TASKS["gloss"] = dataclasses.replace(TASKS["reshading"], name="gloss", published="")\n'
    )
    sources = edited_copy(tmp_path / "sources", {})
    with open(sources / "models" / "tasks" / "dictionary.py", "a") as file:
        file.write(entry)
    ran, said = run_again(demo.run, sources)
    assert not {"IngestViews", "StatisticsGen", "CheckLabels"} & ran
    assert {"TrainTasks", "TrainTransfers", "MeasureAffinities"} <= ran
    assert re.findall(r"network (\d+/\d+) (\w+):", said) == [("27/27", "gloss")]
    before = 22 * (26 + 26 * 25 // 2 + 26)  # orders 1 and 2, and order 1 with less data
    after = 23 * (27 + 27 * 26 // 2 + 27)
    assert f"{after} transfers into 23 targets ({before} from the ledger)" in said


def test_a_locked_run_is_refused_in_one_line(demo):
    import fcntl

    with open(demo.run / ".lock", "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = command(
            "tfx_pipeline",
            "run",
            "--config",
            "smoke",
            "--run",
            demo.run,
            "--data",
            demo.run / "data",
        )
    assert done.returncode == 75
    assert done.stderr.strip().splitlines()[-1].startswith("error: another run")
