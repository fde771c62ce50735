"""A gate's verdict is kept in words and read back; a refusal ends what it guards."""

import dataclasses
import json
from pathlib import Path

import pytest

from components.verdicts import (
    GATES,
    VERDICT,
    Check,
    Verdict,
    demand,
    latest_verdicts,
    read_verdict,
    save_verdict,
    verdict_of,
)

GOOD = Check("schema", True, "as kept")
BAD = Check("labels of normal", False, "noise", {"loss": 1.5})


def test_a_verdict_passes_exactly_if_every_check_does():
    assert verdict_of("CheckData", (GOOD,)).passed
    refused = verdict_of("CheckData", (GOOD, BAD))
    assert not refused.goes_on and refused.reasons == ("labels of normal: noise",)
    with pytest.raises(ValueError, match="exactly if it refuses"):
        Verdict("CheckData", True, ("noise",))


def test_a_verdict_is_read_back_as_it_was_written(tmp_path):
    verdict = verdict_of("CheckData", (GOOD, BAD), "known fault")
    save_verdict(tmp_path, verdict)
    assert read_verdict(tmp_path) == verdict
    assert [path.name for path in tmp_path.iterdir()] == [VERDICT]


def test_a_refusal_ends_what_it_guards_unless_forced(tmp_path):
    save_verdict(tmp_path, verdict_of("CheckData", (BAD,)))
    with pytest.raises(ValueError, match="not trained: the gate CheckData refused: labels of"):
        demand(tmp_path, "not trained")
    save_verdict(tmp_path, verdict_of("CheckData", (BAD,), "known fault"))
    demand(tmp_path, "not trained")


@pytest.mark.parametrize("gate", GATES)
def test_an_empty_reason_as_the_command_line_gives_it_forces_nothing(gate, tmp_path):
    refused = verdict_of(gate, (BAD,), "")
    assert refused.forced is None and not refused.goes_on
    save_verdict(tmp_path, refused)
    with pytest.raises(ValueError, match=f"the gate {gate} refused"):
        demand(tmp_path, "not done")


def test_a_damaged_verdict_is_said(tmp_path):
    (tmp_path / VERDICT).write_text(json.dumps({"gate": "CheckData"}))
    with pytest.raises(ValueError, match="is no verdict"):
        read_verdict(tmp_path)


def test_the_newest_verdicts_of_a_run_end_with_the_one_that_refused(tmp_path):
    def artifact(gate: str, number: int) -> Path:
        return tmp_path / "artifacts" / gate / "verdict" / str(number)

    good = verdict_of("CheckData", (GOOD,))
    quality = dataclasses.replace(good, gate="CheckQuality")
    assert latest_verdicts(tmp_path) == []
    save_verdict(artifact("CheckData", 9), good)
    save_verdict(artifact("CheckQuality", 9), quality)
    assert latest_verdicts(tmp_path) == [good, quality]
    refused = verdict_of("CheckData", (BAD,))
    save_verdict(artifact("CheckData", 10), refused)
    artifact("CheckData", 11).mkdir()  # of a run that was killed
    assert latest_verdicts(tmp_path) == [refused]
