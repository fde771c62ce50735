"""In which order the processes of a stage train its networks."""

import dataclasses

from models.networks.task_networks.ledger import longest_first
from models.tasks import TASKS
from tfx_pipeline.config import laptop, paper


def test_what_is_trained_on_most_samples_begins_first():
    config = dataclasses.replace(
        laptop().network, shares=(("edge_texture", 0.4), ("jigsaw", 2.2), ("normal", 1.4))
    )
    names = ["random_projection", "edge_texture", "class_scene", "keypoints3d", "normal", "jigsaw"]
    assert longest_first(names, config) == [
        "jigsaw",
        "normal",
        "keypoints3d",  # a map, of as many steps as scenes
        "class_scene",
        "edge_texture",
        "random_projection",
    ]


def test_as_many_samples_by_other_batches_are_as_long():
    order = longest_first(list(TASKS), paper().network)
    assert order.index("normal") < order.index("fixated_pose") < order.index("jigsaw")
    assert order[-1] == "random_projection"
