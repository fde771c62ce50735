"""Labels that lie otherwise than their picture are told by edges."""

import numpy as np
import pytest
from seen_rooms import room_view

from models.examples.picture_edges import normalised, turn_contradiction

TURNS = {
    "mirrored": np.fliplr,
    "turned by 180 degrees": lambda map_: np.rot90(map_, 2),
    "turned by 90 degrees": np.rot90,
    "turned by 270 degrees": lambda map_: np.rot90(map_, 3),
    "upside down, mirrored": np.flipud,
}


def test_labels_that_lie_as_their_picture_does_are_sound():
    views = map(room_view, range(20))
    assert not any(turn_contradiction(view["rgb"], view["normal"]) for view in views)


@pytest.mark.parametrize("how", TURNS)
def test_labels_that_are_turned_are_found_in_most_views(how):
    found = []
    for seed in range(8):
        view = room_view(seed)
        found.append(turn_contradiction(TURNS[how](view["rgb"]), view["normal"]))
    kinds = [said.kind for said in found if said]
    assert len(kinds) > 4 and set(kinds) == {f"labels are {how} against their pictures"}


def test_pictures_without_edges_say_nothing():
    view = room_view(0)
    assert turn_contradiction(np.full_like(view["rgb"], 90), view["normal"]) is None
    noise = np.random.default_rng(0).integers(0, 256, view["rgb"].shape, dtype="uint8")
    assert turn_contradiction(noise, view["normal"]) is None


def test_the_product_of_two_normalised_maps_is_their_correlation():
    one, other = np.random.default_rng(0).normal(3, size=(2, 40, 40)).astype("float32")
    expected = np.corrcoef(one.ravel(), other.ravel())[0, 1]
    assert np.vdot(normalised(one), normalised(other)) == pytest.approx(expected)
    assert not normalised(np.full((4, 4), 7.1, "float32")).any()
