"""Reads what the lock (requirements.txt) installs in a lane: packages, versions, digests, and who
asked for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.txt"
# The two platform lanes of pyproject.toml, by a Python version of each.
# markers ask for the full version, too
LANES = {"3.11": "3.11.9", "3.13": "3.13.1"}
PROJECT = "taskonomy"  # how the lock calls this project in "via"

PIN = re.compile(r"^[A-Za-z0-9_.-]+(\[[^\]]*\])?==")
DIGEST = re.compile(r"--hash=sha256:([0-9a-f]{64})")
VIA = re.compile(r"^\s+#\s+(?:via\s+)?([A-Za-z0-9_.-]+)(?:\s+\(.*\))?\s*$")


@dataclass(frozen=True)
class LockedPackage:
    """A package that the lock pins. digests: SHA-256 of the files that the lock admits, any of
    them; wanted_by: names of the packages that depend on it, this project among them.
    """

    name: str
    version: str
    digests: tuple[str, ...]
    wanted_by: tuple[str, ...]


def locked_packages(text: str, lane: str) -> list[LockedPackage]:
    """Returns the locked packages of a lane of `LANES`, by name. text: of requirements.txt. Raises
    KeyError for another lane, ValueError where the lock names a package twice for it.
    """
    environment = {
        "python_version": lane,
        "python_full_version": LANES[lane],
        # Linux alone: the lock has the lanes of one platform
        "sys_platform": "linux",
        "platform_machine": "x86_64",
    }
    packages: dict[str, LockedPackage] = {}
    for lines in pins(text):
        # a pin goes on in the next lines with a back-slash
        requirement = Requirement(lines[0].rstrip("\\").strip())
        # no marker: the package is in every lane
        if requirement.marker is not None and not requirement.marker.evaluate(environment):
            continue
        package = package_of(requirement, lines)
        # markers that overlap would install either
        if package.name in packages:
            raise ValueError(f"the lock names {package.name} twice for Python {lane}")
        packages[package.name] = package
    return [packages[name] for name in sorted(packages)]


def package_of(requirement: Requirement, lines: list[str]) -> LockedPackage:
    """Returns the `LockedPackage` of the lines of one pin: its own, its digests and its "via"."""
    # a lock pins exactly one version
    (version,) = (specifier.version for specifier in requirement.specifier)
    via = {
        canonicalize_name(match[1])
        for line in lines
        # a line "# via" alone heads a list
        if (match := VIA.match(line)) and match[1] != "via"
    }
    return LockedPackage(
        canonicalize_name(requirement.name),
        version,
        tuple(DIGEST.findall("\n".join(lines))),
        # the lock does not say that a dependency group is this project's
        tuple(sorted(via)) or (PROJECT,),
    )


def pins(text: str) -> Iterator[list[str]]:
    """Yields the lines of each pinned package, one package after the other."""
    block: list[str] = []
    for line in text.splitlines():
        if PIN.match(line):
            if block:
                yield block
            block = [line]
        elif block:
            block.append(line)
    if block:
        yield block
