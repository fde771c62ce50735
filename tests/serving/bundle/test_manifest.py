"""A manifest names every file; whatever is changed afterwards is found."""

import json
import os

import pytest

from serving.bundle.manifest import (
    MANIFEST,
    SIGNATURE,
    ManifestError,
    check_manifest,
    digest,
    write_manifest,
)

FILES = {
    "saved_model.pb": b"graph",
    "variables/variables.index": b"",
    "variables/variables.data-00000-of-00001": bytes(range(256)) * 5000,
    "assets.extra/contract.json": b"{}",
}


@pytest.fixture
def bundle(tmp_path):
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    write_manifest(tmp_path)
    return tmp_path


def test_a_bundle_as_it_was_written_passes(bundle):
    check_manifest(bundle)
    named = json.loads((bundle / MANIFEST).read_text())["sha256"]
    assert set(named) == set(FILES)
    assert named["saved_model.pb"] == digest(bundle / "saved_model.pb")


@pytest.mark.parametrize("name", [name for name, data in FILES.items() if data])
@pytest.mark.parametrize("place", [0, -1])
def test_one_flipped_byte_in_any_file_is_found(bundle, name, place):
    data = bytearray(FILES[name])
    data[place] ^= 1
    (bundle / name).write_bytes(bytes(data))
    with pytest.raises(ManifestError, match=f"changed: {name}"):
        check_manifest(bundle)


def test_a_file_less_and_a_file_more_are_found(bundle):
    (bundle / "saved_model.pb").rename(bundle / "saved_model.pbtxt")
    with pytest.raises(
        ManifestError, match="missing: saved_model.pb; not in the manifest: saved_model.pbtxt"
    ):
        check_manifest(bundle)


def test_a_file_that_became_longer_is_found(bundle):
    with open(bundle / "variables/variables.index", "ab") as file:
        file.write(b"x")
    with pytest.raises(ManifestError, match=r"changed: variables/variables\.index"):
        check_manifest(bundle)


@pytest.mark.parametrize("target", ["saved_model.pb", "variables", "nowhere"])
def test_links_are_refused(bundle, target):
    """what a link stands for may change after it was looked at."""
    (bundle / "link").symlink_to(target)
    with pytest.raises(ManifestError, match="expected files and folders alone, got link"):
        check_manifest(bundle)


def test_a_pipe_is_refused_and_not_waited_for(bundle):
    os.mkfifo(bundle / "pipe")
    with pytest.raises(ManifestError, match="got pipe"):
        check_manifest(bundle)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"format": 2, "sha256": {}}', '{"format": 1, "sha256": 3}']
)
def test_text_of_another_form_is_no_manifest(bundle, text):
    (bundle / MANIFEST).write_text(text)
    with pytest.raises(ManifestError, match="expected a manifest"):
        check_manifest(bundle)


def test_a_bundle_without_a_manifest_says_what_to_do(bundle):
    (bundle / MANIFEST).unlink()
    with pytest.raises(ManifestError, match="build it again, or sign it"):
        check_manifest(bundle)


def test_a_new_manifest_takes_an_old_signature_away(bundle):
    (bundle / SIGNATURE).write_text("old")
    check_manifest(bundle)
    write_manifest(bundle)
    assert not (bundle / SIGNATURE).exists()


def test_many_files_are_counted_not_listed(bundle):
    for i in range(9):
        (bundle / f"more{i}").write_bytes(b"")
    with pytest.raises(ManifestError, match="more4 and 4 more"):
        check_manifest(bundle)
