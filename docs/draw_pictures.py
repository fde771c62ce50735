"""The README's pictures of the pages, taken in Chromium:

python docs/draw_pictures.py models/reports/example/index.html
python docs/draw_pictures.py PAGE --console http://127.0.0.1:8600/ --photo room.png

The first form needs a finished report alone; the second adds the live page, which a model server
and `python -m serving console` must be running for.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

PICTURES = Path(__file__).parent / "pictures"
SECTIONS = {"report": "#answer", "explorer": "#explore", "matrix": "#matrix"}
WIDTH, HEIGHT = 900, 800  # pixels of the window
LIVE_WIDTH = 1280  # pixels: answers stand two in a row
TALLEST = 900  # pixels of a picture
PATIENCE = 60_000  # ms
ASKED = ("Surface normals", "Z-buffer depth", "Texture edges (2D)", "Semantic segmentation")


def main() -> None:
    options = parser().parse_args()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        # Chromium's own sandbox refuses to run as root, as containers do.
        browser = engine.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(options.page.resolve().as_uri())
        page.wait_for_selector("html[data-ready]", timeout=PATIENCE)
        # an edge's evidence is shown beside the graph
        page.locator(".edges[tabindex='0']").first.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        for name, section in SECTIONS.items():
            print(taken(page, section, options.out / f"{name}.png"))
        if options.console:
            live = browser.new_page(viewport={"width": LIVE_WIDTH, "height": HEIGHT})
            live.goto(options.console)
            live.wait_for_selector("html[data-ready]", timeout=PATIENCE)
            live.locator("#photos").set_input_files([str(path) for path in options.photo])
            live.locator("#none").click()
            for title in ASKED:
                live.get_by_label(title, exact=True).check()
            live.locator("#send").click()
            live.wait_for_selector(".answer", timeout=PATIENCE)
            print(taken(live, "#answers", options.out / "console.png"))
        browser.close()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description="The README's pictures of the pages.")
    made.add_argument("page", type=Path, help="index.html of a finished report")
    made.add_argument("--console", help="address of a running live page")
    made.add_argument("--photo", type=Path, action="append", default=[], help="what it is asked")
    made.add_argument("--out", type=Path, default=PICTURES)
    return made


def taken(page: Any, section: str, path: Path) -> Path:
    """a picture of one section, cut at TALLEST."""
    box = page.locator(section).first
    page.evaluate("document.querySelector('.top')?.style.setProperty('position', 'static')")
    page.evaluate("window.scrollTo(0, 0)")  # boxes are counted from the window's corner
    whole = box.bounding_box()
    clip = {**whole, "height": min(whole["height"], TALLEST)}
    page.screenshot(path=str(path), clip=clip, full_page=True)
    return path


if __name__ == "__main__":
    main()
