"""The gate before the push on real bundles of random weights: the served one passes beside itself,
a candidate that lost a target or learned something worse does not.
"""

import json
import shutil

import pytest
from compared_store import COMPARED, ComparedStore
from tiny_bundle import tiny_bundle

from components import check_quality
from components.accepted import FIGURES
from models.provenance.atomic import write_json
from serving.bundle.assets import CONTRACT, EXTRA
from serving.release import comparison
from serving.server.session import Version


def refused(checks):
    return {check.name for check in checks if not check.passed}


def test_a_bundle_passes_beside_itself_and_fails_without_a_target(tmp_path):
    shutil.copytree(tiny_bundle(), tmp_path / "smaller")
    contract = json.loads((tmp_path / "smaller" / EXTRA / CONTRACT).read_text())
    del contract["tasks"]["egomotion"]
    (tmp_path / "smaller" / EXTRA / CONTRACT).write_text(json.dumps(contract))
    quick = {"as quick as the served version"}  # a busy machine may say otherwise
    checks = check_quality.compare_with_served(
        tiny_bundle(), tmp_path / "smaller", ComparedStore(), 0.1
    )
    assert refused(checks) <= quick
    found = next(check for check in checks if check.name.startswith("no target is worse"))
    assert set(found.figures) == set(COMPARED) and not any(found.figures.values())
    checks = check_quality.compare_with_served(
        tmp_path / "smaller", tiny_bundle(), ComparedStore(), 0.1
    )
    assert refused(checks) - quick == {"no target is lost"}


@pytest.mark.parametrize("size", [48, None], ids=["of another size", "an error"])
def test_both_sessions_are_closed_however_the_comparison_ends(tmp_path, monkeypatch, size):
    served = tmp_path / "served"
    shutil.copytree(tiny_bundle(), served)
    contract = json.loads((served / EXTRA / CONTRACT).read_text())
    (served / EXTRA / CONTRACT).write_text(
        json.dumps({**contract, "size": size or contract["size"]})
    )
    closed = []
    monkeypatch.setattr(Version, "close", lambda version: closed.append(version.folder))

    def fails(*_):
        raise ValueError("no losses")

    monkeypatch.setattr(comparison, "losses", fails)
    if size:
        checks = check_quality.compare_with_served(tiny_bundle(), served, ComparedStore(), 0.1)
        assert refused(checks) == {"compared with the served version"}
    else:
        with pytest.raises(ValueError, match="no losses"):
            check_quality.compare_with_served(tiny_bundle(), served, ComparedStore(), 0.1)
    assert closed == [served, tiny_bundle()]


def test_better_than_chance_is_asked_at_the_stated_level():
    evidence = {"p": 0.02, "policies": 50, "verdict": ""}
    assert not check_quality.check_chance(evidence, 0.01).passed
    assert check_quality.check_chance(evidence, 0.1).passed


def test_without_a_p_nothing_shows_that_a_choice_is_check_chance():
    evidence = {"verdict": "nothing to compare with"}
    check = check_quality.check_chance(evidence, 0.01)
    assert not check.passed and "nothing to compare with" in check.said
    assert check_quality.check_chance(evidence, 1.0).passed, "a level of 1 asks nothing"


def test_a_server_that_takes_twice_the_memory_is_refused(tmp_path):
    figures = {"server MiB after loading": 300.0}
    assert check_quality.check_memory(figures, tmp_path).passed
    write_json(tmp_path / FIGURES, {"server MiB after loading": 100.0})
    assert not check_quality.check_memory(figures, tmp_path).passed
