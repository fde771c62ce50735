"""A withdrawn version is known by what it answered with, though its folder is gone."""

import errno
import shutil

import pytest
from tiny_bundle import tiny_bundle

from serving.release import withdrawals
from serving.release.identity import content_of
from serving.release.push import push, rollback
from serving.release.withdrawals import REMOVED, note_withdrawn, noted_versions
from tfx_pipeline.history.waste import Waste, remove


def test_what_is_removed_stays_known(tmp_path):
    served = tmp_path / "served"
    push(tiny_bundle(), served)
    newest = push(tiny_bundle(), served)
    rollback(served)
    assert noted_versions(served) == {} == noted_versions(tmp_path / "none")
    hidden = served / f".withdrawn-{newest.name}"
    remove(tmp_path, Waste((hidden,), (), (), (), 0))
    assert noted_versions(served) == {content_of(tiny_bundle()): int(newest.name)}
    assert not hidden.exists()


def test_an_older_version_that_nobody_withdrew_and_half_a_bundle_are_not_noted(tmp_path):
    shutil.copytree(tiny_bundle(), tmp_path / "7")
    (tmp_path / ".withdrawn-8").mkdir()
    note_withdrawn(tmp_path / "7")
    note_withdrawn(tmp_path / ".withdrawn-8")
    assert noted_versions(tmp_path) == {}


def test_a_version_that_cannot_be_noted_is_not_noted_versions(tmp_path):
    served = tmp_path / "served"
    push(tiny_bundle(), served)
    newest = push(tiny_bundle(), served)
    rollback(served)
    hidden = served / f".withdrawn-{newest.name}"
    (served / REMOVED).write_text("{")
    with pytest.raises(ValueError, match=f"{REMOVED} does not say.*remove it"):
        remove(tmp_path, Waste((hidden,), (), (), (), 0))
    assert hidden.exists()


def test_a_version_that_cannot_be_read_now_is_neither_passed_over_nor_removed(
    tmp_path, monkeypatch
):
    def fails(bundle):
        raise OSError(errno.EIO, "Input/output error", str(bundle))

    hidden = tmp_path / ".withdrawn-8"
    shutil.copytree(tiny_bundle(), hidden)
    monkeypatch.setattr(withdrawals, "content_of", fails)
    with pytest.raises(OSError, match="Input/output error"):
        remove(tmp_path, Waste((hidden,), (), (), (), 0))
    assert hidden.exists()


def test_a_damaged_version_is_no_later_ones_twin_and_is_removed(tmp_path):
    hidden = tmp_path / ".withdrawn-8"
    shutil.copytree(tiny_bundle(), hidden)
    (hidden / "saved_model.pb").write_bytes(b"\xff\xff\xff")
    remove(tmp_path, Waste((hidden,), (), (), (), 0))
    assert noted_versions(tmp_path) == {} and not hidden.exists()
