"""The commands' front door: refusals in one line, help without heavy imports."""

import os
import subprocess
import sys

import pytest
from small_run import ROOT, command


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


def test_a_full_disk_under_standard_output_is_one_line():
    for words in (["config"], ["config", "--config", "smoke"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "tfx_pipeline", *words],
                cwd=ROOT,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
            )
        assert done.returncode == 1
        assert done.stderr.strip().startswith("error: disk full") and done.stderr.count("\n") == 1


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
