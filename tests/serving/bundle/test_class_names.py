"""Every class and number that an answer holds has a name, or none of them has."""

import dataclasses

import pytest

from models.tasks import TASKS
from serving.bundle.class_names import channel_names, class_names, vocabulary


@pytest.mark.parametrize("entry", TASKS.values(), ids=lambda entry: entry.name)
def test_names_are_as_many_as_channels_or_none(entry):
    assert len(class_names(entry.name)) in (0, entry.output.channels)
    if entry.trained:
        assert len(channel_names(entry.name)) == entry.output.channels


def test_classes_are_called_by_their_vocabularies():
    assert class_names("class_object")[0].startswith("tench")
    assert class_names("class_scene")[:2] == ("alcove", "assembly line")
    assert class_names("segment_semantic")[1] == "bottle"
    assert class_names("normal") == class_names("fixated_pose") == ()
    assert channel_names("fixated_pose")[0] == "turn, rad, x"
    assert channel_names("jigsaw")[7] == "class 7"


def test_a_27th_task_is_named_by_its_entry(monkeypatch):
    entry = dataclasses.replace(TASKS["class_object"], name="animal", vocabulary="imagenet.txt")
    monkeypatch.setitem(TASKS, "animal", entry)
    assert class_names("animal") == class_names("class_object")


def test_a_vocabulary_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(FileNotFoundError, match="there are imagenet.txt, places_indoor.txt"):
        vocabulary("imagenet21k.txt")
