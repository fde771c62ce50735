"""A version's session: a bounded number of compiled output sets, whatever is asked for."""

import random

import numpy as np
from working_model import OUTPUTS, save_working

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
