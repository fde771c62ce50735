"""Kinds of output are values, and every kind is some task's."""

import pytest

from models.tasks import ANSWERED, DENSE, KINDS, TASKS, Kind, Output, by_kind


def test_every_kind_is_some_tasks_and_every_loss_too():
    assert {entry.output.kind for entry in TASKS.values()} == set(KINDS)
    used = {(entry.output.kind, entry.loss) for entry in TASKS.values() if entry.trained}
    assert used == {(name, loss) for name, kind in KINDS.items() for loss in kind.losses}


def test_there_are_answers_of_every_kind_but_the_untrained_control():
    assert set(KINDS) - set(ANSWERED) == {"none"}
    assert set(DENSE) == {"pixels", "pixel_classes", "embedding"}


def test_an_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="one of pixels, .*; got 'voxels'"):
        Output("voxels", 3)


def test_a_rooms_table_has_one_row_a_kind():
    assert by_kind("a row", dict.fromkeys(ANSWERED, 1)) == dict.fromkeys(ANSWERED, 1)
    with pytest.raises(ValueError, match="a head, by kind of output: .* missing: vector"):
        by_kind("a head", {name: 1 for name in ANSWERED if name != "vector"})
    with pytest.raises(ValueError, match="unknown: voxels"):
        by_kind("a head", {**dict.fromkeys(ANSWERED, 1), "voxels": 1})


@pytest.mark.parametrize(
    "facts, message",
    [
        ({"losses": ()}, "losses are named exactly where"),
        ({"losses": ("l1",), "trained": False}, "losses are named exactly where"),
        ({"losses": ("l1",), "dense": True, "whitened": True}, "one answer a sample"),
    ],
)
def test_a_kind_that_contradicts_itself_is_refused(facts, message):
    with pytest.raises(ValueError, match=message):
        Kind("voxels", **facts)
