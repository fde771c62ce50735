"""An advisory that names a locked version is found; what could not be asked is said."""

import json
import zipfile

import pytest

from serving.__main__ import main
from serving.release.advisories import findings, in_range, is_affected, read_advisories
from serving.release.locked_packages import LOCK, LockedPackage, locked_packages

PACKAGE = LockedPackage("some-package", "2.1.0", (), ())


def advisory(affected: dict, **more) -> dict:
    package = {"ecosystem": "PyPI", "name": "Some_Package"}
    return {
        "id": "PYSEC-1",
        "summary": "bad",
        "affected": [{"package": package, **affected}],
        **more,
    }


def ecosystem(*events) -> dict:
    return {"ranges": [{"type": "ECOSYSTEM", "events": list(events)}]}


@pytest.mark.parametrize(
    "events, expected",
    [
        ([{"introduced": "0"}], True),
        ([{"introduced": "0"}, {"fixed": "2.1.0"}], False),
        ([{"introduced": "0"}, {"fixed": "2.1.1"}], True),
        ([{"introduced": "2.1.0"}, {"fixed": "3"}], True),
        ([{"introduced": "2.1.1"}], False),
        ([{"introduced": "0"}, {"last_affected": "2.1.0"}], True),
        ([{"introduced": "0"}, {"last_affected": "2.0"}], False),
        ([{"introduced": "0"}, {"fixed": "1"}, {"introduced": "2"}, {"fixed": "3"}], True),
        ([{"introduced": "0"}, {"fixed": "1"}, {"introduced": "2.5"}], False),
        ([{"fixed": "2.5"}, {"introduced": "2"}], True),
    ],
)
def test_ranges_hold_their_first_and_not_their_fixed_version(events, expected):
    assert is_affected("2.1.0", ecosystem(*events)) == expected


def test_a_listed_version_is_affected_however_it_is_written():
    assert is_affected("2.1.0", {"versions": ["1.0", "no version", "2.1"]})
    assert not is_affected("2.1.0", {"versions": ["2.1.0rc1"]})


def test_a_pre_release_of_the_fix_is_not_the_fix():
    from packaging.version import Version

    assert in_range(Version("3.0rc1"), [{"introduced": "0"}, {"fixed": "3.0"}])


def test_names_are_compared_as_the_index_does_and_other_ecosystems_are_not_ours():
    hit = advisory(ecosystem({"introduced": "0"}, {"fixed": "9"}))
    other = advisory(ecosystem({"introduced": "0"}))
    other["affected"][0]["package"]["ecosystem"] = "npm"
    (finding,) = findings([PACKAGE], [hit, other], "3.11")
    assert (finding.package, finding.advisory, finding.fixed) == (PACKAGE, "PYSEC-1", ("9",))


@pytest.fixture
def hit(tmp_path):
    """an advisory against a package that the lock holds."""
    package = next(one for one in locked_packages(LOCK.read_text(), "3.11") if one.name == "numpy")
    text = advisory({"versions": [package.version]})
    text["affected"][0]["package"]["name"] = "NumPy"
    return text


@pytest.mark.parametrize("form", ["json", "yaml", "zip"])
def test_the_command_finds_it_in_a_folder_or_a_zip(hit, tmp_path, form, capsys):
    place = tmp_path / "advisories"
    place.mkdir()
    (place / f"PYSEC-1.{'yaml' if form == 'yaml' else 'json'}").write_text(json.dumps(hit))
    if form == "zip":
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.write(place / "PYSEC-1.json", "PYSEC-1.json")
        place = tmp_path / "all.zip"
    assert main(["audit", "--advisories", str(place)]) == 1
    output = capsys.readouterr().out
    assert "numpy" in output and "PYSEC-1: bad" in output and "1 advisories read" in output


def test_a_withdrawn_advisory_is_not_held_against_anybody(hit, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({**hit, "withdrawn": "2026-01-01T00:00:00Z"}))
    assert list(read_advisories(tmp_path)) == []
    assert main(["audit", "--advisories", str(tmp_path)]) == 0


def test_an_audit_that_could_ask_nobody_says_so_and_is_no_success(capsys):
    assert main(["audit"]) == 2
    output = capsys.readouterr()
    assert "not asked: no advisories are at hand" in output.err and "locked packages" in output.out


@pytest.mark.parametrize("text", ["no json", "[]", "{}", "null"])
def test_a_file_that_is_no_advisory_is_named(text, tmp_path, capsys):
    (tmp_path / "a.json").write_text(text)
    assert main(["audit", "--advisories", str(tmp_path)]) == 1
    assert "a.json" in capsys.readouterr().err


def test_an_empty_folder_is_no_clean_bill(tmp_path, capsys):
    assert main(["audit", "--advisories", str(tmp_path)]) == 1
    assert "found none" in capsys.readouterr().err
