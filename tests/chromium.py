"""Debian's Chromium for tests of pages, driven by Playwright; skipped where one is missing."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parent / "models" / "reports" / "explorer" / "axe.min.js.gz"
WIDTHS = (375, 768, 1280)  # pixels: a phone, a tablet, a desk
OWN = ("file:", "data:", "blob:")  # addresses that ask nothing of a network


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium here (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as engine:
        # Chromium's own sandbox refuses to run as root, as containers do.
        opened = engine.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


class Watched:
    """A page in the browser, with what it complained about and what it asked of a network."""

    def __init__(self, page: Any, own: tuple[str, ...] = OWN) -> None:
        self.page = page
        self.own = own
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", self.note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self.refuse)
        page.on("request", self.count)

    def note(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def refuse(self, dialog: Any) -> None:
        self.complaints.append(f"a dialog said {dialog.message}")
        dialog.dismiss()

    def count(self, request: Any) -> None:
        if not request.url.startswith(self.own):
            self.requests.append(request.url)


def assert_accessible(page: Any, scheme: str, within: str = "html") -> None:
    """axe finds nothing at any width in the part that the selector `within` names, and nothing is
    wider than the page.
    """
    page.evaluate(gzip.decompress(AXE.read_bytes()).decode())
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(50)
        found = page.evaluate("(part) => axe.run(part).then((result) => result.violations)", within)
        told = [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found]
        assert told == [], (scheme, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (scheme, width)
