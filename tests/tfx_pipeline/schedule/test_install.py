"""What is installed says what was asked, in the words of systemd and cron."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tfx_pipeline.__main__ import main
from tfx_pipeline.faults import RunError
from tfx_pipeline.schedule.commands import without_own
from tfx_pipeline.schedule.install import cron_times, files_of, install, quoted

ARGUMENTS = ["schedule", "--data", "my data/span-{SPAN}", "--run", "runs/100% mine"]


def test_a_unit_and_a_timer_that_systemd_reads(tmp_path):
    files = files_of("systemd", ARGUMENTS, 21600, Path("runs/100% mine"))
    assert sorted(files) == ["taskonomy-100-mine.service", "taskonomy-100-mine.timer"]
    service, timer = (files[name] for name in sorted(files))
    assert '-m tfx_pipeline schedule --data "my data/span-{SPAN}"' in service
    assert '"runs/100%% mine"' in service and "SuccessExitStatus=75" in service
    assert "OnUnitInactiveSec=21600s" in timer
    if shutil.which("systemd-analyze"):
        install(files, "systemd", tmp_path, yes=True)
        done = subprocess.run(
            ["systemd-analyze", "verify", "--user", *map(str, tmp_path.iterdir())],
            capture_output=True,
            text=True,
        )
        assert "taskonomy" not in done.stderr, done.stderr


def test_words_of_systemd_are_quoted():
    assert quoted("--run=runs/mine") == "--run=runs/mine"
    assert quoted('a "b" $c\\') == '"a \\"b\\" $$c\\\\"'


def test_a_line_of_cron():
    (line,) = files_of("cron", ARGUMENTS, 1800, Path("runs/100% mine")).values()
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


@pytest.mark.parametrize("every", [30, 7 * 60, 5 * 3600, 2 * 86400])
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
    service = (tmp_path / "units" / "taskonomy-run.service").read_text()
    assert "systemctl --user enable --now taskonomy-run.timer" in capsys.readouterr().out
    assert '--hook "mail me"' in service and "--every" not in service and "--yes" not in service
    assert f"--data {tmp_path}/data --run {tmp_path}/run" in service


def test_cron_is_told_where_to_write(tmp_path):
    with pytest.raises(RunError, match="--to DIR"):
        install({"taskonomy-x": "line\n"}, "cron", None, yes=True)
    lines = install({"taskonomy-x": "line\n"}, "cron", tmp_path, yes=True)
    assert (tmp_path / "taskonomy-x").read_text() == "line\n" and "crontab -" in lines[-1]


def test_words_about_the_schedule_itself_are_left_out():
    words = [
        "schedule",
        "--every=6h",
        "--data",
        "d",
        "--install",
        "cron",
        "--yes",
        "--to",
        "x",
        "--again",
    ]
    assert without_own(words) == ["schedule", "--data", "d", "--again"]
