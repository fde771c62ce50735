"""A data set need not hold every label: the tasks that it lacks are left out before anything is
trained.
"""

import shutil

from published_set import BUILDINGS, write_set

from beam_jobs.ingest.job import ingest
from components.ledger import trainable
from models.examples.label_store import build_label_store
from models.tasks import TASKS


def test_tasks_without_labels_are_left_out_and_untrained_ones_kept(tmp_path):
    data = write_set(tmp_path / "data")
    for building in BUILDINGS:
        shutil.rmtree(data / building / "class_object")
    shutil.rmtree(data / BUILDINGS[0] / "class_scene")  # one split of three lacks it
    ingest(str(data), str(tmp_path / "out"), size=32, shards=1)
    store = build_label_store(str(tmp_path / "out"), tmp_path / "store", seed=0, max_samples=20)
    kept = trainable(store, list(TASKS))
    assert set(TASKS) - set(kept) == {
        "class_object",
        "class_scene",
        "nonfixated_pose",
    }  # no view of this set sees another's point
    assert not TASKS["random_projection"].trained and "random_projection" in kept
