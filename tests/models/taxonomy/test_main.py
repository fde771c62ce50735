"""The command line: tables, JSON, and one line for what cannot be asked."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from affinity_tables import PUBLISHED, graded_table, shares, there

from models.taxonomy import Affinities, LossStore, Transfer
from models.taxonomy.__main__ import main


def run(capsys, *arguments) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    out = capsys.readouterr()
    return code, out.out, out.err


@pytest.fixture
def tables(tmp_path):
    for name, seed in (("a", 9), ("b", 10)):
        shares(graded_table(seed)).save(tmp_path / f"{name}.json")
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
    arguments = ["--budget", 2.2, "--regime-cost", "1k=0.01", "--regime-cost", "16k=0.1"]
    code, text, error = run(
        capsys, "solve", "--affinities", f"1k={first}", f"16k={second}", *arguments
    )
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


def test_what_labels_cost_is_told_apart_from_the_budget(tables, capsys):
    arguments = ["--affinities", tables[0], "--budget", 2000001]
    costs = [word for i in range(9) for word in ("--cost", f"t{i}=1000000")]
    names = {name for row in Affinities.load(tables[0]).rows for name in row.transfer.sources}
    code, text, error = run(capsys, "solve", *arguments, *costs[: 2 * len(names)])
    assert code == 0, error
    assert "labels cost 2000000 of 2000001" in text


ROOT = Path(__file__).resolve().parents[3]


@there
def test_solving_imports_neither_tensorflow_nor_tfx():
    code = (
        "import sys, runpy\n"
        "sys.argv = ['taxonomy', 'solve', '--affinities', "
        f"{str(PUBLISHED / 'all_affinities_16k.json')!r}, '--budget', '6', '--order', '5']\n"
        "try: runpy.run_module('models.taxonomy', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "heavy = {'tensorflow', 'tfx', 'keras', 'apache_beam'} & {name.split('.')[0] for "
        "name in sys.modules}\n"
        "assert not heavy, heavy\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert process.returncode == 0, process.stderr
    assert "objective 5.032826" in process.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_tables_fit_80_columns(command, tables, capsys):
    more = [*COMMANDS[command], *([tables[1]] if command in ("compare", "replay") else [])]
    _, text, _ = run(capsys, command, "--affinities", tables[0], *more)
    assert max(map(len, text.splitlines())) <= 80


@there
@pytest.mark.parametrize("command", ["solve --budget 20", "sweep --order 1", "tree"])
def test_tables_of_the_released_files_fit_80_columns(command, capsys):
    name, *more = command.split()
    file = PUBLISHED / "all_affinities_16k.json"
    code, text, _ = run(capsys, name, "--affinities", file, *more)
    assert code == 0 and max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("option", ["--best 0", "--order 0", "--budget nan", "--time-limit 0"])
def test_numbers_that_mean_nothing_end_in_one_line(option, tables, capsys):
    arguments = ["solve", "--affinities", tables[0], "--budget", 2, *option.split()]
    with pytest.raises(SystemExit) as end:
        run(capsys, *arguments)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1 and option.split()[0] in error


def test_files_that_are_none_end_in_one_line_with_their_name(tmp_path, tables, capsys):
    truncated = tmp_path / "truncated.json"
    truncated.write_text(tables[0].read_text()[:500])
    for file in (truncated, tmp_path, tmp_path / "lacking.json"):
        code, text, error = run(capsys, "solve", "--affinities", file, "--budget", 2)
        assert code == 1 and not text
        assert str(file) in error and len(error.splitlines()) == 1
    code, _, error = run(capsys, "measure", "--losses", tmp_path / "no", "--out", "out.json")
    assert code == 1 and f"no folder {tmp_path / 'no'}" in error


def test_the_help_explains_the_words_of_the_tables(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(f"{word}: " in text for word in ("gain", "quality", "budget", "gap", "objective"))
    _, error = capsys.readouterr()
    assert not error


def test_a_closed_pipe_ends_quietly(tables):
    command = [sys.executable, "-m", "models.taxonomy", "sweep", "--affinities", str(tables[0])]
    shell = " ".join(command) + " | head -1; echo ${PIPESTATUS[0]}"
    process = subprocess.run(
        ["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert process.stderr == "" and len(process.stdout.splitlines()) == 2
    assert process.stdout.splitlines()[1] in ("0", "141")


def test_a_wrong_argument_is_answered_before_anything_heavy_is_loaded():
    code = (
        "import sys\n"
        "from models.taxonomy.__main__ import main\n"
        "try: main(['solve', '--affinities', 'nofile.json', '--best', '0'])\n"
        "except SystemExit: pass\n"
        "heavy = {'cvxopt', 'scipy.stats', 'scipy.optimize', 'tensorflow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert process.returncode == 0, process.stderr
