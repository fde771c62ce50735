"""Labels that were spoilt in each of the known ways are refused with reasons; sound ones pass."""

import copy

import numpy as np
import pytest

from models.examples.label_store import TaskSamples
from models.gates import drift
from models.gates.profile import profile
from models.tasks import TASKS

SIZE = 16
VIEWS = {"train": 48, "val": 24, "test": 24}
BUILDINGS = 4


class Rooms:
    """pictures of smooth colours, with labels that follow from them: edges of brightness, a ramp of
    reshading, and a pose of two numbers' worth of colour.
    """

    size = SIZE

    def __init__(self, seed: int, spoil=None) -> None:
        random = np.random.default_rng(seed)
        self.pictures, self.labels = {}, {}
        for split, count in VIEWS.items():
            coarse = random.uniform(0, 255, (count, 4, 4, 3))
            pictures = np.kron(coarse, np.ones((1, 4, 4, 1)))
            self.pictures[split] = pictures.astype("uint8")
            grey = pictures.mean(-1, keepdims=True)
            self.labels["edge_texture", split] = np.abs(np.gradient(grey, axis=2)) / 32 - 1
            ramp = np.linspace(-0.3, 0.3, SIZE)[:, None, None]
            self.labels["reshading", split] = grey / 255 - 0.5 + ramp
        if spoil:
            spoil(self.labels, random)

    def views(self, split):
        count = VIEWS[split]
        return [f"{split}{i * BUILDINGS // count}/point_0/view_{i}" for i in range(count)]

    def images(self, split):
        return self.pictures[split]

    def has(self, name):
        return (name, "train") in self.labels

    def samples(self, name, split):
        target = np.asarray(self.labels[name, split], "float32")
        rows = np.arange(len(target))[:, None]
        return TaskSamples(rows, target, np.ones((*target.shape[:3], 1), "float16"))

    def whitening(self, name):
        return np.zeros(1), np.ones(1)


def noisy(labels, random):
    for split in VIEWS:
        labels["reshading", split] = random.uniform(-1, 1, labels["reshading", split].shape)


def permuted(labels, random):
    for split in VIEWS:
        labels["edge_texture", split] = random.permutation(labels["edge_texture", split])


def zeroed(labels, random):
    for split in VIEWS:
        labels["edge_texture", split] = np.full_like(labels["edge_texture", split], -1)


def shifted(labels, random):
    labels["reshading", "train"] = labels["reshading", "train"] * 0.2 + 0.9


def unlabelled(labels, random):
    for split in VIEWS:
        del labels["reshading", split]


def refusals(checks):
    return [f"{check.name}: {check.said}" for check in checks if not check.passed]


@pytest.fixture(scope="module")
def accepted():
    return profile(Rooms(0))


def test_sound_labels_pass_alone_and_beside_others_of_their_kind(accepted):
    found = profile(Rooms(1))
    assert set(found) == {"images", "edge_texture", "reshading"}
    assert refusals([*drift.alone(found), *drift.beside(found, accepted)]) == []
    assert {check.name for check in drift.alone(found)} == {
        "labels are not noise",
        "maps are not constant",
        "labels belong to their pictures",
    }


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (noisy, "labels are not noise: reshading, train: neighbouring pixels"),
        (permuted, "labels belong to their pictures: edge_texture: a predictor"),
        (zeroed, "maps are not constant: edge_texture, train: 100% of its maps"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_spoilt_labels_are_refused_without_anything_to_compare(spoil, said):
    refused = refusals(drift.alone(profile(Rooms(1, spoil))))
    assert any(line.startswith(said) for line in refused), refused


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (shifted, "labels have not drifted: reshading, train: mean of number 0"),
        (permuted, "labels fit their pictures as before: edge_texture"),
        (unlabelled, "tasks are still labelled: no labels of reshading any more"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_drift_is_seen_beside_the_accepted_data(accepted, spoil, said):
    refused = refusals(drift.beside(profile(Rooms(1, spoil)), accepted))
    assert [line for line in refused if not line.startswith(said)] == []
    assert refused


def test_a_growing_share_without_label_is_refused(accepted):
    found = copy.deepcopy(accepted)
    found["reshading"]["test"]["masked"] += 0.4
    assert refusals(drift.beside(found, accepted)) == [
        "labels have not drifted: reshading, test: 40% carry no label, 0% of the accepted data do"
    ]


def test_only_labels_that_somebody_gave_are_held_against_pictures(accepted):
    assert "belongs" in accepted["reshading"] and "belongs" not in accepted["images"]
    assert set(TASKS["denoising"].labels) == {"rgb"}
