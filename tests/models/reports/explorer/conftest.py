"""The page of a made-up run in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import Watched
from made_run import write_run

from models.reports.page import write_report

PATIENCE = 20_000  # ms


@pytest.fixture(scope="session")
def report(tmp_path_factory) -> Path:
    """the page of a made-up run."""
    return write_report(write_run(tmp_path_factory.mktemp("browser") / "run"))


class WatchedReport(Watched):
    """The report, with what it says."""

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
def watched(browser) -> Iterator[WatchedReport]:
    """a fresh page that must not complain and must not ask anything of a network."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page_log = WatchedReport(page)
    yield page_log
    page.close()
    assert page_log.complaints == []
    assert page_log.requests == []
