"""Documents are true: links lead somewhere, pictures are drawn from what they show."""

import importlib.util
import re
import subprocess
import sys
from math import comb
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from beam_jobs.ingest.listing import buildings
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


def names_by_file() -> dict[str, set[str]]:
    """file below tests/ -> its tests."""
    return {
        path.relative_to(ROOT / "tests").as_posix(): set(
            re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
        )
        for path in (ROOT / "tests").rglob("test_*.py")
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tests_that_are_named_are_there(document):
    files = names_by_file()
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


def test_the_tutorial_takes_photographs_however_their_names_end(tmp_path):
    """its block, on files as cameras and telephones write them."""
    text = (ROOT / "docs" / "TUTORIAL.md").read_text()
    (block,) = re.findall(r"^```python photographs\n(.*?)^```", text, flags=re.M | re.S)
    garden, office = (tmp_path / "photographs" / name for name in ("garden", "office"))
    garden.mkdir(parents=True)
    office.mkdir()
    grey = {"a.jpg": 10, "b.JPG": 80, "c.Jpeg": 150, "d.PNG": 220}
    for name, value in grey.items():
        Image.new("RGB", (24, 16), (value,) * 3).save(garden / name)
    turned = Image.Exif()
    turned[0x0112] = 3  # upside down
    half = np.repeat(np.uint8([[0], [255]]), 8, axis=0).repeat(24, axis=1)
    Image.fromarray(half).save(office / "DSC_0001.JPG", exif=turned)
    for name in ("list.txt", "IMG_0002.HEIC", "._DSC_0001.JPG"):
        (office / name).write_bytes(b"no picture")
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "garden: 4 photographs taken, of 4 files",
        "office: 1 photographs taken, of 3 files",
    ]
    written = tmp_path / "my_photos"
    assert set(buildings(str(written))) == {"garden", "office"}
    for point, value in enumerate(grey.values()):
        with Image.open(
            written / "garden" / "rgb" / f"point_{point}_view_0_domain_rgb.png"
        ) as file:
            assert (file.size, file.mode) == ((512, 512), "RGB")
            assert abs(file.getpixel((256, 256))[0] - value) < 4
    with Image.open(written / "office" / "rgb" / "point_0_view_0_domain_rgb.png") as file:
        assert file.getpixel((256, 10))[0] > 250 and file.getpixel((256, 500))[0] < 5


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
