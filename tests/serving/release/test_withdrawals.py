"""A withdrawn version is known by what it answered with, though its folder is gone."""

import shutil

import pytest
from tiny_bundle import tiny_bundle

from serving.release.identity import content_of
from serving.release.push import push, rollback
from serving.release.withdrawals import REMOVED, remember, removed
from tfx_pipeline.history.waste import Waste, remove


def test_what_is_removed_stays_known(tmp_path):
    served = tmp_path / "served"
    push(tiny_bundle(), served)
    newest = push(tiny_bundle(), served)
    rollback(served)
    assert removed(served) == {} == removed(tmp_path / "none")
    hidden = served / f".withdrawn-{newest.name}"
    remove(tmp_path, Waste((hidden,), (), (), (), 0))
    assert removed(served) == {content_of(tiny_bundle()): int(newest.name)}
    assert not hidden.exists()


def test_an_older_version_that_nobody_withdrew_and_half_a_bundle_are_not_noted(tmp_path):
    shutil.copytree(tiny_bundle(), tmp_path / "7")
    (tmp_path / ".withdrawn-8").mkdir()
    remember(tmp_path / "7")
    remember(tmp_path / ".withdrawn-8")
    assert removed(tmp_path) == {}


def test_a_version_that_cannot_be_noted_is_not_removed(tmp_path):
    served = tmp_path / "served"
    push(tiny_bundle(), served)
    newest = push(tiny_bundle(), served)
    rollback(served)
    hidden = served / f".withdrawn-{newest.name}"
    (served / REMOVED).write_text("{")
    with pytest.raises(ValueError, match=f"{REMOVED} does not say.*remove it"):
        remove(tmp_path, Waste((hidden,), (), (), (), 0))
    assert hidden.exists()
