"""What must hold for every task's network runs over the dictionary, on random data with the store's
interface.
"""

import dataclasses
import json

import numpy as np
import pytest
from synthetic import SIZE
from tiny_store import TINY, TinyStore

from models.networks.losses.losses import image_losses
from models.networks.task_networks.build import build_task_network, load_task_network
from models.networks.task_networks.ledger import train_tasks
from models.networks.task_networks.train import train_task
from models.networks.training import split_parts
from models.networks.training.averages import average_losses
from models.networks.training.inputs import training_input
from models.tasks import TASKS

TRAINED = [entry for entry in TASKS.values() if entry.trained]


@pytest.fixture(scope="module")
def store():
    return TinyStore()


@pytest.mark.parametrize("entry", TRAINED, ids=lambda entry: entry.name)
def test_a_network_builds_and_answers_with_the_declared_shape(entry, store):
    network, data = build_task_network(entry, TINY, SIZE), store.samples(entry.name, "train")
    value = training_input(
        entry,
        store.images("train")[data.views],
        data.target,
        np.random.default_rng(0),
        TINY.tile_size,
    )
    answer = network.answer(value)
    assert answer.shape == (8, *entry.output.shape(SIZE))
    losses = image_losses(entry.loss, data.target, data.mask, answer)
    assert losses.shape == (8,) and np.isfinite(losses).all() and (losses >= 0).all()


@pytest.mark.parametrize(
    "name",
    [
        "normal",
        "segment_semantic",
        "segment_unsup2d",
        "class_scene",
        "egomotion",
        "jigsaw",
        "colorization",
    ],
)
def test_a_network_takes_a_step_and_reads_back(name, store, tmp_path):
    record = train_task(store, tmp_path / name, TASKS[name], TINY)
    assert np.isfinite(record["loss"]) and len(record["curve"]) == 1
    network = load_task_network(tmp_path / name)
    code = np.asarray(
        network.encoder(np.zeros((1, SIZE, SIZE, TASKS[name].input_channels), "float32"))
    )
    assert code.shape[-1] == 8 and (code >= 0).all()


def test_a_finished_network_is_kept_and_another_configuration_is_not(store, tmp_path):
    first = train_tasks(store, tmp_path, ["reshading", "random_projection"], TINY)
    assert train_tasks(store, tmp_path, ["reshading", "random_projection"], TINY) == first
    again = train_tasks(store, tmp_path, ["reshading"], dataclasses.replace(TINY, seed=1))
    assert again["reshading"]["address"] != first["reshading"]["address"]
    assert (
        json.loads((tmp_path / "random_projection" / "network.json").read_text())
        == first["random_projection"]
    )


def test_a_loss_that_is_no_number_stops_with_the_name(store, tmp_path):
    from models.networks.training.fit import Interrupted

    with pytest.raises(Interrupted, match="reshading became"):
        train_tasks(
            store, tmp_path, ["reshading"], dataclasses.replace(TINY, learning_rate=1e30, steps=3)
        )
    assert not (tmp_path / "reshading").exists()


@pytest.mark.parametrize("name", ["normal", "class_scene", "fixated_pose", "segment_semantic"])
def test_the_average_is_beaten_by_the_truth(name, store):
    data = store.samples(name, "test")
    entry = TASKS[name]
    if entry.loss == "weighted_cross_entropy":
        truth = 50 * np.eye(entry.output.channels)[data.target[..., 0].astype(int)]
    else:
        truth = np.log(data.target + 1e-9) if entry.loss == "soft_cross_entropy" else data.target
    assert (
        image_losses(entry.loss, data.target, data.mask, truth).mean()
        < average_losses(entry, store).mean()
    )


def test_masked_pixels_do_not_count():
    value, mask = np.zeros((1, 4, 4, 1)), np.zeros((1, 4, 4, 1))
    mask[0, 0] = 1
    answer = value + 5.0
    answer[0, 0] = 1.0
    assert image_losses("l1", value, mask, answer) == pytest.approx(1.0)
    assert image_losses("l2", value, mask, answer) == pytest.approx(1.0)


def test_encoders_of_tasks_take_their_own_channels():
    lightness = build_task_network(TASKS["colorization"], TINY, SIZE).encoder
    assert lightness.input_shape[-1] == 1


@pytest.mark.parametrize("name", ["room_layout", "class_scene", "fixated_pose"])
def test_shrinking_folds_the_average_into_the_last_layer_and_never_harms_validation(name):
    from models.networks.task_networks.answers import answers_in_parts
    from models.networks.task_networks.train import shrink_to_average
    from models.networks.training.averages import average_answer

    store = TinyStore()
    network = build_task_network(TASKS[name], TINY, store.size)
    ((before, target, mask),) = answers_in_parts(network, store, "val", TINY)
    factor = shrink_to_average(network, store, TINY)
    ((after, _, _),) = answers_in_parts(network, store, "val", TINY)
    average = average_answer(TASKS[name], store)
    np.testing.assert_allclose(after, average + factor * (before - average), atol=1e-4)
    losses = [
        image_losses(TASKS[name].loss, target, mask, answer).mean() for answer in (before, after)
    ]
    assert losses[1] <= losses[0] + 1e-5


@pytest.mark.parametrize("name", ["jigsaw", "class_scene", "fixated_pose", "denoising"])
def test_answers_in_parts_are_those_about_all_samples_at_once(name, monkeypatch):
    from models.networks.task_networks.answers import answers_in_parts

    store = TinyStore()
    network = build_task_network(TASKS[name], TINY, store.size)
    (together,) = answers_in_parts(network, store, "val", TINY)
    monkeypatch.setattr(split_parts, "BATCH", 3)
    parts = list(answers_in_parts(network, store, "val", TINY))
    assert [len(part[0]) for part in parts] == [3, 3, 2]
    for whole, *some in zip(together, *parts):
        np.testing.assert_allclose(np.concatenate(some), whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["normal", "colorization", "segment_unsup2d", "room_layout"])
def test_a_constant_is_judged_beside_the_network_as_alone(name):
    from models.networks.task_networks.answers import losses_beside
    from models.networks.training.averages import average_answer, balance, chunks

    store = TinyStore()
    config = dataclasses.replace(TINY, recipe="published")
    network = build_task_network(TASKS[name], config, store.size)
    constant = average_answer(TASKS[name], store, balance(TASKS[name], store, config))
    own, beside = losses_beside(network, store, config, constant)
    assert len(own) == len(store.samples(name, "test"))
    test, weights = store.samples(name, "test"), balance(TASKS[name], store, config)
    [(target, mask)] = chunks(test, weights)
    everywhere = np.broadcast_to(constant, (len(target), *constant.shape[1:]))
    alone = image_losses(TASKS[name].loss, target, mask, everywhere)
    np.testing.assert_array_equal(beside, alone)


def test_the_factor_chosen_in_parts_is_that_of_all_samples_at_once(monkeypatch):
    from models.networks.task_networks.train import shrink_to_average

    store = TinyStore()
    factors = []
    for size in (64, 3):
        monkeypatch.setattr(split_parts, "BATCH", size)
        network = build_task_network(TASKS["class_scene"], TINY, store.size)
        factors.append(shrink_to_average(network, store, TINY))
    assert factors[0] == factors[1]
