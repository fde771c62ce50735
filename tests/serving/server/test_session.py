"""A version's session: a bounded number of compiled output sets, whatever is asked for."""

import random
from types import SimpleNamespace

import numpy as np
from working_model import OUTPUTS, save_working

from serving.server import session as module
from serving.server.session import MOST_PLANS, Version

ONE = {"x": np.ones((1, 2), "float32")}


def test_a_session_compiles_a_bounded_number_of_output_sets(tmp_path):
    version = Version(save_working(tmp_path / "1", 2.0), 1)
    draw, names = random.Random(0), [f"y{k}" for k in range(OUTPUTS)]
    for _ in range(3 * MOST_PLANS):
        wanted = draw.sample(names, draw.randrange(1, OUTPUTS))
        found = version.run("", ONE, wanted)
        assert list(found) == wanted and all(
            value.tolist() == [[2 + int(name[1:])] * 2] for name, value in found.items()
        )
    assert len(version.plans) <= MOST_PLANS + 1
    version.close()


def test_a_full_house_of_plans_still_answers_another_signature(tmp_path):
    version = Version(save_working(tmp_path / "1", 2.0), 1)
    version.plans = {(("x:0",), (f"made up {i}",)) for i in range(MOST_PLANS)}
    assert version.run("work", {"loops": np.array([3], "int32")}, ["done"])["done"].tolist() == [3]
    assert version.run("", ONE, ["y4"])["y4"].tolist() == [[6, 6]]
    version.close()


def test_a_session_ends_after_its_last_request_however_long_that_runs(tmp_path, monkeypatch):
    version = Version(save_working(tmp_path / "1", 2.0), 1)
    hours = iter(range(100))

    def an_hour_later(seconds: float) -> None:
        # a session that was closed by now would refuse the request's own run
        assert version.run("", ONE, ["y0"])["y0"].tolist() == [[2, 2]]
        version.running = int(next(hours) < 5)

    version.running = 1
    clock = SimpleNamespace(sleep=an_hour_later, monotonic=lambda: 3600.0 * next(hours))
    monkeypatch.setattr(module, "time", clock)
    version.close()
    assert next(hours) > 5 and not version.running
