"""The gradient learner: members are independent, stop by themselves, and learn every kind of
answer.
"""

import dataclasses
import io

import numpy as np
import pytest
from tiny_store import TINY, TinyStore
from transfer_bank import transfer_bank

from models.examples import label_store
from models.examples.label_store import LabelStore, TaskSamples
from models.examples.lazy_rows import LazyRows
from models.networks.architecture.transfer_heads import build_transfer_head
from models.networks.losses.losses import image_losses as keras_losses
from models.networks.training.averages import average_answer, average_losses
from models.networks.training.fit import Interrupted
from models.networks.transfers.bench import Bench
from models.networks.transfers.gradient import programs
from models.networks.transfers.gradient.learner import (
    build_stack,
    learn,
    losses_of_members,
    transfers_by_gradient,
)
from models.networks.transfers.gradient.programs import StackPrograms
from models.networks.transfers.gradient.samples import Samples
from models.networks.transfers.gradient.schedule import Schedule
from models.tasks import TASKS

QUICK = Schedule(batch=4, epochs=3, patience=2)


def maps(index: int, split: str) -> np.ndarray:
    """made-up representations of three sources; the same every time."""
    views = len(TinyStore().views(split))
    return (
        np.random.default_rng([index, len(split)]).normal(size=(views, 4, 4, 8)).astype("float32")
    )


@pytest.mark.parametrize(
    "name", ["segment_semantic", "segment_unsup2d", "class_scene", "egomotion"]
)
def test_every_kind_of_answer_is_learned_and_judged_image_by_image(name):
    store = TinyStore()
    losses = learn(store, maps, name, np.array([[0], [2]]), [1, 2], TINY, QUICK)
    assert (
        losses.losses.shape == (2, len(store.samples(name, "test")))
        and np.isfinite(losses.losses).all()
    )
    assert losses.validation.shape == (len(losses.validation), 2) and (losses.best >= 1).all()
    assert len(average_losses(TASKS[name], store)) == losses.losses.shape[1]


def test_a_member_learns_the_same_alone_and_in_company():
    store = TinyStore()
    company = learn(
        store, maps, "room_layout", np.array([[0, 1], [1, 2], [0, 2]]), [5, 6, 7], TINY, QUICK
    )
    alone = learn(store, maps, "room_layout", np.array([[1, 2]]), [6], TINY, QUICK)
    count = len(alone.validation)
    np.testing.assert_allclose(alone.validation[:, 0], company.validation[:count, 1], rtol=1e-4)
    np.testing.assert_allclose(alone.losses[0], company.losses[1], rtol=1e-4, atol=1e-6)
    assert alone.best[0] == company.best[1]


def test_the_next_target_of_a_shape_compiles_nothing_and_learns_what_it_would_have_learned_first():
    store, seeds = TinyStore(), [3, 4]
    made = StackPrograms(TINY, store.size)
    learned = [
        learn(store, maps, name, np.array(slots), seeds, TINY, QUICK, programs=made)
        for name, slots in (("room_layout", [[0], [1]]), ("vanishing_point", [[1], [2]]))
    ]
    assert made.compiled == 1
    fresh = learn(store, maps, "vanishing_point", np.array([[1], [2]]), seeds, TINY, QUICK)
    np.testing.assert_allclose(learned[1].validation, fresh.validation, rtol=1e-5)
    np.testing.assert_allclose(learned[1].losses, fresh.losses, rtol=1e-5)
    assert not np.allclose(learned[0].losses, learned[1].losses)


def test_few_steps_without_a_program_learn_what_a_program_learns(monkeypatch):
    learned = []
    for few in (programs.FEW_STEPS, 0):
        monkeypatch.setattr(programs, "FEW_STEPS", few)
        made = StackPrograms(TINY, TinyStore.size)
        slots = np.array([[0], [2]])
        learned.append(
            learn(TinyStore(), maps, "normal", slots, [1, 2], TINY, QUICK, programs=made)
        )
        (stack,) = made.stacks.values()
        assert stack.run_eagerly == (few > 0)
    np.testing.assert_allclose(learned[0].validation, learned[1].validation, rtol=1e-4)
    np.testing.assert_allclose(learned[0].losses, learned[1].losses, rtol=1e-4)


class LazyStore(TinyStore):
    """labels are made whenever they are asked for; `asked` is of which validation samples."""

    keeping = LabelStore.keeping

    def __init__(self):
        super().__init__()
        self.asked = []
        self._samples = {}

    def samples(self, name, split):
        if (name, split) not in self._samples:
            data = super().samples(name, split)
            asked = self.asked if split == "val" else []

            def row(i):
                asked.append(i)
                return data.target[i]

            target = LazyRows(len(data), data.target.shape[1:], data.target.dtype, row)
            self._samples[name, split] = TaskSamples(data.views, target, data.mask)
        return self._samples[name, split]


def test_labels_that_teach_are_made_once_for_all_stacks_and_epochs(monkeypatch):
    """and every transfer learns what it learns from arrays."""
    monkeypatch.setattr(label_store, "LazySamples", TaskSamples)
    _, representations, networks, _ = transfer_bank()
    config = dataclasses.replace(TINY, stack_members=2, transfer_epochs=2, transfer_batch=2)
    expected = {"room_layout": [(0,), (1,), (0, 1)]}
    found = []
    programs = StackPrograms(config, TinyStore.size)
    for store in (LazyStore(), TinyStore()):
        bench = Bench(
            store, representations, networks, config, programs=programs, out=io.StringIO()
        )
        learned = list(transfers_by_gradient(bench, bench.regimes[-1], expected))
        assert [len(losses) for _, losses in learned] == [2, 1]
        found.append({key: value for _, part in learned for key, value in part.items()})
        if isinstance(store, LazyStore):
            assert sorted(store.asked) == list(range(8))
    for subset in expected["room_layout"]:
        np.testing.assert_array_equal(found[0][subset], found[1][subset])


def test_the_small_head_answers_whole_maps_and_begins_at_the_average():
    store, config = TinyStore(), dataclasses.replace(TINY, transfer_widths=(4,), output_stride=2)
    head = build_transfer_head(TASKS["normal"], config, (4, 4, 8), 1, store.size)
    answer = np.asarray(head(maps(0, "val")))
    assert answer.shape == (8, store.size, store.size, 3)
    np.testing.assert_array_equal(answer[:, ::2, ::2], answer[:, 1::2, 1::2])
    codes = Samples(store, maps, "normal", "val", [0])
    stack = build_stack(store, "normal", codes, np.array([[0]]), [1], config, QUICK)
    stack.learned[-2].assign(np.zeros(stack.learned[-2].shape))
    data = store.samples("normal", "test")
    mean = average_answer(TASKS["normal"], store).reshape(-1, 3).mean(0)
    flat = keras_losses("l1", data.target, data.mask, np.broadcast_to(mean, data.target.shape))
    np.testing.assert_allclose(
        losses_of_members(stack, Samples(store, maps, "normal", "test", [0]), np.arange(8))[:, 0],
        flat,
        rtol=1e-4,
    )


@pytest.mark.parametrize("name", ["normal", "room_layout", "egomotion"])
def test_stacks_learn_through_the_released_transfer_function(name):
    store, config = TinyStore(), dataclasses.replace(TINY, transfer_function=True)
    learned = learn(store, maps, name, np.array([[0], [1]]), [1, 2], config, QUICK)
    assert np.isfinite(learned.validation).all() and learned.validation.shape[1] == 2


def test_a_member_that_has_converged_stays_at_its_best():
    store = TinyStore()
    long = learn(
        store,
        maps,
        "reshading",
        np.array([[0], [1]]),
        [1, 2],
        TINY,
        Schedule(batch=4, epochs=12, patience=2, rate=0.02),
    )
    for member, best in enumerate(long.best):
        running = long.validation[: best + 2, member]
        assert (
            running.argmin() + 1 == best
            or long.validation[:best, member].min() == long.validation[best - 1, member]
        )


def test_a_loss_that_is_no_number_is_named():
    def broken(index, split):
        return maps(index, split) * (np.nan if index == 1 else 1.0)

    with pytest.raises(
        Interrupted, match=r"reshading became no number \(members with seeds \[4\]\)"
    ):
        learn(TinyStore(), broken, "reshading", np.array([[0], [1]]), [3, 4], TINY, QUICK)
