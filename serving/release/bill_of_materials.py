"""Writes a software bill of materials of each lane, CycloneDX 1.6 in JSON, made from the lock.

Written by hand from the published schema: the library that writes it would add a dozen packages to
the very list. No time of day is in the documents; licences are those that this environment's own
packages state, so that the other lane's are mostly left open.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from models.provenance.atomic import write_text
from serving.release.locked_packages import LANES, PROJECT, LockedPackage, locked_packages

SPECIFICATION = "1.6"
# a number from the content: the same lock gives the same document
SPACE = uuid.NAMESPACE_URL
LONGEST_LICENCE = 60  # characters; some packages write the whole text where a name belongs


def write_bills(lock: Path, folder: Path) -> list[Path]:
    """Writes one document a lane, `sbom-python3.11.json` and so on, and returns their paths."""
    paths = []
    for lane in LANES:
        bill = bill_of_materials(locked_packages(lock.read_text(), lane), lane)
        path = folder / f"sbom-python{lane}.json"
        write_text(path, json.dumps(bill, indent=1) + "\n")
        paths.append(path)
    return paths


def bill_of_materials(packages: Iterable[LockedPackage], lane: str) -> dict[str, Any]:
    """Returns the CycloneDX document of one lane."""
    package_list = list(packages)
    components = [component(package) for package in package_list]
    content = json.dumps([lane, components], sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "serialNumber": f"urn:uuid:{uuid.uuid5(SPACE, content)}",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": PROJECT, "bom-ref": PROJECT},
            # a name of our own: CycloneDX has no field for the interpreter
            "properties": [{"name": "taskonomy:python", "value": lane}],
        },
        "components": components,
        "dependencies": dependencies(package_list),
    }


def component(package: LockedPackage) -> dict[str, Any]:
    """Returns the component of one package. The lock admits several files of a package (wheels,
    source): their digests are properties, since `hashes` would mean one file.
    """
    facts: dict[str, Any] = {
        "type": "library",
        "bom-ref": reference(package),
        "name": package.name,
        "version": package.version,
        "purl": reference(package),
        "properties": [
            {"name": "taskonomy:admitted:sha256", "value": digest} for digest in package.digests
        ],
    }
    licences = licences_of(package)
    if licences:
        facts["licenses"] = licences
    return facts


def reference(package: LockedPackage) -> str:
    """Returns the package URL of a package."""
    # "+" of a local version means a blank in an address
    return f"pkg:pypi/{package.name}@{package.version.replace('+', '%2B')}"


def licences_of(package: LockedPackage) -> list[dict[str, Any]]:
    """Returns the licences as the package states them, where this environment has this version;
    else [], which says "not known here".
    """
    try:
        facts = metadata.metadata(package.name)
    except metadata.PackageNotFoundError:
        return []
    # another version may have another licence
    if facts["Version"] != package.version:
        return []
    # an expression (PEP 639) says all; classifiers and free text are what was there before
    if "License-Expression" in facts:
        return [{"expression": facts["License-Expression"]}]
    prefix = "License :: OSI Approved :: "
    classified = [
        line.removeprefix(prefix)
        for line in facts.get_all("Classifier") or []
        if line.startswith(prefix)
    ]
    # the first line: some packages write the whole text here
    stated = facts["License"].strip().splitlines() if "License" in facts else []
    plain = [line for line in stated[:1] if 0 < len(line) <= LONGEST_LICENCE]
    return [{"license": {"name": name}} for name in classified or plain]


def dependencies(packages: list[LockedPackage]) -> list[dict[str, Any]]:
    """Returns the dependencies of the document: this project's first, then those of every
    package.
    """
    references = {package.name: reference(package) for package in packages}
    needs: dict[str, list[str]] = {PROJECT: [], **{name: [] for name in references}}
    for package in packages:
        for parent in package.wanted_by:
            if parent in needs:  # the other lane's alone
                needs[parent].append(references[package.name])
    return [{"ref": references.get(name, name), "dependsOn": sorted(needs[name])} for name in needs]
