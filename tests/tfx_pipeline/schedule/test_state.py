"""A tick runs when what decides has changed, and waits longer after each failure."""

import dataclasses

import pytest

from tfx_pipeline.history.journal import Entry
from tfx_pipeline.schedule.state import FIRST_WAIT, LONGEST_WAIT, State, idle_reason

STATE = State("f1", {"TrainTasks": "c1"}, "k1")
NOW = 1.0e9


def entry(outcome, number=1, began=NOW - 10, **changes):
    facts = {
        "data": {"fingerprint": "f1"},
        "code": {"TrainTasks": "c1"},
        "config": {"digest": "k1"},
        **changes,
    }
    return Entry(number=number, began=began, seconds=5, outcome=outcome, reason="why", **facts)


@pytest.mark.parametrize("outcome", ["pushed", "unchanged"])
def test_the_same_state_is_not_run_again(outcome):
    assert "unchanged since" in idle_reason(STATE, [entry(outcome)], NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"fingerprint": "f2"}},
        {"data": {}},
        {"code": {"TrainTasks": "c2"}},
        {"code": {"TrainTasks": "c1", "New": "n"}},
        {"config": {"digest": "k2"}},
        {"beside": {"sources": "s1"}},
    ],
)
def test_other_data_code_or_configuration_run(change):
    for outcome in ("pushed", "refused"):
        assert idle_reason(STATE, [entry(outcome, **change)], NOW) is None


def test_a_source_or_a_schema_that_came_since_runs():
    state = dataclasses.replace(STATE, beside={"schema": "s2"})
    for outcome in ("pushed", "refused"):
        assert idle_reason(state, [entry(outcome)], NOW) is None
        assert idle_reason(state, [entry(outcome, beside={"schema": "s1"})], NOW) is None
        assert idle_reason(state, [entry(outcome, beside={"schema": "s2"})], NOW) is not None


def test_nothing_yet_runs_and_so_does_what_was_stopped():
    assert idle_reason(STATE, [], NOW) is None
    assert idle_reason(STATE, [entry("pushed", 1), entry("stopped", 2)], NOW) is None


def test_a_refusal_stands_until_something_changes():
    said = idle_reason(STATE, [entry("refused")], NOW + 10**8)
    assert "refused at" in said and said.endswith("(why)")


def test_a_rollback_is_no_run():
    assert "unchanged" in idle_reason(STATE, [entry("pushed"), entry("rollback", 2)], NOW)


def test_failures_in_a_row_wait_twice_as_long_each():
    runs = [entry("pushed", data={"fingerprint": "f0"})]
    waits = []
    for number in range(2, 14):
        runs.append(entry("failed" if number % 2 else "killed", number, began=NOW))
        ended = NOW + 5
        steps = (0, *(FIRST_WAIT * 2**i for i in range(7)), LONGEST_WAIT)
        waits.append(next(w for w in steps if idle_reason(STATE, runs, ended + w + 1) is None))
    assert waits[:5] == [0, 0, FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT]
    assert waits[-1] == LONGEST_WAIT
    other = dataclasses.replace(STATE, config="k2")
    assert idle_reason(other, runs, NOW) is None


def failures(count, **changes):
    return [entry("failed", number, **changes) for number in range(1, count + 1)]


def test_the_wait_counts_from_the_end_of_the_last_try():
    runs = failures(3)
    runs[-1] = dataclasses.replace(runs[-1], began=NOW, seconds=5000)
    until = NOW + 5000 + 900
    assert idle_reason(STATE, runs, until - 1).startswith("failed 3 times; the next try is at")
    assert idle_reason(STATE, runs, until + 1) is None


@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_a_clock_that_was_wrong_keeps_nobody_waiting(count):
    ahead = failures(count, began=NOW + 30 * LONGEST_WAIT)
    assert idle_reason(STATE, ahead, NOW) is None
    # as soon as the next try has failed by the clock that is right, its wait holds
    since = [*ahead, entry("failed", count + 1)]
    assert (idle_reason(STATE, since, NOW) is None) == (count < 2)
    assert idle_reason(STATE, since, NOW + LONGEST_WAIT) is None


def test_failures_of_another_state_do_not_make_this_one_wait():
    runs = [*failures(9, config={"digest": "k2"}), *failures(2)]
    assert idle_reason(STATE, runs, NOW) is None
    assert idle_reason(STATE, [*runs, entry("failed", 12)], NOW).startswith("failed 3 times")


def test_however_often_it_failed_a_day_is_the_longest_wait():
    runs = failures(40, began=NOW - 5)
    assert idle_reason(STATE, runs, NOW + 86_399) is not None
    assert idle_reason(STATE, runs, NOW + 86_401) is None
