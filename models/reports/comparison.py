"""Compares two runs: a table for the terminal, and a page whose explorer holds both."""

from __future__ import annotations

import textwrap
from pathlib import Path

from models.provenance.atomic import write_text
from models.reports.page import render
from models.reports.policy_figures import policy_figures
from models.reports.run_files import Run
from models.reports.words import plural, rate, title
from models.taxonomy.facts import Facts

LINE = 80  # width of a terminal, in characters
WIDTH = 26  # width of a column, in characters: three fit


def write_comparison(one: Run, two: Run, name: str, path: Path) -> Path:
    """Writes the report of `one`, with `two` inside as the run called `name`, and returns its path.
    The file appears whole or not at all. Raises ValueError if the path is a folder.
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give --out the page's own name, as compare.html")
    write_text(path, render(one, two, name))
    return path


def names(one: Path, two: Path) -> tuple[str, str]:
    """Returns the names of the runs: those of their folders, or whole paths if these are equal."""
    short = (one.resolve().name, two.resolve().name)
    return short if short[0] != short[1] else (str(one), str(two))


def table(one: Run, two: Run, called: tuple[str, str]) -> str:
    """Returns both runs' own policies in lines of 80 characters: figures side by side, then every
    target that they answer differently. Raises ValueError for a run without a policy.
    """
    sides = [policy_of(run, name) for run, name in zip((one, two), called)]
    figures = [policy_figures(policy, run.rows) for policy, run in zip(sides, (one, two))]
    rows = [
        # the end of a path tells runs apart
        ("", *(name[-WIDTH:] for name in called)),
        ("budget, order", *(f"{policy['budget']:g}, {policy['order']}" for policy in sides)),
        ("tasks labelled in full", *(str(len(policy["supervised"])) for policy in sides)),
        ("quality, transferred", *(rate(each.quality_transferred) for each in figures)),
        ("quality, all targets", *(rate(each.quality) for each in figures)),
        ("transfers that decide", *(f"{run.transfers:,}" for run in (one, two))),
    ]
    head = [f"{word:{WIDTH}} {left:{WIDTH}} {right}".rstrip() for word, left, right in rows]
    return "\n".join([*head, "", *differences(sides[0], sides[1], called)])


def policy_of(run: Run, name: str) -> Facts:
    if run.chosen is None:
        raise ValueError(f"{name} has no policy (its taxonomies.json is empty): run it to its end")
    return run.chosen


def differences(one: Facts, two: Facts, called: tuple[str, str]) -> list[str]:
    """Returns a line that counts the targets whose sources differ, and then lines about each of
    them.
    """
    sides = [{edge["target"]: edge for edge in policy["edges"]} for policy in (one, two)]
    targets = list(dict.fromkeys(name for side in sides for name in side))
    answers = {name: [answer(side.get(name)) for side in sides] for name in targets}
    changed = {name: pair for name, pair in answers.items() if pair[0][0] != pair[1][0]}
    lines = [f"{len(changed)} of {plural(len(targets), 'target')} answered differently"]
    for name, pair in changed.items():
        lines.append(f"  {title(name)}")
        for run, (source, quality) in zip(called, pair):
            words = f"{run[-WIDTH:]}: {source}{', quality ' + quality if quality else ''}"
            lines += textwrap.wrap(words, LINE, initial_indent=" " * 4, subsequent_indent=" " * 6)
    return lines


def answer(edge: Facts | None) -> tuple[str, str]:
    """Returns (how a target is answered, its quality as text); the quality is "" if there
    is none.
    """
    if edge is None:
        return "not among its targets", ""
    if edge["sources"]:
        return " + ".join(sorted(edge["sources"])), rate(edge["quality"])
    if edge.get("control") == "scratch":
        return "from scratch", rate(edge["quality"])
    return "its own labels", ""
