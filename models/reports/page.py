"""The report: one self-contained HTML page that gives the answer first, then the reasons, and can
solve requests.
"""

from __future__ import annotations

import json
from pathlib import Path

from models.provenance.atomic import write_text
from models.reports import embedded
from models.reports.drawing import drawn
from models.reports.glossary import GLOSSARY
from models.reports.headline import headline
from models.reports.noise import RULES
from models.reports.payload import packed, payload
from models.reports.run_files import Run, load_run
from models.reports.sections import sections
from models.taxonomy.facts import Facts


def write_report(folder: str | Path) -> Path:
    """Writes index.html beside the files of a run, from them alone, and returns its path. The file
    appears whole or not at all.

    Raises ValueError for a folder without a run, or with files that cannot be read.
    """
    run = load_run(folder)
    path = Path(folder) / "index.html"
    write_text(path, render(run))
    return path


def render(run: Run, rival: Run | None = None, rival_name: str = "") -> str:
    """Returns the page as text; the same run gives the same text. rival: another run that the
    explorer compares with this one.
    """
    beside = None
    if rival is not None:
        beside = {"name": rival_name, "payload": packed(payload(rival, headline(rival).marks))}
    return drawn("page.html", **contents(run), rival=beside)


def contents(run: Run) -> Facts:
    """Returns what the templates read."""
    first = headline(run)
    pictures, left_out = embedded.pictures(run)
    return {
        "run": run,
        "first": first,
        "parts": sections(run),
        "pictures": pictures,
        "pictures_left_out": left_out,
        "rules": RULES,
        "marks": first.marks,
        "glossary": GLOSSARY,
        "lineage": run.lineage,
        "config": json.dumps(run.lineage.get("config", {}), indent=1),
        "payload": packed(payload(run, first.marks)),
        "style": embedded.style(),
        "script": embedded.script("page.js"),
        "solver": embedded.packed_file("solver.js.gz"),
        "engine": embedded.packed_file("highs.wasm.gz"),
    }
