"""Every locked package stands in the bill of its lane, once, with what the schema requires."""

import json
import re
from importlib import metadata
from pathlib import Path

import pytest

from serving.__main__ import main
from serving.release.bill_of_materials import bill_of_materials, write_bills
from serving.release.locked_packages import LANES, LOCK, PROJECT, locked_packages

# of the published schema of CycloneDX 1.6, as far as our documents use it
SERIAL = re.compile(r"^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
PURL = re.compile(r"^pkg:pypi/[a-z0-9][a-z0-9.-]*@[^@/\s]+$")
DOCUMENT = {"bomFormat", "specVersion", "serialNumber", "version", "metadata"}
DOCUMENT |= {"components", "dependencies"}
COMPONENT = {"type", "bom-ref", "name", "version", "purl", "properties", "licenses"}


@pytest.fixture(scope="module", params=LANES)
def lane(request):
    packages = locked_packages(LOCK.read_text(), request.param)
    return packages, bill_of_materials(packages, request.param)


def test_every_locked_package_is_in_the_bill_and_no_other(lane):
    packages, bill = lane
    listed = [(one["name"], one["version"]) for one in bill["components"]]
    assert listed == [(package.name, package.version) for package in packages]


def test_the_document_has_the_form_of_the_schema(lane):
    _, bill = lane
    assert set(bill) == DOCUMENT and SERIAL.match(bill["serialNumber"])
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    for one in bill["components"]:
        assert set(one) <= COMPONENT and one["type"] == "library" and PURL.match(one["purl"])
        for licence in one.get("licenses", []):
            assert set(licence) in ({"expression"}, {"license"})
        assert len([choice for choice in one.get("licenses", []) if "expression" in choice]) < 2
    assert "://" not in json.dumps(bill).replace("urn:uuid", ""), "no host is named"


def test_references_are_unique_and_every_need_is_a_component(lane):
    _, bill = lane
    references = [one["bom-ref"] for one in bill["components"]] + [PROJECT]
    assert len(set(references)) == len(references)
    assert {entry["ref"] for entry in bill["dependencies"]} == set(references)
    for entry in bill["dependencies"]:
        assert set(entry["dependsOn"]) <= set(references)
        assert len(set(entry["dependsOn"])) == len(entry["dependsOn"])


def test_everything_is_needed_by_somebody(lane):
    _, bill = lane
    needed = {reference for entry in bill["dependencies"] for reference in entry["dependsOn"]}
    assert {one["bom-ref"] for one in bill["components"]} == needed


def test_our_own_needs_are_ours():
    bill = bill_of_materials(locked_packages(LOCK.read_text(), "3.11"), "3.11")
    ours = next(entry for entry in bill["dependencies"] if entry["ref"] == PROJECT)["dependsOn"]
    assert any(reference.startswith("pkg:pypi/grpcio@") for reference in ours)
    assert not any(reference.startswith("pkg:pypi/aiosignal@") for reference in ours)


def test_a_package_of_this_environment_has_its_licence():
    packages = locked_packages(LOCK.read_text(), "3.11")
    bill = bill_of_materials(packages, "3.11")
    here = {one["name"]: one for one in bill["components"]}["pytest"]
    if metadata.version("pytest") == here["version"]:
        assert "MIT" in json.dumps(here["licenses"])


def test_the_command_writes_one_document_a_lane_and_the_same_ones_again(tmp_path, capsys):
    assert main(["sbom", "--out", str(tmp_path)]) == 0
    paths = capsys.readouterr().out.split()
    assert [path.rsplit("/", 1)[1] for path in paths] == [
        f"sbom-python{lane}.json" for lane in LANES
    ]
    first = [Path(path).read_text() for path in paths]
    write_bills(LOCK, tmp_path)
    assert [Path(path).read_text() for path in paths] == first
    assert len({json.loads(text)["serialNumber"] for text in first}) == len(LANES)
