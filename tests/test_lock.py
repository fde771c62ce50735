"""requirements.txt is the lock: every direct dependency stands in it with an admitted version,
hashed, without a package host.
"""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "requirements.txt").read_text()
LANES = {
    "3.11": {"python_version": "3.11", "python_full_version": "3.11.9"},
    "3.13": {"python_version": "3.13", "python_full_version": "3.13.1"},
}


def locked(lane: dict) -> dict[str, str]:
    """name -> version of what the lock installs in a lane."""
    versions = {}
    for line in re.findall(r"^([a-zA-Z0-9_.-]+==[^\\\n]+)", LOCK, flags=re.M):
        requirement = Requirement(line.strip())
        if requirement.marker is None or requirement.marker.evaluate(
            {**lane, "sys_platform": "linux", "platform_machine": "x86_64"}
        ):
            versions[requirement.name.lower().replace("_", "-")] = next(
                iter(requirement.specifier)
            ).version
    return versions


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [line for group in project["dependency-groups"].values() for line in group]
    return [Requirement(line) for line in project["project"]["dependencies"] + groups]


@pytest.mark.parametrize("lane", LANES)
def test_every_direct_dependency_is_locked_with_an_admitted_version(lane):
    versions, environment = (
        locked(LANES[lane]),
        {**LANES[lane], "sys_platform": "linux", "platform_machine": "x86_64"},
    )
    for requirement in declared():
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name = requirement.name.lower().replace("_", "-")
            assert name in versions, f"{name} is not in requirements.txt: run `make lock`"
            assert requirement.specifier.contains(versions[name], prereleases=True), (
                f"{name} {versions[name]} is not {requirement.specifier}: run `make lock`"
            )


def test_every_pin_is_hashed_and_no_host_is_named():
    pins = re.findall(r"^[a-zA-Z0-9_.-]+==", LOCK, flags=re.M)
    blocks = re.split(r"^(?=[a-zA-Z0-9_.-]+==)", LOCK, flags=re.M)[1:]
    assert len(pins) > 200
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in LOCK
    assert not (ROOT / "uv.lock").exists() or "uv.lock" in (ROOT / ".gitignore").read_text()
