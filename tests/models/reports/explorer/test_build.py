"""What is committed in built/ is what the sources make, and the page is valid HTML."""

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from models.reports.embedded import BUILT

EXPLORER = BUILT.parent
PACKAGES = EXPLORER / "node_modules"


@pytest.fixture(scope="module", autouse=True)
def packages():
    if shutil.which("node") is None:
        pytest.skip("no node here")
    if not PACKAGES.is_dir():
        pytest.skip(f"the explorer's packages are not installed: npm ci in {EXPLORER.name}/")


def content(path: Path) -> bytes:
    """without the packing, which may differ from one zlib to the next."""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def test_building_again_gives_the_same_bytes(tmp_path):
    address = tmp_path.as_uri() + "/"
    subprocess.run(["node", "build.js", address], cwd=EXPLORER, check=True)
    names = sorted(path.name for path in BUILT.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert [n for n in names if content(BUILT / n) != content(tmp_path / n)] == []


@pytest.mark.parametrize("command", [["eslint", "."], ["prettier", "--check", "."]])
def test_sources_are_linted_and_formatted(command):
    tool = PACKAGES / ".bin" / command[0]
    ran = subprocess.run([tool, *command[1:]], cwd=EXPLORER, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-3000:]


@pytest.fixture
def live_page():
    """the room of the live page, whose script is a plain module beside this one's tools."""
    return EXPLORER.parents[2] / "serving" / "console" / "page"


def test_the_live_page_is_linted_and_formatted(live_page):
    scripts = sorted(live_page.glob("*.js"))
    # by stdin: ESLint looks at no file outside its own folder
    lint = [PACKAGES / ".bin" / "eslint", "--stdin", "--stdin-filename"]
    for script in scripts:
        ran = subprocess.run(
            [*lint, f"src/{script.name}"],
            cwd=EXPLORER,
            input=script.read_text(),
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stdout[-3000:]
    layout = [PACKAGES / ".bin" / "prettier", "--config", ".prettierrc.json", "--check"]
    files = [*scripts, live_page / "console.css"]
    ran = subprocess.run([*layout, *files], cwd=EXPLORER, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-3000:]


@pytest.mark.parametrize("page", ["report", "live_page"])
def test_pages_are_valid_html(page, request):
    place = request.getfixturevalue(page)
    file = place / "index.html" if place.is_dir() else place
    ran = subprocess.run(
        [PACKAGES / ".bin" / "html-validate", "--config", "html-validate.json", file],
        cwd=EXPLORER,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout[-3000:]


def test_the_lock_names_no_host():
    lock = (EXPLORER / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
