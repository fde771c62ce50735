"""A caption names the unit that the picture shows, not the one that the network answers in."""

import pytest

from models.reports.legends import legend_words
from models.tasks import TASKS


@pytest.mark.parametrize(
    "name, words",
    [
        ("depth_zbuffer", "metres"),
        ("depth_euclidean", "metres"),
        ("edge_texture", "magnitude, 0 to 0.08"),
        ("reshading", "brightness, 0 to 1"),
        ("autoencoding", "image in [-1, 1]"),
    ],
)
def test_a_caption_names_the_unit_of_the_picture(name, words):
    assert legend_words(name, TASKS[name].unit) == words


def test_signs_of_curvature_are_told():
    assert "red convex" in legend_words("principal_curvature", "code")


def test_a_name_that_is_no_task_keeps_its_note():
    assert legend_words("stranger", "as it is") == "as it is"
