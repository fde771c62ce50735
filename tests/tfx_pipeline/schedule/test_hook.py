"""A command that is told how a run ended."""

import json
import time

import pytest

from tfx_pipeline.history.journal import Entry
from tfx_pipeline.schedule import hook
from tfx_pipeline.schedule.hook import call_hook

ENTRY = Entry(number=3, began=1.0e9, seconds=2.0, outcome="pushed")


def test_it_gets_the_line_on_its_input_and_the_outcome_in_a_variable(tmp_path, capfd):
    told = tmp_path / "told"
    call_hook(f"cat > {told}; echo $TASKONOMY_OUTCOME >&1", ENTRY)
    assert json.loads(told.read_text())["number"] == 3
    said = capfd.readouterr()
    assert said.out == "" and said.err == "pushed\n", "what we print is for programs"


@pytest.mark.parametrize(
    "command, words",
    [("exit 3", "ended with code 3"), ("sleep 9", "longer than"), ("/none", "127")],
)
def test_what_it_does_wrong_is_said_and_no_more(monkeypatch, capfd, command, words):
    monkeypatch.setattr(hook, "PATIENCE", 0.2)
    call_hook(command, ENTRY)
    assert f"warning: the hook {command!r}" in (said := capfd.readouterr().err) and words in said


def test_what_a_hook_started_ends_with_it(monkeypatch, tmp_path):
    monkeypatch.setattr(hook, "PATIENCE", 0.3)
    # the shell waits for a child: ending the shell alone would let the child go on
    call_hook(f"(sleep 1.2; touch {tmp_path / 'late'}); true", ENTRY)
    time.sleep(1.5)
    assert not (tmp_path / "late").exists()
