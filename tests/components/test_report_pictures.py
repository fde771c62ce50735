"""Pictures of a report that are not a map."""

import numpy as np
import pytest

from components.report_pictures import sample_row, shown_unit, unshuffle
from models.networks.predictions.samples import TaskAnswers
from models.networks.training.inputs import tiles
from models.tasks import TASKS
from models.tasks.labels.permutations import permutation_set

WHITENED = [entry.name for entry in TASKS.values() if entry.whitened]


def test_jigsaw_by_its_label_is_the_picture_again():
    """tiles are cropped a little, so that the picture comes back nearly."""
    y, x = np.indices((90, 90)) / 90
    picture = np.stack([y, x, 1 - x], -1).astype("float32")
    value = np.zeros(100, "float32")
    value[7] = 1
    shuffled = tiles(picture[None], np.array([7]), np.random.default_rng(0), 30)[0]
    in_rows = np.concatenate([np.concatenate(list(shuffled[i : i + 3]), 1) for i in (0, 3, 6)])
    assert list(permutation_set(100)[7]) != list(range(9))
    assert np.abs(unshuffle(in_rows, value) - picture).max() < 0.05
    other = np.roll(value, 1)
    assert np.abs(unshuffle(in_rows, other) - picture).max() > 0.3


@pytest.mark.parametrize("name", WHITENED)
def test_numbers_stand_in_the_units_of_their_names(tmp_path, name):
    """label, own and served answer: what the network gives is whitened by the store's numbers."""
    entry = TASKS[name]
    metric = np.arange(1.0, entry.output.channels + 1)
    mean, deviation = metric / 4, metric / 8
    whitened = ((metric - mean) / deviation).astype("float32")
    views = np.zeros((1, entry.images, 8, 8, 3), "uint8")
    shown = TaskAnswers(entry, views, views[:, 0], whitened[None], 2 * whitened[None])
    cells = sample_row(str(tmp_path), shown, 0, whitened, (mean, deviation))[1:]
    told = [[float(line.rsplit(" ", 1)[1]) for line in cell["words"]] for cell in cells]
    assert [cell["name"] for cell in cells] == ["label", "own network", "served"]
    for numbers, expected in zip(told, (metric, 2 * metric - mean, metric)):
        assert numbers == pytest.approx(expected, abs=0.006)
    assert "whitened" not in shown_unit(entry) and shown_unit(entry)
