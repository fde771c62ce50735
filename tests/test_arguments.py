"""Wrong arguments of every command: one line that names them, an exit code, and nothing heavy
loaded for it (that is what makes the answer quick).
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("tensorflow", "keras", "tfx", "apache_beam")

# Runs every row in one process that starts light; a row's arguments are as a shell would pass them.
CHILD = """
import contextlib, importlib, io, json, sys
program, heavy, rows = json.loads(sys.stdin.read())
main = importlib.import_module(f"{program}.__main__").main
told = []
for words in rows:
    out, error = io.StringIO(), io.StringIO()
    sys.argv = [program, *words]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            code = main(words)
        except SystemExit as end:
            code = end.code
        except BaseException as error_that_leaks:
            code = f"raised {type(error_that_leaks).__name__}: {error_that_leaks}"
    told.append([code, error.getvalue(), [name for name in heavy if name in sys.modules]])
print(json.dumps(told))
"""

# program -> rows of (arguments, exit code, what the line must name)
WRONG = {
    "tfx_pipeline": [
        ([], 2, "required: command"),
        (["fly"], 2, "invalid choice: 'fly'"),
        (["run"], 2, "--data"),
        (["run", "--data", "NONE", "--run", "HERE/r"], 1, "NONE"),
        (["run", "--data", "FILE", "--run", "HERE/r"], 1, "FILE"),
        (["run", "--data", "", "--run", "HERE/r"], 2, "--data: expected a path, got ''"),
        (["run", "--data", "HERE", "--run", ""], 2, "--run: expected a path, got ''"),
        (["run", "--data", "HERE", "--run", "HERE/r", "--conf", "smoke"], 2, "--conf"),
        (["demo", "--run", " "], 2, "--run: expected a path, got ' '"),
        (["schedule", "--data", "", "--run", "HERE/r"], 2, "--data: expected a path"),
        (["schedule", "--data", "NONE", "--run", "HERE/r", "--eve", "3s"], 2, "--eve"),
        (["schedule", "--data", "NONE", "--run", "HERE/r", "--inst", "cron"], 2, "--inst"),
        (["history", ""], 2, "run: expected a path"),
        (["schema", ""], 2, "run: expected a path"),
        (["remove-source", "hed", "--run", ""], 2, "--run: expected a path"),
        (["compile", "--data", "", "--root", "gs://b/r"], 2, "--data: expected a path"),
        (["compile", "--data", "gs://b/d", "--root", "gs://b/r", "--out", ""], 2, "--out"),
        (["run", "--data", "HERE", "--run", "HERE/r", "--config", "huge"], 1, "huge"),
        (["run", "--data", "HERE", "--run", "HERE/r", "--set", "stepz=3"], 1, "stepz"),
        (["run", "--data", "HERE", "--run", "HERE/r", "--set", "steps=many"], 1, "steps"),
        (["run", "--data", "HERE", "--run", "HERE/r", "--set", "steps"], 1, "steps"),
        (["run", "--data", "HERE", "--run", "HERE/r", "--shards", "a,b"], 1, "shards"),
        (["demo", "--run", "FILE"], 1, "FILE"),
        (["schedule", "--data", "NONE", "--run", "HERE/r"], 1, "NONE"),
        (["schedule"], 1, "--data"),
        (["schedule", "--data", "HERE", "--run", "HERE/r", "--every", "often"], 2, "often"),
        (["schedule", "--data", "HERE", "--run", "HERE/r", "--every", "0.5"], 1, "at least 1 s"),
        (["schedule", "--data", "HERE", "--run", "HERE/r", "--window", "3"], 1, "--window"),
        (["schedule", "--host", "http://127.0.0.1:9"], 1, "--file"),
        (["run", "--data", "HERE/a{SPAN}", "--run", "HERE/r"], 1, "a{SPAN}"),
        (["run", "--data", "HERE", "--run", "HERE/r", "--window", "0"], 2, "--window"),
        (["add-source", "hed"], 2, "--encoder"),
        (["add-source", "hed", "--encoder", "FILE", "--run", "NONE"], 1, "NONE"),
        (["add-source", "normal", "--encoder", "FILE"], 1, "normal"),
        (["add-source", "hed", "--encoder", "FILE", "--mean", "x"], 2, "--mean"),
        (["remove-source"], 2, "name"),
        (["remove-source", "hed", "--run", "NONE"], 1, "NONE"),
        (["history"], 2, "required: run"),
        (["history", "HERE", "--last", "0"], 2, "at least 1, got 0"),
        (["history", "NONE"], 1, "NONE"),
        (["history", "HERE"], 1, "HERE"),
        (["diff", "HERE", "1"], 2, "after"),
        (["diff", "HERE", "1", "2"], 1, "HERE"),
        (["prune", "HERE"], 2, "--keep"),
        (["prune", "NONE", "--keep", "1"], 1, "NONE"),
        (["prune", "HERE", "--keep", "0"], 2, "--keep: expected at least 1"),
        (["rollback", "HERE", "3", "--to", "2"], 2, "not allowed with"),
        (["rollback", "HERE"], 1, "HERE"),
        (["trace", "HERE", "--version", "7"], 1, "HERE"),
        (["trace", "HERE", "--lineage", "NONE"], 1, "NONE"),
        (["config", "--config", "huge"], 1, "huge"),
        (["config", "--set", "default_budget=-1"], 1, "default_budget"),
        (["compile", "--data", "HERE"], 2, "--root"),
        (["compile", "--data", "HERE", "--root", "gs://b/r"], 1, "HERE"),
        (["compile", "--data", "gs://b/d", "--root", "gs://b/r", "--resources", "NONE"], 1, "NONE"),
        (["compile", "--data", "gs://b/d", "--root", "gs://b/r", "--retries", "-1"], 2, "least 0"),
        (["submit", "--host", "http://127.0.0.1:9", "NONE"], 1, "NONE"),
        (["submit", "--host", "http://127.0.0.1:9", "--every", "-1"], 2, "--every: expected s"),
        (["submit", "--host", "http://127.0.0.1:9", "--every", "nan"], 2, "got 'nan'"),
        (["add-source", "hed", "--encoder", "FILE", "--channels", "0"], 2, "--channels"),
    ],
    "beam_jobs": [
        ([], 2, "required: command"),
        (["annotate"], 2, "--out"),
        (["annotate", "--out", ""], 2, "--out: expected a path"),
        (["annotate", "--out", "HERE/a", "--build", "1"], 2, "--build"),
        (["ingest", "--data", "", "--out", "HERE/e"], 2, "--data: expected a path"),
        (["ingest", "--data", "HERE", "--out", ""], 2, "--out: expected a path"),
        (["download", "--out", ""], 2, "--out/--dest: expected a path"),
        (["download", "--dest", ""], 2, "--out/--dest: expected a path"),
        (["annotate", "--out", "HERE/a", "--buildings", "none"], 2, "--buildings"),
        (["annotate", "--out", "HERE/a", "--buildings", "0"], 2, "--buildings: expected at"),
        (["annotate", "--out", "HERE/a", "--held-out", "0"], 2, "--held-out: expected at"),
        (["annotate", "--out", "HERE/a", "--units-per-metre", "nan"], 2, "finite number above 0"),
        (["annotate", "--out", "HERE/a", "--size", "31"], 1, "32 pixels"),
        (["annotate", "--out", "HERE/a", "--size", "-4"], 2, "--size: expected at least 1"),
        (["annotate", "--out", "HERE/a", "--mesh", "NONE"], 1, "NONE"),
        (["annotate", "--out", "HERE/a", "--seed", "-1"], 2, "--seed: expected at least 0"),
        (["annotate", "--out", "HERE/a", "--processes", "0"], 2, "--processes: expected at"),
        (["annotate", "--out", "HERE/a", "--mesh", "FILE", "--labels", "FILE"], 1, "no .npy"),
        (["annotate", "--out", "HERE/a", "--mesh", "FILE", "--labels", "NONE"], 1, "NONE"),
        (["annotate", "--out", "HERE/a", "--labels", "FILE"], 1, "one --labels for each --mesh"),
        (["ingest", "--data", "NONE", "--out", "HERE/e"], 1, "NONE"),
        (["ingest", "--data", "HERE", "--out", "HERE/e"], 1, "contain each other"),
        (["ingest", "--data", "HERE", "--out", "FILE"], 1, "is a file"),
        (["ingest", "--data", "HERE", "--out", "FILE", "--shards", "0"], 2, "--shards"),
        (["sheet", "--data", "NONE", "--out", "HERE/s.png"], 1, "NONE"),
        (["sheet", "--data", "HERE", "--out", "HERE/s.png", "--views", "0"], 2, "--views"),
        (["sheet", "--data", "HERE", "--out", "HERE/s.png", "--views", "-3"], 2, "at least 1"),
        (["sheet", "--data", "HERE", "--out", "HERE/s.png", "--columns", "0"], 2, "--columns"),
        (["statistics", "--data", "NONE"], 1, "NONE"),
        (["agreement", "--frames", "NONE"], 1, "NONE"),
        (["agreement", "--frames", "HERE", "--most", "0"], 2, "--most"),
        (["download", "--subset", "all", "--dest", "HERE/d"], 2, "--subset"),
        (["download", "--dest", "HERE/d", "--connections", "0"], 2, "--connections: expected at"),
    ],
    "serving": [
        ([], 2, "required: command"),
        (["ask"], 2, "--image"),
        (["ask", "--folder", ""], 2, "--folder: expected a path"),
        (["ask", "--image", "FILE", "--serv", "127.0.0.1:9"], 2, "--serv"),
        (["ask", "--image", "FILE", "--deadline", "-1"], 2, "--deadline: expected a finite"),
        (["ask", "--image", "FILE", "--attempts", "0"], 2, "--attempts: expected at least 1"),
        (["ask", "--folder", "HERE", "--batch", "0"], 2, "--batch: expected at least 1"),
        (["push", "HERE", ""], 2, "destination: expected a path"),
        (["rollback", ""], 2, "destination: expected a path"),
        (["ask", "--image", "NONE"], 1, "NONE"),
        (["ask", "--image", "HERE"], 1, "HERE"),
        (["ask", "--image", "FILE"], 1, "FILE"),
        (["ask", "--folder", "NONE"], 1, "NONE"),
        (["ask", "--folder", "FILE"], 1, "FILE"),
        (["ask", "--image", "FILE", "--folder", "HERE"], 2, "not allowed with"),
        (["validate", "NONE"], 1, "NONE"),
        (["push", "NONE", "HERE/p"], 1, "NONE"),
        (["rollback", "NONE"], 1, "NONE"),
        (["serve", "--port=many"], 2, "--port"),
        (["serve", "--model_base_path=NONE", "--rest_api_port=-7"], 2, "0 to 65535"),
        (["audit", "--advisories", "NONE"], 1, "NONE"),
    ],
    "models.taxonomy": [
        ([], 2, "COMMAND"),
        (["solve"], 2, "--affinities"),
        (["solve", "--affinities", "", "--budget", "2"], 2, "--affinities: expected a path"),
        (["solve", "--aff", "TABLE", "--budget", "2"], 2, "--affinities"),
        (["measure", "--losses", "", "--out", "HERE/m.json"], 2, "--losses: expected a path"),
        (["solve", "--affinities", "NONE", "--budget", "2"], 1, "NONE"),
        (["solve", "--affinities", "HERE", "--budget", "2"], 1, "HERE"),
        (["solve", "--affinities", "FILE", "--budget", "2"], 1, "FILE"),
        (["solve", "--affinities", "TABLE", "--budget", "0"], 2, "budget"),
        (["solve", "--affinities", "TABLE", "--order", "0"], 2, "order"),
        (["solve", "--affinities", "TABLE", "--best", "0"], 2, "best"),
        (
            ["solve", "--affinities", "TABLE", "--budget", "2", "--cost", "normal"],
            1,
            "NAME=NUMBER, got 'normal'",
        ),
        (["solve", "--affinities", "TABLE", "--budget", "2", "--cost", "nothing=2"], 1, "nothing"),
        (["solve", "--affinities", "TABLE", "--budget", "2", "--exclude", "nothing"], 1, "nothing"),
        (["sweep", "--affinities", "TORN"], 1, "TORN"),
        (["explain", "--affinities", "NONE", "--budget", "2"], 1, "NONE"),
        (["tree", "--affinities", "NONE"], 1, "NONE"),
        (["compare", "--affinities", "TABLE", "--with", "NONE"], 1, "NONE"),
        (["measure", "--losses", "NONE", "--out", "HERE/m.json"], 1, "NONE"),
        (["replay", "--affinities", "NONE", "--cheaper", "NONE", "--budget", "2"], 1, "NONE"),
        (["significance", "--affinities", "HERE", "--budget", "2"], 1, "HERE"),
    ],
    "models.reports": [
        ([], 2, "--run DIR"),
        (["fly"], 2, "invalid choice: 'fly'"),
        (["--run", ""], 2, "--run: expected a path"),
        (["--ru", "HERE"], 2, "HERE"),
        (["open", ""], 2, "folder: expected a path"),
        (["--run", "NONE"], 1, "NONE"),
        (["--run", "FILE"], 1, "FILE"),
        (["--run", "HERE"], 1, "HERE"),
        (["open", "NONE"], 1, "NONE"),
        (["open", "HERE"], 1, "HERE"),
        (["bundle", "NONE"], 1, "NONE"),
        (["compare", "NONE", "HERE"], 1, "NONE"),
    ],
}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """what a row's capitals stand for: a folder, a file that is nothing we read, a path that is not
    there, a sound table of affinities, and one that was cut.
    """
    here = tmp_path_factory.mktemp("arguments") / "folder"
    here.mkdir()
    files = {name: here.parent / f"{name.lower()}.json" for name in ("FILE", "TABLE", "TORN")}
    rows = [
        {"sources": ["normal"], "target": "reshading", "affinity": 0.6, "gain": 0.7, "quality": 0.4}
    ]
    table = json.dumps({"rows": rows})
    files["FILE"].write_text("no picture, no table")
    files["TABLE"].write_text(table)
    files["TORN"].write_text(table[:-20])
    return {"HERE": here, "NONE": here.parent / "missing", **files}


def filled(word, places):
    for name, path in places.items():
        word = word.replace(name, str(path))
    return word


@pytest.fixture(scope="module")
def answers(places):
    """program -> what each row answered: (code, stderr, heavy modules by then)."""

    def asked(program):
        rows = [[filled(word, places) for word in words] for words, _, _ in WRONG[program]]
        ran = subprocess.run(
            [sys.executable, "-c", CHILD],
            input=json.dumps([program, HEAVY, rows]),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,  # a row that starts to work instead of answering
        )
        return json.loads(ran.stdout)

    return {program: asked(program) for program in WRONG}


ROWS = [(program, i) for program, rows in WRONG.items() for i in range(len(rows))]


@pytest.mark.parametrize(
    ("program", "i"), ROWS, ids=[f"{p} {' '.join(WRONG[p][i][0])}"[:70] for p, i in ROWS]
)
def test_a_wrong_argument_is_told_in_a_line(program, i, answers, places):
    words, expected, named = WRONG[program][i]
    code, error, heavy = answers[program][i]
    told = [line for line in error.splitlines() if "error:" in line]
    assert code == expected, error
    assert len(told) == 1, error
    assert filled(named, places) in told[0]
    assert "Traceback" not in error
    assert heavy == [], f"{words} waits for {heavy}"
    if expected == 1:
        assert error.count("\n") == 1, error
