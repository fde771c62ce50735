"""The small demo, once a run of pytest: stopped midway, then finished by the same command."""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from made_once import made_once
from small_run import SMOKE, Stopped, command, newest, stopped_command


class Demo(NamedTuple):
    """run: its folder, which tests go on with. first: a copy of its `data`, `work` and
    `taxonomies` as the first finished run left them.
    """

    run: Path
    done: subprocess.CompletedProcess
    first: Path


@pytest.fixture(scope="session")
def stopped() -> tuple[Path, Stopped]:
    """(its folder, its end) of a demo that gets SIGTERM with two networks trained and two in
    training.
    """
    return made_once("demo", stop_demo)


def stop_demo(folder: Path) -> tuple[Path, Stopped]:
    run = folder / "run"
    words = ("tfx_pipeline", "demo", *SMOKE, "--run", run)
    return run, stopped_command(*words, mark="network 2/26")


@pytest.fixture(scope="session")
def demo(stopped) -> Demo:
    return made_once("finished_demo", lambda folder: finish_demo(stopped[0], folder))


def finish_demo(run: Path, first: Path) -> Demo:
    """first: where the copies go."""
    done = command("tfx_pipeline", "demo", *SMOKE, "--run", run)
    assert done.returncode == 0, done.stderr[-3000:]
    for name in ("data", "work"):
        shutil.copytree(run / name, first / name)
    shutil.copytree(newest(run, "SolveTaxonomy", "taxonomies"), first / "taxonomies")
    return Demo(run, done, first)
