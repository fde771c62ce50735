"""Checks the locked packages against known vulnerabilities, from a file that is at hand: advisories
in the OSV form, as the Python Packaging Advisory Database publishes them (a folder or a zip of JSON
or YAML files).

An audit without advisories has found nothing, which is no good news: it says so.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from serving.release.locked_packages import LANES, LockedPackage, locked_packages

ENDINGS = (".json", ".yaml", ".yml")
# an audit that asked nothing must not pass for a clean one
ASKED_NOTHING = 2  # exit codes
FOUND = 1


@dataclass(frozen=True)
class Finding:
    """A locked version that an advisory names. fixed: versions that are said to be free of it."""

    package: LockedPackage
    advisory: str
    summary: str
    fixed: tuple[str, ...]
    lane: str


def audit(lock: Path, advisories: Path | None) -> int:
    """Prints the advisories that concern locked packages, and what could not be asked. Returns 0 if
    there is none, 1 if there is one, 2 if there was nothing to ask.
    """
    packages = {lane: locked_packages(lock.read_text(), lane) for lane in LANES}
    for lane, lane_packages in packages.items():
        print(f"Python {lane}: {len(lane_packages)} locked packages")
    if advisories is None:
        print(
            "not asked: no advisories are at hand. Give a folder or a zip of the Python Packaging "
            # `--no-deps`: the lock lists everything already
            "Advisory Database: make audit ADVISORIES=FILE. Where a network reaches it, "
            "`pip-audit --no-deps --requirement requirements.txt` asks the index itself.",
            file=sys.stderr,
        )
        return ASKED_NOTHING
    entries = list(read_advisories(advisories))
    matches = [
        finding
        for lane, lane_packages in packages.items()
        for finding in findings(lane_packages, entries, lane)
    ]
    for finding in matches:
        fixed = f"; fixed in {', '.join(finding.fixed)}" if finding.fixed else ""
        package = finding.package
        print(
            f"{package.name} {package.version} (Python {finding.lane}): {finding.advisory}: "
            f"{finding.summary}{fixed}"
        )
    print(f"{len(entries)} advisories read, {len(matches)} apply")
    return FOUND if matches else 0


def read_advisories(place: Path) -> Iterator[Mapping[str, Any]]:
    """Yields every advisory that was not withdrawn. Raises ValueError where there is none, or for a
    file that holds none.
    """
    count = 0
    for name, data in files_of(place):
        try:
            # with a byte order mark or without
            text = data.decode("utf-8-sig")
            advisory = json.loads(text) if name.endswith(".json") else yaml.safe_load(text)
            affected = advisory["affected"]
        except (ValueError, KeyError, TypeError, yaml.YAMLError) as error:
            raise ValueError(
                f"expected an advisory in the OSV form, got {name}: {error}"
            ) from error
        count += 1
        # withdrawn advisories stay in the database
        if affected and not advisory.get("withdrawn"):
            yield advisory
    if not count:
        raise ValueError(f"expected advisories ({', '.join(ENDINGS)}) in {place}, found none")


def files_of(place: Path) -> Iterator[tuple[str, bytes]]:
    """Yields (name, content) of the files of a folder or a zip. Raises ValueError for something
    else.
    """
    if place.is_dir():
        for path in sorted(place.rglob("*")):
            if path.suffix in ENDINGS and path.is_file():
                yield str(path), path.read_bytes()
        return
    try:
        with zipfile.ZipFile(place) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(ENDINGS):
                    yield name, archive.read(name)
    except (OSError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"expected a folder or a zip of advisories, got {place}: {error}"
        ) from error


def findings(
    packages: Iterable[LockedPackage], advisories: Iterable[Mapping[str, Any]], lane: str
) -> Iterator[Finding]:
    by_name = {package.name: package for package in packages}
    for advisory in advisories:
        # an advisory may name packages of other ecosystems, too
        for affected in advisory["affected"]:
            affected_package = affected.get("package", {})
            package = by_name.get(canonicalize_name(affected_package.get("name", "")))
            if package is None or affected_package.get("ecosystem") != "PyPI":
                continue
            if is_affected(package.version, affected):
                summary = advisory.get("summary") or advisory.get("details", "").split("\n")[0]
                fixed = tuple(fixes(affected))
                yield Finding(package, advisory["id"], summary, fixed, lane)


def is_affected(version: str, affected: Mapping[str, Any]) -> bool:
    """Returns whether a version is listed, or inside one of the ranges."""
    own = Version(version)
    listed = any(same_version(own, other) for other in affected.get("versions", []))
    # ranges of Git commits say nothing about a release
    ranges = [part for part in affected.get("ranges", []) if part["type"] == "ECOSYSTEM"]
    return listed or any(in_range(own, part["events"]) for part in ranges)


# advisories list versions of a time before versions had a form
def same_version(version: Version, text: str) -> bool:
    try:
        return version == Version(text)
    except InvalidVersion:
        return False


# as the OSV specification evaluates ranges: events in the order of versions
def in_range(version: Version, events: Iterable[Mapping[str, str]]) -> bool:
    """Returns whether a version lies in a range of events: introduced, fixed (the first that is
    free of it), last_affected, in any order.
    """
    inside = False
    # at one version "fixed" counts before "introduced": the latter begins anew
    for kind, at in sorted(map(event_of, events), key=lambda event: (event[1], event[0] == "in")):
        if kind == "in" and version >= at:
            inside = True
        elif (kind == "fixed" and version >= at) or (kind == "last" and version > at):
            inside = False
    return inside


def event_of(event: Mapping[str, str]) -> tuple[str, Version]:
    # an event has exactly one key, as the OSV form says
    ((kind, text),) = event.items()
    # "limit" ends a range as "fixed" does
    names = {"introduced": "in", "fixed": "fixed", "last_affected": "last", "limit": "fixed"}
    return names[kind], Version(text)


def fixes(affected: Mapping[str, Any]) -> Iterator[str]:
    for part in affected.get("ranges", []):
        if part["type"] == "ECOSYSTEM":
            yield from (event["fixed"] for event in part["events"] if "fixed" in event)
