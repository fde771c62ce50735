"""Recipes: what the released configurations say of some tasks, and what all others have."""

import ast
import dataclasses
import inspect

import pytest
from tiny_store import TINY

from models.networks.training import recipes
from models.networks.training.recipes import adversarial, learning_rate, recipe
from models.tasks import TASKS, PublishedRecipe

PUBLISHED = dataclasses.replace(TINY, recipe="published", batch=32, adversarial=True)


def test_what_is_published_of_a_task_stands_in_its_entry_alone():
    """no table of names that a new task would silently be absent from."""
    named = {
        part.value
        for part in ast.walk(ast.parse(inspect.getsource(recipes)))
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }
    assert not named & set(TASKS)
    own = [name for name, entry in TASKS.items() if entry.published_recipe != PublishedRecipe()]
    assert len(own) == 8


def test_a_new_task_is_trained_as_its_entry_says():
    said = PublishedRecipe(1 / 4, 3.0, head_decays_alike=True, clipped=True, constant_rate=True)
    entry = dataclasses.replace(TASKS["class_object"], name="parts", published_recipe=said)
    published = recipe(entry, PUBLISHED)
    decay = PUBLISHED.weight_decay * 3
    assert (published.batch, published.clip_variable) == (8, 1.0)
    assert (published.weight_decay, published.head_decay) == pytest.approx((decay, decay))
    stepped = dataclasses.replace(PUBLISHED, schedule="step")
    assert learning_rate(entry, stepped) == stepped.learning_rate
    with pytest.raises(ValueError, match="a share of 32 in .*; got 2 and 1"):
        PublishedRecipe(batch=2)


def test_the_paper_trains_13_tasks_against_a_discriminator():
    assert len([entry for entry in TASKS.values() if adversarial(entry)]) == 13


@pytest.mark.parametrize(
    "name, batch, decay, clip",
    [
        ("normal", 32, 1, None),
        ("jigsaw", 4, 1, None),
        ("egomotion", 8, 1, None),
        ("class_scene", 32, 5, None),
        ("room_layout", 32, 1, 1.0),
    ],
)
def test_published_batches_decays_and_clips(name, batch, decay, clip):
    published = recipe(TASKS[name], PUBLISHED)
    assert (published.batch, published.clip_variable) == (batch, clip)
    assert published.weight_decay == pytest.approx(PUBLISHED.weight_decay * decay)
    assert published.coupled


def test_published_networks_see_as_many_samples_whatever_their_batch():
    config = dataclasses.replace(PUBLISHED, steps=121_300)
    for entry in TASKS.values():
        published = recipe(entry, config)
        assert published.steps * published.batch == 121_300 * 32


def test_published_dense_heads_decay_by_their_own_default():
    for name, times in (("class_scene", 50), ("egomotion", 50), ("vanishing_point", 1)):
        published = recipe(TASKS[name], PUBLISHED)
        assert published.head_decay == pytest.approx(PUBLISHED.weight_decay * times)
    normal = recipe(TASKS["normal"], PUBLISHED)
    assert normal.head_decay == normal.weight_decay


def test_published_losses_of_classes_are_slims_and_the_shared_ones_are_not():
    counted = [name for name in TASKS if recipe(TASKS[name], PUBLISHED).counted]
    assert counted == ["colorization", "segment_semantic"]
    assert not any(recipe(entry, TINY).counted for entry in TASKS.values())


def test_a_task_that_no_configuration_names_has_the_usual_recipe():
    entry = dataclasses.replace(TASKS["normal"], name="glossiness")
    assert recipe(entry, PUBLISHED) == recipe(TASKS["normal"], PUBLISHED)


def test_the_shared_recipe_is_one_for_all_but_for_their_share_of_the_steps():
    shared = dataclasses.replace(TINY, recipe="shared", steps=100, shares=(("normal", 0.5),))
    assert recipe(TASKS["normal"], shared).steps == 50
    assert recipe(TASKS["reshading"], shared).steps == 100
