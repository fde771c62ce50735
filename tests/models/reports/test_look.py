"""The first three minutes: a finished report and a solved table, without a large install."""

import ast
import base64
import gzip
import json
import re
import sys
from pathlib import Path

from models.reports import look
from models.reports.example import MOST, PLACE
from models.taxonomy import Affinities
from models.taxonomy.commands.label_amounts import amounts_of


def test_the_report_is_shown_and_its_table_solved(capfd, monkeypatch):
    shown = []
    monkeypatch.setattr(look.webbrowser, "open", shown.append)
    monkeypatch.setenv("DISPLAY", ":0")
    assert look.main() == 0
    told = capfd.readouterr().out
    assert shown == [(PLACE / "index.html").as_uri()]
    assert "report    " in told
    assert "optimal" in told
    # the policy that the page shows first
    assert f"--budget {bundled()['default']['budget']}\n" in told


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


def test_the_lock_lines_of_a_package_keep_their_hashes():
    lines = look.locked(look.NEEDED).splitlines()
    assert {line.split("==")[0] for line in lines if not line.startswith(" ")} == set(look.NEEDED)
    assert sum("--hash" in line for line in lines) >= len(look.NEEDED)


def test_the_example_is_small_and_can_be_read():
    assert sum(path.stat().st_size for path in PLACE.iterdir()) <= MOST
    assert len(Affinities.load(PLACE / "affinities.csv").targets) == 22
