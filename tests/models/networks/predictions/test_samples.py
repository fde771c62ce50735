"""A few test samples beside the answers of their networks."""

import numpy as np
from synthetic_policy import write_networks
from tiny_store import TINY, TinyStore

from models.networks.predictions.samples import answers_of, sample_answers
from models.networks.task_networks.build import load_task_network

# They share an encoder: a map, a pair of views, tiles.
NAMES = ("normal", "fixated_pose", "jigsaw")


def test_networks_that_share_an_encoder_answer_as_they_do_alone(tmp_path):
    store = TinyStore()
    write_networks(tmp_path, NAMES, TINY, store.size)
    seen = []
    for shown in sample_answers(tmp_path, store, 2):
        alone = answers_of(load_task_network(tmp_path / shown.task.name), store, 2)
        np.testing.assert_allclose(shown.answer, alone.answer, rtol=1e-5, atol=1e-6)
        assert len(shown.views) == len(shown.target) == 2 and shown.answer.std() > 0
        seen.append(shown.task.name)
    assert set(seen) == set(NAMES)
