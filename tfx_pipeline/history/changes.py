"""What differs between two runs of a folder, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from models.tasks import building_of
from tfx_pipeline.history import configurations
from tfx_pipeline.history.beside import NAMES as BESIDE
from tfx_pipeline.history.journal import Entry
from tfx_pipeline.history.software import software_changes

# Names that a short line gives before it counts.
NAMED = 3


def reasons_to_run(run: Path, before: Entry | None, after: Entry) -> list[str]:
    """Returns, in words, which of data, code, configuration, what lies beside them, and software
    are not as in the run before; [] if all are the same.
    """
    if before is None:
        return ["the first run"]
    reasons = []
    # the hash of the manifest where both have one: files may differ that no view holds
    if is_other(before.data, after.data, "hash", "fingerprint"):
        reasons.append(f"data ({data_change(before, after)})")
    codes = changed_code(before, after)
    if codes:
        reasons.append(f"code of {first_names(codes)}")
    if before.config.get("digest") != after.config.get("digest"):
        fields = config_changes(run, before, after)
        reasons.append(f"configuration ({first_names(fields)})")
    reasons += changed_beside(before, after)
    if changes := software_changes(before.software, after.software):
        reasons.append(f"software ({', '.join(changes)})")
    return reasons


def changed_beside(before: Entry, after: Entry) -> list[str]:
    """Returns, in words, what lies beside data, code and configuration and is not as it was."""
    return [
        words for key, words in BESIDE.items() if before.beside.get(key) != after.beside.get(key)
    ]


def is_other(before: Any, after: Any, *names: str) -> bool:
    """Do the two differ in the first of the names that both have? False where they share none."""
    for name in names:
        if before.get(name) and after.get(name):
            return bool(before[name] != after[name])
    return False


def data_change(before: Entry, after: Entry) -> str:
    """Returns in short how many views came or went."""
    old, new = views_of(before), views_of(after)
    if old is None or new is None:
        return "other files"
    if old == new:
        return f"{new} views, others than before"
    return f"{new - old:+d} views, now {new}"


def views_of(entry: Entry) -> int | None:
    views = entry.data.get("views")
    return sum(views.values()) if views else None


def changed_code(before: Entry, after: Entry) -> list[str]:
    """Returns the components whose digest differs, or that one of the two lacks."""
    names = sorted(before.code.keys() | after.code.keys())
    return [name for name in names if before.code.get(name) != after.code.get(name)]


def config_changes(run: Path, before: Entry, after: Entry) -> list[str]:
    """Returns `field old -> new` for each field that differs; names and digests of both where the
    fields are not kept.
    """
    old, new = before.config.get("digest", ""), after.config.get("digest", "")
    return configurations.differences(run, old, new) or [
        f"{before.config.get('name', '?')} {old} -> {after.config.get('name', '?')} {new}"
    ]


def first_names(names: Iterable[str], most: int = NAMED) -> str:
    names = list(names)
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def policy_changes(before: Entry, after: Entry) -> list[str]:
    """Returns lines on what is bought and how targets are answered, where that is not as it was,
    with qualities.
    """
    lines = []
    old, new = before.policy, after.policy
    # one of the two ended before its policy
    if bool(old) != bool(new):
        return [f"run {(after if old else before).number} did not come to one"]
    if not old:
        return []
    for word, names in (
        ("no longer labelled", set(old["supervised"]) - set(new["supervised"])),
        ("now labelled", set(new["supervised"]) - set(old["supervised"])),
    ):
        if names:
            lines.append(f"{word}: {', '.join(sorted(names))}")
    for target in sorted(old["edges"].keys() | new["edges"].keys()):
        was, now = old["edges"].get(target), new["edges"].get(target)
        if was is None or now is None:
            lines.append(f"{target}: {'no longer served' if now is None else 'new'}")
        # a new way counts before a new quality: it is the cause
        elif way_of(was) != way_of(now):
            lines.append(f"{target}: {way_of(was)} -> {way_of(now)}; {qualities(was, now)}")
        elif was["quality"] != now["quality"]:
            lines.append(f"{target}: {qualities(was, now)}")
    return lines


def way_of(edge: dict[str, Any]) -> str:
    return f"from {' + '.join(edge['sources'])}" if edge["sources"] else str(edge["way"])


def qualities(was: dict[str, Any], now: dict[str, Any]) -> str:
    return f"quality {percent(was['quality'])} -> {percent(now['quality'])}"


def percent(value: float | None) -> str:
    """Returns a share in [0, 1] as a person reads it; `?` for one that is not known."""
    return "?" if value is None else f"{value:.0%}"


def manifest_changes(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[str]:
    """Returns lines on what differs between the views of two manifests: how many came, went or
    changed, and in which buildings.
    """
    # by digest of the whole view: labels that changed count as much as pictures
    before = {row["key"]: (row["split"], row["sha256"]) for row in old}
    after = {row["key"]: (row["split"], row["sha256"]) for row in new}
    lines = []
    for word, keys in (
        ("came", after.keys() - before.keys()),
        ("went", before.keys() - after.keys()),
        ("changed", {key for key in before.keys() & after.keys() if before[key] != after[key]}),
    ):
        if keys:
            buildings = sorted({building_of(key) for key in keys})
            lines.append(f"{len(keys)} views {word}, in {first_names(buildings)}")
    return lines
