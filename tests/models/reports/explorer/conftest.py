"""A browser for the page: Debian's Chromium, driven by Playwright; skipped where one is missing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_run import write_run

from models.reports.page import write_report

PATIENCE = 20_000  # ms


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


@pytest.fixture(scope="session")
def report(tmp_path_factory) -> Path:
    """the page of a made-up run."""
    return write_report(write_run(tmp_path_factory.mktemp("browser") / "run"))


class Watched:
    """A page in the browser, with what it complained about and what it asked of a network."""

    def __init__(self, page: Any) -> None:
        self.page = page
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
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.requests.append(request.url)

    def open(self, path: Path, fragment: str = "") -> Any:
        self.page.goto(path.as_uri() + fragment)
        self.page.wait_for_selector("html[data-ready]", timeout=PATIENCE)
        return self.page

    def slot(self, name: str) -> str:
        return self.page.locator(f'[data-slot="{name}"]').first.inner_text()

    def solved(self) -> str:
        """what the page says once it has solved."""
        self.page.wait_for_function(
            """() => /^(Solved|No|The run)/.test(
                document.querySelector('[data-slot="state"]').textContent)""",
            timeout=PATIENCE,
        )
        return self.slot("state")


@pytest.fixture
def watched(browser) -> Iterator[Watched]:
    """a fresh page that must not complain and must not ask anything of a network."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    seen = Watched(page)
    yield seen
    page.close()
    assert seen.complaints == []
    assert seen.requests == []
