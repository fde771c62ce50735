"""Prepares sources from outside for the page and the terminal: the rank of each, its random
control, the ceiling of its grid, and whether the policy uses it.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.taxonomy.facts import Facts

CONTROL = "{}_random"


def outside_sources(facts: Facts | None, policy: Facts | None) -> Facts | None:
    """Returns {"unit", "units", "mean": rows of all sources with "outside", "sources": one table
    for each of {"name", "channels", "taken": targets that the policy reaches from it, "rows"}}, or
    None for a run without such sources. facts: `sources` of the evidence. policy: the chosen
    taxonomy.
    """
    if not facts or not facts.get("targets"):
        return None
    widths: dict[str, int] = facts.get("channels", {})
    by_source: dict[str, dict[str, Facts]] = {}
    for row in facts["targets"]:
        by_source.setdefault(row["source"], {})[row["target"]] = row
    ceilings = {(row["channels"], row["target"]): row for row in facts.get("ceilings", [])}
    edges = (policy or {}).get("edges", [])
    tables = []
    for name, rows in by_source.items():
        if name.removesuffix("_random") in by_source and name.endswith("_random"):
            continue
        control = by_source.get(CONTROL.format(name), {})
        targets = [edge["target"] for edge in edges if name in edge["sources"]]
        tables.append(
            {
                "name": name,
                "channels": widths.get(name),
                "taken": targets,
                "rows": [
                    {
                        **row,
                        "control": (control.get(target) or {}).get("alone"),
                        "ceiling": ceilings.get((widths.get(name), target)),
                        "taken": target in targets,
                    }
                    for target, row in rows.items()
                ],
            }
        )
    mean = [{**row, "outside": row["source"] in by_source} for row in facts["mean"]]
    return {"unit": facts["unit"], "units": facts["units"], "mean": mean, "sources": tables}


def outside_lines(ranks: Facts | None) -> list[str]:
    """Returns the result of `outside_sources` as lines for a terminal."""
    if not ranks:
        return []
    places = {row["source"]: (i, row) for i, row in enumerate(ranks["mean"], 1)}
    lines = []
    for table in ranks["sources"]:
        names = (table["name"], CONTROL.format(table["name"]))
        lines += [mean_line(name, places) for name in names if name in places]
        targets = ", ".join(table["taken"]) or "no target"
        lines.append(f"  the policy takes it for {targets}")
        titles = f"{'rank':>14s} {'control':>14s} {'quality':>9s} {'ceiling':>8s}"
        lines.append(f"  {'target':20s} {titles}")
        lines += [target_line(row) for row in table["rows"]]
    return lines


def mean_line(name: str, places: Mapping[str, tuple[int, Facts]]) -> str:
    """Returns a line with the mean rank of a source."""
    place, row = places[name]
    return (
        f"{name}: mean rank {row['rank']:.1f} ({row['low']:.1f} to {row['high']:.1f}), "
        f"{place} of {len(places)} sources"
    )


def target_line(row: Facts) -> str:
    ceiling = f"{row['ceiling']['quality']:.2f}" if row["ceiling"] else ""
    quality = row["alone"]["quality"]
    score = f"{quality['quality']:.2f}" if quality else ""
    return (
        f"  {row['target']:20s} {ranked(row['alone']):>14s} {ranked(row['control']):>14s} "
        f"{score:>9s} {ceiling:>8s}"
    )


def ranked(facts: Facts | None) -> str:
    """Returns a rank with its interval as text, such as `3 (2 to 7)`; "" for None."""
    return f"{facts['rank']:.0f} ({facts['low']:.0f} to {facts['high']:.0f})" if facts else ""
