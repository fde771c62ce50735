"""Batches in the sparse form teach what those of all channels teach."""

import dataclasses

import keras
import numpy as np
import pytest
from published_set import write_set
from tiny_store import TINY, TinyStore

from beam_jobs.ingest.job import ingest
from models.examples.label_store import build_label_store
from models.networks.task_networks.train import trainer
from models.networks.training.averages import balance
from models.networks.training.batch_maker import BatchMaker
from models.networks.training.sparse_targets import dense_target
from models.tasks import TASKS
from models.tasks.labels.sparse_shares import sparse

TASK = TASKS["colorization"]
SHARED = dataclasses.replace(TINY, augment=True)
PUBLISHED = dataclasses.replace(TINY, recipe="published", schedule="step")
ADVERSARIAL = dataclasses.replace(PUBLISHED, adversarial=True, warm_up=0)


@pytest.fixture(scope="module", params=["kept", "records"])
def store(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    ingest(str(write_set(folder / "data", views=4)), str(folder / "out"), size=32, shards=1)
    return build_label_store(
        str(folder / "out"),
        folder / "store",
        seed=0,
        max_samples=50,
        tasks={TASK.name: TASK},
        cache_bytes=(1 << 30) * (request.param == "kept"),
    )


def dense_batch(sparse_batch):
    value, target, mask = sparse_batch
    every = keras.ops.convert_to_numpy(
        dense_target(keras.ops.convert_to_tensor(target), TASK.output.channels)
    )
    return value, every, mask


def batches_of(store, config):
    """batches of two steps in the sparse form, and the same of all channels."""
    weights = balance(TASK, store, config)
    assert (weights is None) == (config.recipe != "published")
    makers = [
        BatchMaker(store, task, config, 4, weights)
        for task in (TASK, dataclasses.replace(TASK, shares=0))
    ]
    return [[maker.batch(step) for step in range(2)] for maker in makers]


@pytest.mark.parametrize("config", [SHARED, PUBLISHED], ids=["shared", "published"])
def test_batches_hold_the_same_numbers_in_a_fraction_of_the_bytes(store, config):
    for own, every in zip(*batches_of(store, config)):
        for one, other in zip(dense_batch(own), every, strict=True):
            assert one.dtype == other.dtype and one.tobytes() == other.tobytes()
        assert own[1].nbytes * 15 < every[1].nbytes


@pytest.mark.parametrize(
    "config, eagerly",
    # one as a program, which takes the most of this file
    [(SHARED, False), (PUBLISHED, True), (ADVERSARIAL, True)],
    ids=["shared", "published", "adversarial"],
)
@pytest.mark.parametrize("store", ["records"], indirect=True)
def test_networks_learn_the_same_from_both(store, config, eagerly):
    losses = []
    for batches in batches_of(store, config):
        keras.utils.set_random_seed(0)
        _, model = trainer(TASK, config, 32)
        model.run_eagerly = eagerly
        losses.append([float(model.train_on_batch(*batch)) for batch in batches])
    assert len(set(losses[0])) > 1
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)


def test_targets_of_all_channels_stay_as_they_are():
    target = TinyStore().samples(TASK.name, "train").target
    assert dense_target(target, TASK.output.channels) is target
    form = sparse(target, TASK.shares)
    values = dense_target(keras.ops.convert_to_tensor(form), TASK.output.channels)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(values), target)
