"""What is installed says what was asked, in the words of systemd and cron."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tfx_pipeline.__main__ import main
from tfx_pipeline.faults import RunError
from tfx_pipeline.schedule.install import cron_times, files_of, install, kept_variables, quote_word

ARGUMENTS = ["schedule", "--data", "my data/span-{SPAN}", "--run", "runs/100% mine"]


def test_a_unit_and_a_timer_that_systemd_reads(tmp_path):
    files = files_of("systemd", ARGUMENTS, 21600, Path("runs/100% mine"), {})
    assert [name.partition("mine-")[0] for name in sorted(files)] == ["taskonomy-100-"] * 2
    assert [name.partition(".")[2] for name in sorted(files)] == ["service", "timer"]
    service, timer = (files[name] for name in sorted(files))
    assert '-m tfx_pipeline schedule --data "my data/span-{SPAN}"' in service
    assert '"runs/100%% mine"' in service and "SuccessExitStatus=75" in service
    assert "OnUnitInactiveSec=21600s" in timer
    if shutil.which("systemd-analyze"):
        install(files, "systemd", tmp_path, Path("runs/100% mine"), yes=True)
        done = subprocess.run(
            ["systemd-analyze", "verify", "--user", *map(str, tmp_path.iterdir())],
            capture_output=True,
            text=True,
        )
        assert "taskonomy" not in done.stderr, done.stderr


def test_words_of_systemd_are_quoted():
    assert quote_word("--run=runs/mine") == "--run=runs/mine"
    assert quote_word('a "b" $c\\') == '"a \\"b\\" $$c\\\\"'


def test_a_line_of_cron():
    (line,) = files_of("cron", ARGUMENTS, 1800, Path("runs/100% mine"), {}).values()
    times, _, command = line.partition(" cd ")
    assert times == "*/30 * * * *" and "\\%" in command and line.count("\n") == 1
    words = shlex.split(command.replace("\\%", "%"))
    assert words[words.index("--data") + 1] == "my data/span-{SPAN}"
    assert words[-2].endswith("runs/100% mine/schedule.log")


@pytest.mark.parametrize(
    "every, times",
    [(60, "*/1 * * * *"), (3600, "0 */1 * * *"), (21600, "0 */6 * * *"), (86400, "0 3 * * *")],
)
def test_times_of_cron(every, times):
    assert cron_times(every) == times


@pytest.mark.parametrize("every", [30, 90, 7 * 60, 45 * 60, 90 * 60, 3630, 5 * 3600, 2 * 86400])
def test_what_cron_cannot_say_is_refused(every):
    with pytest.raises(RunError, match="cron cannot say every"):
        cron_times(every)


def test_nothing_is_written_before_yes(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["schedule", "--data", "data", "--run", "run", "--every", "6h", "--hook", "mail me"]
    asked = [*words, "--install", "systemd", "--to", str(tmp_path / "units")]
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "ExecStart=" in said and "nothing was written" in said
    assert not (tmp_path / "units").exists()
    assert main([*asked, "--yes"]) == 0
    [path] = (tmp_path / "units").glob("taskonomy-run-*.service")
    service, said = path.read_text(), capsys.readouterr().out
    assert f"systemctl --user enable --now {path.stem}.timer" in said
    assert "loginctl enable-linger" in said and "disable" not in said
    assert '--hook "mail me"' in service and "--every" not in service and "--yes" not in service
    assert f"--data {tmp_path}/data --run {tmp_path}/run" in service


def test_cron_is_told_where_to_write(tmp_path):
    with pytest.raises(RunError, match="--to DIR"):
        install({"taskonomy-x": "line\n"}, "cron", None, Path("x"), yes=True)
    lines = install({"taskonomy-x": "line\n"}, "cron", tmp_path, Path("x"), yes=True)
    assert (tmp_path / "taskonomy-x").read_text() == "line\n" and "crontab -" in lines[-1]


def test_runs_whose_folders_are_called_alike_have_units_of_their_own(tmp_path):
    runs = [tmp_path / place / "mine" for place in "xy"]
    for run in (*runs, runs[0]):
        files = files_of("systemd", ["schedule", "--run", str(run)], 3600, run, {})
        install(files, "systemd", tmp_path / "units", run, yes=True)
    services = list((tmp_path / "units").glob("*.service"))
    assert len(services) == 2
    assert all(any(f"--run {run}\n" in path.read_text() for path in services) for run in runs)


def test_a_timer_that_earlier_code_wrote_for_the_run_is_to_be_switched_off(tmp_path):
    mine, other = tmp_path / "x" / "mine", tmp_path / "y" / "mine"
    units = tmp_path / "units"
    units.mkdir()
    (units / "taskonomy-mine.timer").write_text("[Timer]\n")
    (units / "taskonomy-mine.service").write_text(f"ExecStart=python schedule --run {mine}\n")
    said = {}
    for run in (mine, other):
        files = files_of("systemd", ["schedule"], 3600, run, {})
        said[run] = "\n".join(install(files, "systemd", units, run, yes=True))
    assert "systemctl --user disable --now taskonomy-mine.timer" in said[mine]
    assert "disable" not in said[other]
    (units / "taskonomy-mine").write_text(f"0 3 * * * python schedule --run {mine} >> log\n")
    for run in (mine, other):
        said[run] = "\n".join(install({"new": "line\n"}, "cron", units, run, yes=True))
    assert "take the line of" in said[mine] and "take the line of" not in said[other]


@pytest.mark.parametrize("word", [["--force", "because"], ["--again"]])
@pytest.mark.parametrize("many", [["--install", "systemd"], ["--every", "6h"]])
def test_what_is_meant_for_one_run_is_no_word_of_a_schedule(word, many, capsys):
    assert main(["schedule", "--data", "data", "--run", "run", *word, *many]) == 1
    said = capsys.readouterr().err
    assert f"{word[0]} is for one run, and {many[0]} is for many" in said


def test_an_input_of_a_compiled_file_needs_a_host(capsys):
    assert main(["schedule", "--data", "data", "--parameter", "force=why"]) == 1
    assert "needs --host and --file" in capsys.readouterr().err


ENVIRONMENT = {"KERAS_BACKEND": "jax", "TMPDIR": "/a b/100%$x", "PYTHONPATH": "src", "USER": "me"}


def test_a_unit_keeps_the_variables_that_decide(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept = kept_variables(ENVIRONMENT)
    files = files_of("systemd", ARGUMENTS, 21600, Path("run"), kept)
    [service] = (text for name, text in files.items() if name.endswith(".service"))
    lines = [line for line in service.splitlines() if line.startswith("Environment=")]
    assert lines == [
        'Environment="KERAS_BACKEND=jax"',
        f'Environment="PYTHONPATH={tmp_path}/src"',
        'Environment="TMPDIR=/a b/100%%$x"',
    ]


def test_a_line_of_cron_runs_before_the_first_run_and_with_its_variables(tmp_path, monkeypatch):
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\necho "$KERAS_BACKEND $TMPDIR $3"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    run, kept = tmp_path / "my runs" / "100%", kept_variables(ENVIRONMENT)
    [line] = files_of("cron", ["schedule"], 1800, run, kept).values()
    command = line.partition(" * * * * ")[2].replace("\\%", "%")
    subprocess.run(["sh", "-c", command], check=True)
    assert (run / "schedule.log").read_text() == "jax /a b/100%$x schedule\n"


def test_what_is_kept_of_the_environment_is_said(monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert main(["schedule", "--data", "data", "--run", "run", "--install", "systemd"]) == 0
    said = capsys.readouterr().out
    assert "kept of this environment: KERAS_BACKEND" in said
    assert 'Environment="KERAS_BACKEND=jax"' in said
