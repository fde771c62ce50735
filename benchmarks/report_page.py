"""How quick the report's page is in Chromium: first paint, an answer of the run, a solved one.

    python benchmarks/report_page.py --report runs/demo/artifacts/WriteReport/report/16/index.html

Goals: 1000 ms, 100 ms, 2000 ms. Needs Debian's chromium and Playwright (`make setup`).
"""

from __future__ import annotations

import argparse
import shutil
import statistics
from pathlib import Path
from typing import Any

PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
FOLLOW = """async () => {
    const range = document.getElementById('budget');
    const times = [];
    for (const budget of [2, 4, 2, 4, 2, 4]) {
        const since = performance.now();
        range.value = budget;
        range.dispatchEvent(new Event('input'));
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - since);
    }
    return times;
}"""
SOLVED = """() => document.querySelector('[data-slot="state"]').textContent.startsWith('Solved')"""
ROUNDS = 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", type=Path, required=True, help="index.html of a run")
    report = parser.parse_args().report.resolve()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        chromium = engine.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        rows = {
            "first paint": painted(page, report),
            "a budget of the run": followed(page, report),
            "a budget that is solved": solved(page, report),
        }
        chromium.close()
    print(f"{report.stat().st_size / 1e6:.1f} MB")
    for name, times in rows.items():
        print(f"{name:24} median {statistics.median(times):7.0f} ms, best {min(times):7.0f} ms")
    return 0


def opened(page: Any, report: Path, fragment: str = "") -> None:
    page.goto("about:blank")
    page.goto(report.as_uri() + fragment)
    page.wait_for_selector("html[data-ready]")


def painted(page: Any, report: Path) -> list[float]:
    """milliseconds, one a load."""
    times = []
    for _ in range(ROUNDS):
        opened(page, report)
        times.append(page.evaluate(PAINT))
    return times


def followed(page: Any, report: Path) -> list[float]:
    """milliseconds from moving the budget to the next frame."""
    opened(page, report)
    times: list[float] = page.evaluate(FOLLOW)
    return times


def solved(page: Any, report: Path) -> list[float]:
    """milliseconds from asking for a budget that the run has not solved to its answer."""
    times = []
    for i in range(ROUNDS):
        opened(page, report)
        since = page.evaluate("performance.now()")
        page.get_by_label("Budget as a number").fill(f"4.{i + 1}")
        page.get_by_label("Budget as a number").press("Enter")
        page.wait_for_function(SOLVED, timeout=60_000)
        times.append(page.evaluate("performance.now()") - since)
    return times


if __name__ == "__main__":
    raise SystemExit(main())
