"""Mirrored, relit and newly shuffled samples: labels go with their pictures, and the same generator
gives the same batch.
"""

import numpy as np
import pytest
from synthetic import draws
from tiny_store import TinyStore

from models.networks.training.augmentation import (
    apply_tables,
    augment_batch,
    relight,
    shift_pictures,
)
from models.tasks import TASKS
from models.tasks.mirror import reversed_views
from models.tasks.targets import target as target_of

TRAINED = [name for name, entry in TASKS.items() if entry.trained]


def batch(name):
    store = TinyStore()
    data = store.samples(name, "train")
    return (
        store.images("train")[data.views],
        np.asarray(data.target, "float32"),
        np.asarray(data.mask, "float32"),
        store.whitening(name),
    )


@pytest.mark.parametrize("name", TRAINED)
def test_shapes_stay_and_the_same_generator_gives_the_same_batch(name):
    images, target, mask, whitening = batch(name)
    first, again = (
        augment_batch(TASKS[name], images, target, mask, whitening, np.random.default_rng(3))
        for _ in range(2)
    )
    assert [part.shape for part in first] == [images.shape, target.shape, mask.shape] and first[
        0
    ].dtype == np.uint8
    for one, other in zip(first, again):
        np.testing.assert_array_equal(one, other)
    assert any((one != other).any() for one, other in zip(first, (images, target, mask)))


def test_a_picture_and_its_maps_are_mirrored_together():
    images, target, mask, whitening = batch("autoencoding")
    pictures, label, _ = augment_batch(
        TASKS["autoencoding"], images, target, mask, whitening, np.random.default_rng(0)
    )
    turned = (pictures != images).any((1, 2, 3, 4))
    assert 0 < turned.sum() < len(images)
    np.testing.assert_allclose(label, pictures[:, 0] / 127.5 - 1, atol=1e-6)


def test_light_changes_neither_geometry_labels_nor_tasks_about_colour():
    images, target, mask, whitening = batch("depth_zbuffer")
    pictures, label, _ = augment_batch(
        TASKS["depth_zbuffer"], images, target, mask, whitening, np.random.default_rng(0)
    )
    upright = (label == target).all((1, 2, 3))
    assert upright.any() and (pictures[upright] != images[upright]).any()
    colours = augment_batch(
        TASKS["keypoints2d"], images, target, mask, whitening, np.random.default_rng(0)
    )[0]
    assert all(
        (picture == given).all() or (picture == given[:, :, ::-1]).all()
        for picture, given in zip(colours, images)
    )


def test_relit_pictures_keep_the_order_of_brightness():
    ramp = np.broadcast_to(
        np.arange(0, 256, 4, dtype="uint8")[None, None, None, :, None], (5, 1, 64, 64, 3)
    )
    made = relight(ramp, np.random.default_rng(1))
    assert (np.diff(made.astype(int), axis=3) >= 0).all() and len(
        np.unique(made[:, 0, 0, 32, 0])
    ) > 1


@pytest.mark.parametrize("name", [name for name in TRAINED if TASKS[name].images > 1])
def test_views_in_reverse_order_have_the_label_of_that_order(name):
    views = TinyStore().made[: TASKS[name].images]
    forth, back = (target_of(TASKS[name], order, draws)[0] for order in (views, views[::-1]))
    np.testing.assert_allclose(
        reversed_views(TASKS[name], forth.astype("float64")), back, atol=1e-4
    )
    assert name == "point_matching" or np.abs(forth - back).max() > 0.01


def test_views_of_a_sample_keep_one_light():
    images, target, mask, whitening = batch("point_matching")
    images[:, 1] = images[:, 0]
    pictures = augment_batch(
        TASKS["point_matching"], images, target, mask, whitening, np.random.default_rng(0)
    )[0]
    np.testing.assert_array_equal(pictures[:, 0], pictures[:, 1])
    assert (
        len(
            np.unique(
                relight(np.full((9, 2, 4, 4, 3), 100, "uint8"), np.random.default_rng(0))[
                    :, 0, 0, 0, 0
                ]
            )
        )
        > 4
    )


def test_the_jigsaw_is_shuffled_anew():
    images, target, mask, whitening = batch("jigsaw")
    label = augment_batch(
        TASKS["jigsaw"], images, target, mask, whitening, np.random.default_rng(9)
    )[1]
    assert (label.sum(1) == 1).all() and (label != target).any()


def test_pictures_with_a_class_are_moved_by_a_tenth_of_the_side_at_most():
    columns = np.broadcast_to(np.arange(40, dtype="uint8")[:, None], (30, 1, 40, 40, 3))
    pictures = shift_pictures(columns, np.random.default_rng(0))
    moves = pictures[:, 0, 20, 20, 0].astype(int) - 20
    assert pictures.shape == columns.shape and moves.min() == -4 and moves.max() == 4


def test_light_is_looked_up_colour_by_colour():
    draw = np.random.default_rng(0)
    views = draw.integers(256, size=(2, 5, 7, 3), dtype="uint8")
    table = draw.integers(256, size=(256, 3), dtype="uint8")
    expected = np.stack([table[:, c][views[..., c]] for c in range(3)], -1)
    np.testing.assert_array_equal(apply_tables(views, table), expected)
