"""The main job, small: data set -> pipeline -> served taxonomy -> an answer over gRPC. Run once;
every test reads what it left behind.
"""

import collections
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from components.verdicts import latest_verdicts
from models.examples.label_store import LabelStore
from models.provenance.sources import PACKAGES
from tfx_pipeline.history.journal import read

ROOT = Path(__file__).resolve().parents[2]


def command(*words, cwd=ROOT) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=900,
    )


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """a demo that gets SIGTERM with two networks trained and two in training: (its folder, exit
    code, what it said, seconds that it took to end).
    """
    run = tmp_path_factory.mktemp("run") / "demo"
    words = ("tfx_pipeline", "demo", "--config", "smoke", "--run", str(run))
    process = subprocess.Popen(
        [sys.executable, "-m", *words], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    said = ""
    for line in process.stderr:
        said += line
        if "network 2/26" in line:
            break
    process.terminate()
    since = time.monotonic()
    said += process.communicate(timeout=60)[1]
    return run, process.returncode, said, time.monotonic() - since


@pytest.fixture(scope="module")
def demo(stopped):
    run = stopped[0]
    return run, command("tfx_pipeline", "demo", "--config", "smoke", "--run", run)


def test_a_demo_that_is_stopped_ends_at_once_and_says_how_to_resume(stopped):
    run, code, said, seconds = stopped
    assert code == 143 and seconds < 10
    assert "Traceback" not in said
    assert re.search(r"stopped \(SIGTERM\).*-m tfx_pipeline demo --config smoke --run", said)
    assert [entry.outcome for entry in read(run)][:1] == ["stopped"]


def test_the_same_command_trains_the_rest_and_no_network_twice(stopped, demo):
    run, done = demo
    first, second = read(run)[:2]
    assert len(first.networks) >= 2 and not set(first.networks) & set(second.networks)
    assert len(first.networks) + len(second.networks) == 26
    assert "network 2/26" not in done.stderr and "network 26/26" in done.stderr
    assert (second.outcome, second.version) == ("pushed", second.serves)


def newest(run: Path, node: str, output: str) -> Path:
    return max((run / "artifacts" / node / output).iterdir(), key=lambda path: int(path.name))


def test_the_demo_ends_with_an_answer_and_says_where_things_are(demo):
    run, done = demo
    assert done.returncode == 0, done.stderr[-3000:]
    for word in ("measured", "buy", "gives", "asked", "report", "serve", "ask"):
        assert word in done.stdout
    assert len(list((run / "answers").iterdir())) >= 10


def test_every_transfer_of_orders_one_and_two_was_measured(demo):
    rows = json.loads(
        (newest(demo[0], "MeasureAffinities", "affinities") / "affinities.json").read_text()
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
    folder = newest(demo[0], "MeasureAffinities", "affinities")

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
        (newest(demo[0], "EvaluateTaxonomy", "evidence") / "evidence.json").read_text()
    )
    assert (
        evidence["transfers"] == 22 * (26 + 325 + 26) and len(evidence["amounts"]["targets"]) == 22
    )
    assert "With less data" in (newest(demo[0], "WriteReport", "report") / "index.html").read_text()


def test_every_budget_has_a_proven_taxonomy(demo):
    found = json.loads(
        (newest(demo[0], "SolveTaxonomy", "taxonomies") / "taxonomies.json").read_text()
    )
    assert {(answer["order"], answer["budget"]) for answer in found} == {
        (order, budget) for order in (1, 2) for budget in (1, 2, 4, 6)
    }
    assert {answer["status"] for answer in found} == {"optimal"}


def test_the_report_is_one_page_that_asks_no_network(demo):
    page = (newest(demo[0], "WriteReport", "report") / "index.html").read_text()
    assert "Which labels to buy" in page
    assert "data:image/webp;base64," in page
    assert "http://" not in page.replace("http://www.w3.org", "").replace(
        "http://purl.org", ""
    ).replace("http://creativecommons.org", "")
    assert "https://" not in page


def test_metadata_are_in_sqlite_and_every_node_ran(demo):
    with sqlite3.connect(demo[0] / "metadata.sqlite") as base:
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


def test_a_second_run_trains_nothing_and_serves_the_same_version(demo):
    run, _ = demo
    before = sorted(path.name for path in (run / "serving" / "taxonomy").iterdir())
    networks = {path: path.stat().st_mtime_ns for path in (run / "work" / "networks").rglob("*.h5")}
    done = command("tfx_pipeline", "demo", "--config", "smoke", "--run", run)
    assert done.returncode == 0, done.stderr[-3000:]
    assert sorted(path.name for path in (run / "serving" / "taxonomy").iterdir()) == before
    assert {
        path: path.stat().st_mtime_ns for path in (run / "work" / "networks").rglob("*.h5")
    } == networks
    assert "network 1/26" not in done.stderr
    last = read(run)[-1]
    assert (last.outcome, last.networks, last.transfers) == ("unchanged", (), 0)
    assert str(last.serves) == before[-1]


def test_every_command_of_the_tutorial_works(demo, tmp_path):
    """in order, in one shell, with the demo's folders in place of the reader's own."""
    run = demo[0]
    text = (ROOT / "docs" / "TUTORIAL.md").read_text()
    blocks = re.findall(r"^```sh( server)?\n(.*?)^```", text, flags=re.M | re.S)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    script = ["set -e"]
    for server, block in blocks:
        own = block.replace("my_data", str(run / "data")).replace("runs/mine", str(run))
        own = own.replace("8500", port)
        own = own.replace("$PWD/" + str(run), str(run)).replace(
            "answers", str(tmp_path / "answers")
        )
        if server:
            answers = f"(echo > /dev/tcp/127.0.0.1/{port}) 2> /dev/null"
            own = f"{own.strip()} > /dev/null &\ntrap 'kill %1' EXIT\n"
            own += f"for i in $(seq 200); do {answers} && break; sleep 1; done\n"
        script.append(own)
    assert len(blocks) > 8
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=ROOT, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(list((tmp_path / "answers").iterdir())) >= 10


def edited_copy(folder: Path, edits: dict[str, tuple[str, str]]) -> Path:
    """a copy of the sources with `path: (old, new)` replaced; what numba compiled from files comes
    along, and holds for those whose content is the same.
    """
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package)
    shutil.copy(ROOT / "BUILD", folder / "BUILD")
    for path, (old, new) in edits.items():
        text = (folder / path).read_text()
        assert old in text, f"{path} has no {old!r}: the test must follow the code"
        (folder / path).write_text(text.replace(old, new, 1))
    return folder


def executions(run: Path) -> list[tuple[int, str, int]]:
    """(number, node's type, state) of all executions so far; state 3 ran, 5 was cached."""
    with sqlite3.connect(run / "metadata.sqlite") as base:
        return base.execute(
            "select Execution.id, Type.name, last_known_state from Execution "
            "join Type on Type.id = Execution.type_id"
        ).fetchall()


def run_again(run: Path, sources: Path) -> tuple[set[str], str]:
    """run the pipeline by other sources; (the nodes that were not cached, what it said)."""
    last = max(number for number, _, _ in executions(run))
    words = ("run", "--config", "smoke", "--run", run, "--data", run / "data")
    done = command("tfx_pipeline", *words, cwd=sources)
    assert done.returncode == 0, done.stderr[-3000:]
    fresh = [row for row in executions(run) if row[0] > last]
    return {name.split(".")[-1] for _, name, state in fresh if state == 3}, done.stderr


def test_what_was_pushed_is_what_later_data_and_bundles_are_compared_with(demo):
    verdicts = latest_verdicts(demo[0])
    assert [verdict.gate for verdict in verdicts] == ["CheckData", "CheckQuality"]
    assert all(verdict.passed for verdict in verdicts)
    assert (demo[0] / "accepted" / "profile.json").exists()
    done = command("tfx_pipeline", "schema", demo[0])
    assert done.returncode == 0 and done.stdout.strip().endswith("nothing changed"), done.stderr


# What the run was told; the cluster's file is told the same.
SMOKE = ("--config", "smoke")


def on_a_cluster(volume: Path, *words) -> str:
    """compile for the emulated cluster whose shared volume is `volume`, run there; the table."""
    file = volume / "taxonomy.yaml"
    places = ("--data", volume / "data", "--work", volume, "--root", "gs://bucket/root")
    compiled = command("tfx_pipeline", "compile", *SMOKE, *places, "--shards", "2,2", "--out", file)
    assert compiled.returncode == 0, compiled.stderr[-2000:]
    done = command(
        "tfx_pipeline.cluster.emulator", file, "--fork", "--disk", volume / "disk", *words
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


LOST = ("autoencoding", "normal")


def test_a_cluster_with_a_kill_gives_the_networks_and_taxonomies_of_the_local_run(demo, tmp_path):
    """its ledger is the local run's without two networks: these are trained on the cluster."""
    run, _ = demo
    volume = tmp_path / "volume"
    shutil.copytree(run / "data", volume / "data")
    shutil.copytree(run / "work", volume / "work")
    for name in LOST:
        shutil.rmtree(volume / "work" / "networks" / name)
    table = on_a_cluster(volume, "--kill", "TrainTasks-0", "autoencoding:", "--to", "SolveTaxonomy")
    assert re.search(r"TrainTasks-0 +try 1 +exit +-9", table)
    assert re.search(r"TrainTasks-0 +try 2 +exit +0", table)
    assert " left " not in table, "a step wrote into its own folder, which a pod loses"
    store = volume / "disk" / "store" / "gcs" / "bucket" / "root"
    bank = store / "JoinNetworks" / "joined"
    local = run / "work" / "networks"
    for name in LOST:
        weights = "encoder.weights.h5"
        assert tree(bank / name).keys() == tree(local / name).keys()
        # Not to the byte: a step that trains one network has all threads for it, sums differ.
        np.testing.assert_allclose(
            np.load(bank / name / "test_losses.npy"),
            np.load(local / name / "test_losses.npy"),
            rtol=1e-4,
        )
        assert (bank / name / weights).stat().st_size == (local / name / weights).stat().st_size
    solved = store / "SolveTaxonomy" / "taxonomies"
    assert tree(solved) == tree(newest(run, "SolveTaxonomy", "taxonomies"))

    # changed data: another reshading label of one training view is not taken for the known one
    label_store = store / "DecodeLabels" / "labels" / "store"
    before = LabelStore(label_store).address("reshading")
    labels = sorted((volume / "data").glob("*/reshading/*.png"))
    shutil.copy(labels[0], labels[1])
    on_a_cluster(volume, "--to", "DecodeLabels")
    assert LabelStore(label_store).address("reshading") != before


def test_an_edit_of_a_component_and_of_a_template_runs_these_nodes_again_and_no_other(
    demo, tmp_path
):
    template = next((ROOT / "models" / "reports").rglob("*.html")).relative_to(ROOT)
    edits = {
        "components/train_tasks.py": ("len(wanted))", "len(wanted) + 0)"),
        str(template): ("<", "<!-- edited --><"),
        "models/taxonomy/solver.py": ("\nimport", "\n# a remark\nimport"),
    }
    ran, said = run_again(demo[0], edited_copy(tmp_path / "sources", edits))
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
    ran, said = run_again(demo[0], sources)
    assert not {"IngestViews", "StatisticsGen", "CheckLabels"} & ran
    assert re.findall(r"network (\d+/\d+) (\w+):", said) == [("27/27", "gloss")]
    before = 22 * (26 + 26 * 25 // 2 + 26)  # orders 1 and 2, and order 1 with less data
    after = 23 * (27 + 27 * 26 // 2 + 27)
    assert f"{after} transfers into 23 targets ({before} from the ledger)" in said


def test_a_locked_run_is_refused_in_one_line(demo):
    import fcntl

    with open(demo[0] / ".lock", "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = command(
            "tfx_pipeline", "run", "--config", "smoke", "--run", demo[0], "--data", demo[0] / "data"
        )
    assert done.returncode == 75
    assert done.stderr.strip().splitlines()[-1].startswith("error: another run")


def test_an_empty_data_folder_is_refused_in_one_line(tmp_path):
    (tmp_path / "data").mkdir()
    done = command(
        "tfx_pipeline",
        "run",
        "--config",
        "smoke",
        "--run",
        tmp_path / "run",
        "--data",
        tmp_path / "data",
    )
    assert done.returncode == 1
    assert "error: no data at" in done.stderr.strip().splitlines()[-1]


def test_an_unwritable_output_is_refused_in_one_line(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    done = command(
        "tfx_pipeline", "run", "--config", "smoke", "--run", blocked / "run", "--data", tmp_path
    )
    assert done.returncode == 1
    assert "error: cannot write to" in done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "words", [("tfx_pipeline",), ("beam_jobs",), ("serving",), ("models.taxonomy",)]
)
def test_help_comes_without_heavy_imports(words):
    code = (
        "import sys, runpy\n"
        f"sys.argv = [{words[0]!r}, '--help']\n"
        f"try: runpy.run_module({words[0]!r}, run_name='__main__')\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'tensorflow', 'tfx', 'keras', 'apache_beam', 'numba'} & "
        "{name.split('.')[0] for name in sys.modules}\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ},
    )
    assert done.returncode == 0 and "example:" in done.stdout, done.stderr
