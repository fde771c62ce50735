"""An edge's gradient training: halves of what is held out, and once more on everything."""

import dataclasses

import numpy as np
import pytest
from tiny_store import TINY
from transfer_bank import transfer_bank

from models.networks.losses.losses import image_losses
from models.networks.training.fit import Interrupted
from models.networks.transfers.bench import Bench
from models.networks.transfers.gradient import alone
from models.networks.transfers.gradient.schedule import Schedule
from models.tasks import TASKS

EPOCHS = 4
FIRST = np.array([True, False, True, False])


@pytest.fixture(scope="module")
def bench():
    store, representations, networks, _ = transfer_bank()
    return Bench(store, representations, networks, dataclasses.replace(TINY, policy_epochs=EPOCHS))


@pytest.fixture
def schedule():
    return Schedule(batch=2, epochs=EPOCHS, cosine=True)


def answered(bench, name, subset, rows, head):
    """[row] losses of a head on standardised codes."""
    data = bench.store.samples(name, "val")
    views = np.asarray(data.views)[rows]
    codes = [np.asarray(bench.maps(i, "val"), "float32")[views] for i in subset]
    joined_codes = np.concatenate(codes, -1)
    answer = np.asarray(head(joined_codes[:, 0] if TASKS[name].images == 1 else joined_codes))
    labels, mask = (np.asarray(part, "float32") for part in data.labels(rows))
    return image_losses(TASKS[name].loss, labels, mask, answer)


@pytest.mark.parametrize("name", ["normal", "fixated_pose"])
def test_a_trial_keeps_the_best_head_of_each_half(bench, schedule, name):
    teaching, held_out = np.arange(4), np.arange(4, 8)
    trial = alone.try_transfer(bench, (0, 2), name, (teaching, held_out), FIRST, schedule)
    assert trial.losses.shape == (2, 4)
    for head, losses in zip(trial.heads, trial.losses):
        # what is told of a head is true of it after the other was made
        told = answered(bench, name, (0, 2), held_out, head)
        np.testing.assert_allclose(told, losses, rtol=1e-4, atol=1e-5)
    assert trial.losses[0][FIRST].mean() <= trial.losses[1][FIRST].mean()
    assert trial.losses[1][~FIRST].mean() <= trial.losses[0][~FIRST].mean()
    assert 1 <= trial.epochs <= EPOCHS


def test_once_more_is_the_same_training_on_more_samples(bench, schedule):
    """on the samples of the trial it comes to the head of the trial."""
    rows = (np.arange(4), np.arange(4, 8))
    everything = np.ones(4, bool)
    everything[-1] = False
    trial = alone.try_transfer(bench, (0,), "normal", rows, everything, schedule)
    same = [
        alone.train_transfer_alone(bench, (0,), "normal", rows[0], schedule, epochs)
        for epochs in range(1, EPOCHS + 1)
    ]
    answers = [answered(bench, "normal", (0,), rows[1], head) for head in same]
    best = int(np.argmin([losses[everything].mean() for losses in answers]))
    np.testing.assert_allclose(answers[best], trial.losses[0], rtol=1e-4, atol=1e-5)
    more = alone.train_transfer_alone(bench, (0,), "normal", np.arange(8), schedule, EPOCHS)
    assert not np.allclose(answered(bench, "normal", (0,), rows[1], more), answers[-1], rtol=1e-4)


def test_on_twice_the_samples_it_takes_as_many_steps(bench, schedule, monkeypatch):
    seen = []
    real = alone.train_epoch

    def epoch(stack, samples, order, batch):
        seen.append((len(order) // batch, float(stack.optimizer.learning_rate)))
        real(stack, samples, order, batch)

    monkeypatch.setattr(alone, "train_epoch", epoch)
    alone.train_transfer_alone(bench, (0,), "normal", np.arange(4), schedule, 4)
    once, rates = zip(*seen)
    seen.clear()
    alone.train_transfer_alone(bench, (0,), "normal", np.arange(8), schedule, 4, 0.5)
    assert sum(steps for steps, _ in seen) == sum(once) == 8
    # and the rate falls over these steps as it fell over those
    assert [rate for _, rate in seen] == pytest.approx(rates[::2])


def test_a_loss_that_is_no_number_ends_it(bench, schedule):
    wild = dataclasses.replace(schedule, rate=float("inf"), epochs=2)
    rows = (np.arange(4), np.arange(4, 8))
    with pytest.raises(Interrupted, match="normal became no number"):
        alone.try_transfer(bench, (0,), "normal", rows, FIRST, wild)
    with pytest.raises(Interrupted, match="normal became no number"):
        alone.train_transfer_alone(bench, (0,), "normal", rows[0], wild, 2)
