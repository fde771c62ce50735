"""Asking again, against a clock and a call that are made up."""

import grpc
import pytest

from serving.client.retry import AHEAD, FIRST_PAUSE, LONGEST_PAUSE, MissedDeadline, retried


class Refusal(grpc.RpcError):
    def __init__(self, code):
        self._code = code

    def code(self):
        return self._code


class World:
    """a clock that only sleeping moves."""

    def __init__(self, codes):
        self.codes, self.now, self.pauses, self.left = list(codes), 0.0, [], []

    def sleep(self, seconds):
        self.now += seconds
        self.pauses.append(seconds)

    def call(self, left):
        self.left.append(left)
        if self.codes:
            raise Refusal(self.codes.pop(0))
        return "answer"

    def run(self, deadline=100.0, attempts=8):
        return retried(
            self.call, deadline, attempts=attempts, seed=1, sleep=self.sleep, clock=lambda: self.now
        )


def test_unavailable_is_asked_again_with_growing_pauses():
    world = World([grpc.StatusCode.UNAVAILABLE] * 7)
    assert world.run() == "answer"
    assert len(world.pauses) == 7
    for i, pause in enumerate(world.pauses):
        longest = min(FIRST_PAUSE * 2**i, LONGEST_PAUSE)
        assert longest / 2 <= pause <= longest
    assert world.left == sorted(world.left, reverse=True)


@pytest.mark.parametrize(
    "code",
    [
        code
        for code in grpc.StatusCode
        if code not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.OK)
    ],
)
def test_any_other_code_is_raised_at_once(code):
    world = World([code])
    with pytest.raises(Refusal):
        world.run()
    assert world.pauses == []


def test_attempts_are_counted():
    world = World([grpc.StatusCode.UNAVAILABLE] * 9)
    with pytest.raises(Refusal):
        world.run(attempts=3)
    assert len(world.left) == 3


def test_no_pause_ends_after_the_deadline():
    world = World([grpc.StatusCode.UNAVAILABLE] * 99)
    with pytest.raises(Refusal):
        world.run(deadline=1.0, attempts=99)
    assert world.now < 1.0 and all(left > 0 for left in world.left)


@pytest.mark.parametrize(
    "early, error, code",
    [(AHEAD / 2, MissedDeadline, "DEADLINE_EXCEEDED"), (2 * AHEAD, Refusal, "CANCELLED")],
)
def test_a_question_cancelled_at_its_deadline_has_missed_it(early, error, code):
    world = World([grpc.StatusCode.CANCELLED])

    def call(left):
        world.now += left - early
        return world.call(left)

    with pytest.raises(error) as raised:
        retried(call, 100.0, clock=lambda: world.now)
    assert type(raised.value) is error and raised.value.code().name == code
