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
    statistics = profile(Rooms(1))
    assert set(statistics) == {"images", "edge_texture", "reshading"}
    assert refusals([*drift.alone(statistics), *drift.beside(statistics, accepted)]) == []
    assert {check.name for check in drift.alone(statistics)} == {
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
    statistics = copy.deepcopy(accepted)
    statistics["reshading"]["test"]["masked"] += 0.4
    assert refusals(drift.beside(statistics, accepted)) == [
        "labels have not drifted: reshading, test: 40% carry no label, 0% of the accepted data do"
    ]


def test_only_labels_that_somebody_gave_are_held_against_pictures(accepted):
    assert "belongs" in accepted["reshading"] and "belongs" not in accepted["images"]
    assert set(TASKS["denoising"].labels) == {"rgb"}


def means_by_building(mean: float, *apart: float, deviation: float = 1.0):
    """a row of a profile of one number, whose buildings' means lie `apart` from the mean."""
    return {
        "samples": 60,
        "mean": [mean],
        "deviation": [deviation],
        "by_building": {f"b{i}": [mean + one] for i, one in enumerate(apart)},
    }


@pytest.mark.parametrize(
    ("mean", "apart", "wrong"),
    [
        (0.9, 0.18, True),  # six standard errors of buildings
        (0.9, 0.28, False),  # four
        (0.9, 2.0, False),  # far for a sample, not for buildings that differ so much
        (0.5, 0.001, False),  # beyond doubt, and near for a sample
    ],
)
def test_a_mean_has_moved_if_it_is_far_for_samples_and_for_buildings(mean, apart, wrong):
    rows = [means_by_building(value, -apart, 0.0, apart) for value in (mean, 0.0)]
    assert (drift.moved_mean("reshading", *rows) is not None) == wrong


@pytest.mark.parametrize(("mean", "wrong"), [(2.9, False), (3.1, True)])
def test_without_three_buildings_a_mean_must_have_moved_much(mean, wrong):
    rows = [means_by_building(value, -0.01, 0.01) for value in (mean, 0.0)]
    assert (drift.moved_mean("reshading", *rows) is not None) == wrong


def test_the_error_of_a_mean_is_that_of_buildings_with_the_number():
    row = {"by_building": {"a": [1, 7], "b": [3, 7], "c": [5, None]}}
    np.testing.assert_allclose(drift.error_of(row), [2 / np.sqrt(3), 0])


@pytest.mark.parametrize(("smooth", "wrong"), [(0.07, True), (0.09, False)])
def test_maps_are_noise_below_the_least_agreement_of_neighbours(smooth, wrong):
    row = {"smoothness": smooth, "samples": drift.FEW}
    assert (drift.noise("reshading", "train", row) is not None) == wrong
    assert drift.noise("reshading", "train", {**row, "samples": drift.FEW - 1}) is None


@pytest.mark.parametrize(("z", "wrong"), [(2.9, True), (3.1, False)])
def test_labels_must_keep_a_share_of_what_as_many_samples_let_expect(z, wrong):
    accepted = {"z": 20.0, "samples": 64}
    row = {"z": z, "samples": 16, "loss": 1.0, "shuffled": 1.1}
    words = drift.less_fitting(row, accepted)
    assert (words is not None) == wrong
    if words is not None:
        # a quarter of the samples, half of the deviations
        assert words[1]["expected"] == 10.0
    # too little is expected of so few to refuse anything
    assert drift.less_fitting({**row, "z": 0.0}, {"z": 9.9, "samples": 64}) is None


def test_a_number_that_hardly_varies_is_measured_by_the_others():
    rows = [
        {
            "samples": 60,
            "mean": [mean, 0.0],
            "deviation": [0.001, 1.0],
            "by_building": {f"b{i}": [mean, 0.0] for i in range(3)},
        }
        for mean in (0.03, 0.0)
    ]
    assert drift.moved_mean("reshading", *rows) is None


@pytest.mark.parametrize(
    ("share", "now", "wrong"),
    [
        ("masked", 0.34, False),
        ("masked", 0.36, True),
        ("constant", 0.39, False),
        ("constant", 0.41, True),
        ("smoothness", 0.06, False),
        ("smoothness", 0.04, True),
    ],
)
def test_shares_may_grow_and_smoothness_may_fall_by_so_much(share, now, wrong):
    row = means_by_building(0.0, -1.0, 0.0, 1.0)
    accepted = {**row, "masked": 0.1, "constant": 0.1, "smoothness": 0.1}
    assert (drift.moved("reshading", {**accepted, share: now}, accepted) is not None) == wrong
    # where one side has no maps, nothing is said of them
    assert drift.moved("reshading", {**accepted, "smoothness": None}, accepted) is None
    assert drift.moved("reshading", accepted, row) is None


@pytest.mark.parametrize(("z", "wrong"), [(2.9, True), (3.1, False)])
def test_only_labels_made_of_the_picture_must_be_foretold_by_it(z, wrong):
    row = {"z": z, "samples": 16, "loss": 1.0, "shuffled": 1.1}
    assert (drift.strangers("edge_texture", row) is not None) == wrong
    assert drift.strangers("edge_texture", {**row, "samples": 15}) is None
    assert drift.strangers("normal", row) is None
