"""Class labels of procedural views are what a confident classifier would answer."""

from types import SimpleNamespace

import numpy as np
import pytest

from beam_jobs.annotate.classes import (
    OBJECTS,
    PLACES,
    object_logits,
    scene_probabilities,
    semantic_ids,
)

SCENE = SimpleNamespace(names=["chair", "nothing known", "bed"], semantic=np.array([3, 1, 6]))


def seen(*instances):
    return SimpleNamespace(instance=np.array(instances).reshape(1, -1))


@pytest.mark.parametrize("kind", PLACES)
def test_the_rooms_own_kind_is_nearly_certain(kind):
    value = scene_probabilities(kind)
    assert value.argmax() == PLACES[kind] and value.max() == pytest.approx(0.9)
    assert value.sum() == pytest.approx(1, abs=1e-5)


def test_objects_are_ranked_by_their_share_of_the_picture():
    logits = object_logits(seen(0, 2, 2, 2, 1, -1), SCENE)
    assert logits.argsort()[-2:].tolist() == [OBJECTS["chair"], OBJECTS["bed"]]
    assert np.exp(logits[OBJECTS["bed"]]) == pytest.approx(0.5001, rel=1e-4)
    assert len(set(np.delete(logits, [OBJECTS["chair"], OBJECTS["bed"]]))) == 1


def test_a_view_of_nothing_known_is_near_uniform():
    assert len(set(object_logits(seen(1, 1, -1), SCENE))) == 1


def test_every_class_is_one_of_the_published_lists():
    assert all(0 <= number < 1000 for number in OBJECTS.values())
    assert all(0 <= number < 365 for number in PLACES.values())


def test_a_pixel_has_its_instances_class_and_none_where_nothing_is_seen():
    assert semantic_ids(seen(0, 2, 1, -1), SCENE).tolist() == [[3, 6, 1, 0]]
