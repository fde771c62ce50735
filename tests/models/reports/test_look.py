"""The first three minutes: a finished report and a solved table, without a large install."""

import ast
import base64
import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from models.reports import look
from models.reports.example import MOST, PLACE
from models.taxonomy import Affinities
from models.taxonomy.commands.label_amounts import amounts_of


def test_the_report_is_shown_and_its_table_solved(capfd, monkeypatch):
    shown = []
    monkeypatch.setattr(look.webbrowser, "open", shown.append)
    monkeypatch.setenv("DISPLAY", ":0")
    assert look.main() == 0
    output = capfd.readouterr().out
    assert shown == [(PLACE / "index.html").as_uri()]
    assert "report    " in output
    assert "optimal" in output
    # the policy that the page shows first
    assert f"--budget {bundled()['default']['budget']}\n" in output


def bundled() -> dict:
    """what the bundled page's explorer reads."""
    page = (PLACE / "index.html").read_text()
    packed = re.search(r'id="payload">([^<]*)<', page)[1]
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def test_the_pages_commands_find_the_bundled_table():
    assert (look.ROOT / bundled()["affinities"]).samefile(PLACE / "affinities.csv")
    assert bundled()["amounts"]["path"] == ""


def test_the_readme_prices_the_amounts_of_the_bundled_run():
    there = bundled()["amounts"]
    named = {"full": there["full"], **there["labels"]}
    lines = (look.ROOT / "README.md").read_text()
    (solve,) = re.findall(r"--amounts ([^-]*) --next", lines)
    assert amounts_of(solve.split()) == named
    (following,) = re.findall(r"--full-images (3150 (?:--images \S+ )+)", lines)
    full, *images = following.replace("--images", "").split()
    assert {"full": float(full), **amounts_of(images)} == named


def test_the_script_needs_the_standard_library_alone():
    tree = ast.parse(Path(look.__file__).read_text())
    names = [
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    ]
    names += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """a Python without the packages, and a place of its own for the environment."""
    monkeypatch.setattr(look.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(look, "ROOT", tmp_path)
    monkeypatch.setattr(look, "PLACE", tmp_path / ".venv" / "look")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "requirements.txt").write_text("numpy==1.26.4\n")
    return tmp_path


@pytest.mark.parametrize(
    ("failing", "words", "advice"),
    [
        ("venv", "ensurepip is not available", "apt-get install python3-venv"),
        ("pip", "ERROR: No matching distribution", "PIP_NO_INDEX"),
    ],
)
def test_an_installation_that_fails_is_one_line(failing, words, advice, bare, monkeypatch, capsys):
    def run(command, **options):
        broken = failing in command
        text = f"a line before\n{words}\n" if broken else ""
        return subprocess.CompletedProcess(command, int(broken), "", text)

    monkeypatch.setattr(look.subprocess, "run", run)
    assert look.main() == 1
    output = capsys.readouterr().err
    assert output.count("\n") == 1
    assert output.startswith(f"error: -m {failing} failed ({words}); ")
    assert advice in output and "`make look` again" in output
    assert not (look.PLACE / ".ready").exists(), "the next try begins again"


def test_the_lock_lines_of_a_package_keep_their_hashes():
    lines = look.locked(look.NEEDED).splitlines()
    assert {line.split("==")[0] for line in lines if not line.startswith(" ")} == set(look.NEEDED)
    assert sum("--hash" in line for line in lines) >= len(look.NEEDED)


def test_the_example_is_small_and_can_be_read():
    assert sum(path.stat().st_size for path in PLACE.iterdir()) <= MOST
    assert len(Affinities.load(PLACE / "affinities.csv").targets) == 22
