"""The lock is read as an installer reads it, lane by lane."""

import re

import pytest
from packaging.requirements import Requirement

from serving.release.locked_packages import LANES, LOCK, PROJECT, locked_packages

TEXT = LOCK.read_text()
SMALL = """\
alpha==1.0 ; python_full_version < '3.12' \\
    --hash=sha256:{a} \\
    --hash=sha256:{b}
    # via
    #   Beta_Pkg
    #   taskonomy (pyproject.toml)
alpha==2.0 ; python_full_version >= '3.12' \\
    --hash=sha256:{b}
    # via beta-pkg
beta-pkg==3.1+cpu \\
    --hash=sha256:{a}
    # via taskonomy
""".format(a="a" * 64, b="b" * 64)


def test_a_lane_has_its_own_version_of_a_package():
    old, new = (locked_packages(SMALL, lane) for lane in ("3.11", "3.13"))
    assert [(package.name, package.version) for package in old] == [
        ("alpha", "1.0"),
        ("beta-pkg", "3.1+cpu"),
    ]
    assert [package.version for package in new] == ["2.0", "3.1+cpu"]


def test_digests_and_who_wants_a_package_come_along():
    alpha, beta = locked_packages(SMALL, "3.11")
    assert alpha.digests == ("a" * 64, "b" * 64)
    assert alpha.wanted_by == ("beta-pkg", PROJECT) and beta.wanted_by == (PROJECT,)


def test_a_package_locked_twice_for_a_lane_is_refused():
    with pytest.raises(ValueError, match="names alpha twice"):
        locked_packages(SMALL + SMALL, "3.11")


@pytest.mark.parametrize("lane", LANES)
def test_every_pin_of_the_lock_is_read(lane):
    """counted another way: lines that begin with a name and a version."""
    environment = {"python_version": lane, "python_full_version": LANES[lane]}
    environment |= {"sys_platform": "linux", "platform_machine": "x86_64"}
    pinned = [Requirement(line) for line in re.findall(r"^(\S+==[^\\\n]+)", TEXT, re.M)]
    expected = [
        pin.name for pin in pinned if pin.marker is None or pin.marker.evaluate(environment)
    ]
    packages = locked_packages(TEXT, lane)
    assert len(packages) == len(expected) > 200
    assert all(package.digests for package in packages)
    assert any(package.wanted_by == (PROJECT,) for package in packages)
