"""Where test samples are many, some are held at a time: the same losses."""

import numpy as np
import pytest
from closed_form_bench import MadeUpBench, collected, regime

from models.networks.losses.block_losses import Judge
from models.networks.transfers.closed_form import maps, sweep, view_kernels
from models.networks.transfers.closed_form.maps import map_transfers
from models.networks.transfers.closed_form.vectors import vector_transfers

SETS = [(0,), (1,), (2,), (0, 1), (0, 2)]
MAPS = {
    "normal": SETS,
    "segment_semantic": SETS[:4],
    "segment_unsup2d": SETS[1:],
    "autoencoding": SETS[:2],
    "denoising": SETS[1:3],
}
VECTORS = {"class_scene": SETS, "room_layout": SETS[2:], "fixated_pose": SETS[:4], "jigsaw": SETS}


def in_parts(monkeypatch, step):
    """as if `HELD` had room for `step` test samples; the numbers of samples held, as they come."""
    held = []

    def parts(count, size):
        assert size > 0
        every = [range(start, min(start + step, count)) for start in range(0, count, step)]
        held.extend(map(len, every))
        return every

    monkeypatch.setattr(maps, "some_at_a_time", parts)
    monkeypatch.setattr(sweep, "some_at_a_time", parts)
    monkeypatch.setattr(sweep, "HELD", 0)
    monkeypatch.setattr(sweep, "SAVED", 2)
    return held


@pytest.mark.parametrize("step", [1, 3, 8])
@pytest.mark.parametrize("learner, expected", [(map_transfers, MAPS), (vector_transfers, VECTORS)])
def test_losses_are_those_of_all_test_samples_at_once(monkeypatch, learner, expected, step):
    at_once = collected(learner(MadeUpBench(), regime(range(6), held_out=2), expected))
    held = in_parts(monkeypatch, step)
    in_turn = collected(learner(MadeUpBench(trainers=2), regime(range(6), held_out=2), expected))
    assert held and max(held) <= step
    assert {name: set(rows) for name, rows in in_turn.items()} == {
        name: set(sets) for name, sets in expected.items()
    }
    for name, rows in expected.items():
        for subset in rows:
            np.testing.assert_allclose(in_turn[name][subset], at_once[name][subset], rtol=2e-5)


def test_no_judge_holds_more_than_a_part(monkeypatch):
    sizes = []
    made = Judge.__init__

    def watched(self, *arguments):
        made(self, *arguments)
        sizes.append(len(self.target))

    monkeypatch.setattr(Judge, "__init__", watched)
    in_parts(monkeypatch, 3)
    collected(map_transfers(MadeUpBench(), regime(), {"normal": SETS[:3]}))
    assert sizes == [3, 3, 2] * 2  # two sets of sources, then one


def test_kernels_of_many_views_are_made_between_those_that_teach_alone(monkeypatch):
    in_parts(monkeypatch, 3)
    shapes = []
    made = view_kernels.GlobalKernel.__init__

    def watched(self, *arguments):
        made(self, *arguments)
        shapes.append((self.teach.shape, self.whole))

    monkeypatch.setattr(view_kernels.GlobalKernel, "__init__", watched)
    collected(vector_transfers(MadeUpBench(), regime([1, 4, 6]), {"class_scene": [(0,)]}))
    assert shapes == [((3, 3), None)]


def test_room_for_all_samples_is_one_part():
    assert sweep.some_at_a_time(100, sweep.HELD // 100) == [range(100)]
    assert sweep.some_at_a_time(5, sweep.HELD // 2) == [range(2), range(2, 4), range(4, 5)]
    assert sweep.some_at_a_time(2, 2 * sweep.HELD) == [range(1), range(1, 2)]
