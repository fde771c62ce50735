"""Pages that `make docs` makes beside the documents: the README as overview, and one page a folder
of modules with all its docstrings. MkDocs calls these functions (`hooks` in mkdocs.yml).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("models", "beam_jobs", "components", "tfx_pipeline", "serving")
# "```python photographs": the second word is for the tests, and no fence to Python-Markdown.
FENCE = re.compile(r"^(```\w+) [^\n]+$", re.MULTILINE)
LINK = re.compile(r"\[([^\]]+)\]\(([^)#\s]+)(#[^)]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """add the generated pages."""
    files.append(File.generated(config, "index.md", content=(ROOT / "README.md").read_text()))
    for folder, modules in folders().items():
        text = f"# {folder}\n\n" + "\n\n".join(f"::: {module}" for module in modules) + "\n"
        files.append(File.generated(config, f"api/{folder}.md", content=text))
    return files


def folders() -> dict[str, list[str]]:
    """dotted folder -> its modules, packages' own docstrings first."""
    pages: dict[str, list[str]] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            # of the explorer's developers, where `npm ci` was run
            if "node_modules" in parts:
                continue
            folder = ".".join(parts[:-1])
            if parts[-1] != "__main__":
                name = folder if parts[-1] == "__init__" else ".".join(parts)
                pages.setdefault(folder, []).append(name)
    return pages


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """links to files that are no documents (sources, folders) stand as code; the README's links
    into docs/ are made the site's; fences have one word.
    """
    is_overview = page.file.src_uri == "index.md"
    here = ROOT if is_overview else (ROOT / "docs" / page.file.src_uri).parent

    def site_link(match: re.Match[str]) -> str:
        words, target, place = match.groups()
        if "://" in target or target.startswith("mailto:"):
            return match[0]
        goal = Path(os.path.normpath(here / target))
        if goal == ROOT / "README.md":
            return f"[{words}](index.md)"
        if goal.is_relative_to(ROOT / "docs") and goal.suffix in (".md", ".svg", ".png"):
            start = ROOT / "docs" if is_overview else here
            return f"[{words}]({os.path.relpath(goal, start)}{place or ''})"
        return f"{words} (`{goal.relative_to(ROOT)}`)"

    return LINK.sub(site_link, FENCE.sub(r"\1", markdown))
