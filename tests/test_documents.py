"""Documents are true: links lead somewhere, pictures are drawn from what they show."""

import importlib.util
import re
from math import comb
from pathlib import Path

import pytest

from models.tasks import TASKS
from tfx_pipeline.config import laptop

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMED_TEST = re.compile(r"`(?:tests/)?((?:\w+/)*)(test_\w+\.py)(?:::(test_\w+[*…]?))?`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_that_are_there(document):
    targets = [target for target in LINK.findall(document.read_text()) if "://" not in target]
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert not missing


def tests_of_files() -> dict[str, set[str]]:
    """file below tests/ -> its tests."""
    return {
        path.relative_to(ROOT / "tests").as_posix(): set(
            re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
        )
        for path in (ROOT / "tests").rglob("test_*.py")
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tests_that_are_named_are_there(document):
    files = tests_of_files()
    lost = []
    for folder, name, test in NAMED_TEST.findall(document.read_text()):
        named = [file for file in files if f"/{file}".endswith(f"/{folder}{name}")]
        rest = test.rstrip("*…")
        fits = str.startswith if rest != test else str.__eq__
        if not any(fits(one, rest) for file in named for one in (*files[file], "")):
            lost.append(f"{folder}{name}::{test}")
    assert not lost


def test_the_architecture_picture_is_the_one_that_build_gives():
    place = ROOT / "docs" / "draw_architecture.py"
    spec = importlib.util.spec_from_file_location("draw_architecture", place)
    drawing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawing)
    rooms = drawing.imports_of((ROOT / "BUILD").read_text())
    assert drawing.PICTURE.read_text() == drawing.drawn(rooms), "run `make docs`"
    assert set(drawing.QUESTIONS) == set(rooms)


def test_every_decision_is_listed():
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text()
    records = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("0*.md"))
    assert records and all(f"({name})" in listed for name in records)


def test_no_document_refers_to_what_the_repository_lacks():
    words = re.compile(r"design notes|spec taxonomy|DESIGN.s platform notes", re.I)
    sources = [
        path
        for package in ("models", "beam_jobs", "components", "tfx_pipeline", "serving")
        for path in (ROOT / package).rglob("*.py")
    ]
    assert not [path for path in sources if words.search(path.read_text())]


def test_the_drawing_of_the_pipeline_counts_what_the_laptop_measures():
    network = laptop().network
    sources = sum(entry.source for entry in TASKS.values())
    targets = sum(entry.target for entry in TASKS.values())
    smaller = len(network.regimes)
    # one source at each amount, pairs at the largest alone
    transfers = targets * (sources * (1 + smaller) + comb(sources, 2))
    # pixels and the average at each amount; the supervised network and one from scratch
    controls = targets * (2 * (1 + smaller) + 2)
    assert (network.transfer_order, network.regime_order, network.scratch_regimes) == (2, 1, False)
    drawn = f"({transfers:,} transfers, {controls} controls, calibration)"
    assert drawn in (ROOT / "README.md").read_text()
