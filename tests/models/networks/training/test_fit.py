"""Training by `fit`: resumes inside a network, stops at NaN, and takes what Keras offers."""

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from tiny_store import TINY, TinyStore

from models.examples.label_store import TaskSamples
from models.networks.task_networks.build import load_task_network
from models.networks.task_networks.ledger import train_tasks
from models.networks.task_networks.train import (
    few_steps,
    network_address,
    shrink_to_average,
    train_task,
    trainer,
)
from models.networks.training.averages import average_answer, average_losses, standard_of
from models.networks.training.batches import Batches
from models.networks.training.fit import Interrupted, curve_window, fit_input, state_variables
from models.networks.training.recipes import learning_rate, recipe
from models.tasks import TASKS

LONG = dataclasses.replace(
    TINY, steps=45, checkpoint_seconds=0.0
)  # windows of two steps, the last of one


class Kill(keras.callbacks.Callback):
    """stands for a process that dies at a step."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.left = step

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


class Counter(keras.callbacks.Callback):
    steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1


class Part(TinyStore):
    """the tiny store with samples of the train split changed, or none in some splits."""

    def __init__(self, change=lambda data: data, empty=()) -> None:
        super().__init__()
        self.change, self.empty = change, empty

    def samples(self, name, split):
        if split in self.empty:
            raise LookupError(f"no {split} view carries the labels of {name}")
        data = super().samples(name, split)
        return self.change(data) if split == "train" else data


# Random damage, by a traced program; random dropout, step by step.
@pytest.mark.parametrize(
    ("name", "config", "killed", "saved"),
    [
        ("denoising", LONG, 21, 20),
        ("class_scene", dataclasses.replace(LONG, steps=5), 3, 2),
    ],
    ids=["denoising", "class_scene"],
)
def test_a_killed_network_goes_on_in_its_middle_as_if_nothing_had_happened(
    name, config, killed, saved, tmp_path
):
    assert few_steps(config) == (config.steps == 5)
    whole, count = train_task(TinyStore(), tmp_path / "whole", TASKS[name], config), Counter()
    with pytest.raises(KeyboardInterrupt):
        train_task(TinyStore(), tmp_path / "killed", TASKS[name], config, callbacks=[Kill(killed)])
    assert not (tmp_path / "killed").exists() and (tmp_path / ".killed.checkpoint.npz").exists()
    again = train_task(TinyStore(), tmp_path / "killed", TASKS[name], config, callbacks=[count])
    assert count.steps == config.steps - saved
    np.testing.assert_allclose(again["curve"], whole["curve"], rtol=1e-4)
    assert again["loss"] == pytest.approx(whole["loss"], rel=1e-3)
    assert len(whole["curve"]) == -(-config.steps // curve_window(config.steps))
    assert not (tmp_path / ".killed.checkpoint.npz").exists()


def test_a_checkpoint_of_another_configuration_is_not_used(tmp_path):
    config = dataclasses.replace(LONG, steps=5)  # which needs no program
    with pytest.raises(KeyboardInterrupt):
        train_task(TinyStore(), tmp_path / "n", TASKS["reshading"], config, callbacks=[Kill(3)])
    assert (tmp_path / ".n.checkpoint.npz").exists()
    count = Counter()
    train_task(
        TinyStore(),
        tmp_path / "n",
        TASKS["reshading"],
        dataclasses.replace(config, learning_rate=2e-3),
        callbacks=[count],
    )
    assert count.steps == config.steps


def test_windows_are_short_enough_to_lose_little():
    assert curve_window(260) == 13 and curve_window(121_300) == 500 and curve_window(3) == 1


def test_labels_that_are_no_numbers_stop_at_the_first_step_and_name_the_cause(tmp_path):
    spoilt = Part(
        lambda data: TaskSamples(data.views, np.full_like(data.target, np.nan), data.mask)
    )
    with pytest.raises(Interrupted, match="reshading became nan at step 0; its labels"):
        train_tasks(spoilt, tmp_path, ["reshading"], LONG)


def test_a_task_whose_labels_are_all_masked_is_refused_before_anything_is_trained(tmp_path):
    masked = Part(lambda data: TaskSamples(data.views, data.target, data.mask * 0))
    with pytest.raises(LookupError, match="normal has no train sample that counts.*all are masked"):
        train_tasks(masked, tmp_path, ["random_projection", "normal"], LONG)
    assert not list(tmp_path.iterdir())


def test_one_building_only_is_refused_with_the_split_that_lacks_one(tmp_path):
    with pytest.raises(LookupError, match="no test sample.*a building each"):
        train_tasks(Part(empty=("val", "test")), tmp_path, ["normal"], LONG)


def test_views_without_pairs_are_said_to_lack_pairs(tmp_path):
    with pytest.raises(LookupError, match="fixated_pose.*no pairs of views"):
        train_tasks(Part(empty=("train",)), tmp_path, ["fixated_pose"], LONG)


def test_without_validation_buildings_nothing_is_pulled_towards_the_average():
    store = Part(empty=("val",))
    network, _ = trainer(TASKS["class_scene"], TINY, store.size)
    assert shrink_to_average(network, store, TINY) == 1.0


@pytest.mark.parametrize("samples", [1, 3])
def test_fewer_images_than_a_batch_fill_it_from_the_next_epoch(samples, tmp_path):
    few = Part(
        lambda data: TaskSamples(*(part[:samples] for part in (data.views, data.target, data.mask)))
    )
    batches = Batches(few, TASKS["normal"], TINY)
    assert len(batches.maker.rows(0)) == 4 and set(batches.maker.rows(0)) == set(range(samples))
    batches.close()
    assert np.isfinite(train_tasks(few, tmp_path, ["normal"], TINY)["normal"]["loss"])


@pytest.mark.parametrize("name", ["segment_semantic", "class_scene", "colorization"])
def test_a_class_never_seen_leaves_every_loss_finite(name, tmp_path):
    def never(data):
        target = np.array(data.target, "float32")
        if name == "segment_semantic":
            target[target == 3] = 0
        else:
            target[..., :3] = 0
            target /= np.maximum(target.sum(-1, keepdims=True), 1e-6)
        return TaskSamples(data.views, target, data.mask)

    store, config = Part(never), dataclasses.replace(TINY, recipe="published")
    assert np.isfinite(average_losses(TASKS[name], store)).all()
    assert np.isfinite(train_tasks(store, tmp_path, [name], config)[name]["loss"])


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("name", ["normal", "class_scene"])
def test_mixed_precision_keeps_weights_and_answers_in_float32(precision, name, tmp_path):
    config = dataclasses.replace(TINY, steps=2, precision=precision)
    network, model = trainer(TASKS[name], config, 32)
    assert network.encoder.layers[1].compute_dtype == precision.removeprefix("mixed_")
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer) == (
        precision == "mixed_float16"
    )
    assert keras.config.dtype_policy().name == "float32"
    assert np.isfinite(train_task(TinyStore(), tmp_path / name, TASKS[name], config)["loss"])
    read = load_task_network(tmp_path / name)
    assert np.asarray(read.encoder(np.zeros((1, 32, 32, 3), "float32"))).dtype == "float32"


@pytest.mark.parametrize("name", ["depth_zbuffer", "segment_semantic", "vanishing_point"])
def test_what_was_learned_standardised_is_folded_into_the_last_layer(name):
    store, entry = TinyStore(), TASKS[name]
    network, model = trainer(entry, TINY, store.size, standard_of(entry, store, TINY))
    value = np.random.default_rng(0).normal(size=(3, store.size, store.size, 3)).astype("float32")
    before, raw = np.asarray(model(value)), network.answer(value)
    model.fold()
    np.testing.assert_allclose(network.answer(value), before, atol=1e-5)
    assert (np.abs(raw - before).max() > 0.1) == (name != "segment_semantic")


def test_the_standard_of_a_task_is_that_of_its_unmasked_train_targets():
    store = TinyStore()
    middle, unit = standard_of(TASKS["normal"], store, TINY)
    data = store.samples("normal", "train")
    counted = data.target[data.mask[..., 0] > 0]
    np.testing.assert_allclose(middle, counted.mean(0), atol=1e-5)
    np.testing.assert_allclose(unit, counted.std(0), rtol=1e-4)
    assert (
        standard_of(TASKS["normal"], store, dataclasses.replace(TINY, recipe="published")) is None
    )


def test_a_share_of_the_steps_is_of_its_task_and_of_the_shared_recipe_alone():
    shared = dataclasses.replace(TINY, steps=100, shares=(("normal", 0.25),))
    assert [recipe(TASKS[name], shared).steps for name in ("normal", "reshading")] == [25, 100]
    assert recipe(TASKS["normal"], dataclasses.replace(shared, recipe="published")).steps == 100
    other = dataclasses.replace(shared, shares=(("normal", 0.5),))
    assert [
        network_address(TASKS[name], TinyStore(), shared)
        == network_address(TASKS[name], TinyStore(), other)
        for name in ("normal", "reshading")
    ] == [False, True]


@pytest.mark.parametrize("name, highest", [("reshading", 1e-3), ("jigsaw", 5e-4)])
def test_the_rate_rises_then_falls_to_nothing(name, highest):
    rate = learning_rate(TASKS[name], dataclasses.replace(TINY, steps=200))
    assert [float(rate(step)) for step in (0, 20, 200)] == pytest.approx(
        [highest / 10, highest, 0.0], abs=1e-8
    )


def test_the_state_holds_optimiser_and_random_states():
    _, model = trainer(TASKS["class_scene"], TINY, 32)
    names = [variable.path for variable in state_variables(model)]
    assert (
        any("seed_generator" in name for name in names)
        and any("velocity" in name for name in names)
        and any("moving_mean" in name for name in names)
    )


def test_an_average_of_many_pixels_counts_every_one():
    """more pixels of a class than a sum of ones in float32 can count (2^24): of class 0 here."""
    ids = (np.arange(290) % 10 == 0).astype("uint8")[:, None, None, None] * np.ones(
        (1, 257, 256, 1), "uint8"
    )
    assert (ids == 0).sum() > 2**24
    samples = TaskSamples(np.zeros((290, 1), "int32"), ids, np.ones_like(ids))
    average = average_answer(
        TASKS["segment_semantic"],
        SimpleNamespace(samples=lambda name, split: samples, sums=lambda name: None),
    )
    np.testing.assert_allclose(
        np.exp(average[0, 0, 0, :3]), [0.9 + 1e-4, 0.1 + 1e-4, 1e-4], rtol=1e-4
    )


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow's pipelines are tuned"
)
def test_fit_is_given_the_batches_in_order_by_a_pipeline_that_is_not_tuned():
    task = TASKS["normal"]
    batches = Batches(TinyStore(), task, TINY, first=3)
    pipeline = fit_input(batches)
    for i, given in enumerate(pipeline.take(3).as_numpy_iterator()):
        for part, expected in zip(given, batches.batch(3 + i)):
            np.testing.assert_array_equal(part, expected)
    batches.close()
    assert i == 2 and pipeline.options().autotune.enabled is False
