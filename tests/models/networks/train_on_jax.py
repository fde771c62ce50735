"""Run by test_jax.py with KERAS_BACKEND=jax: one network of each output kind, one adversarial, one
in bfloat16, trains some steps; prints their losses.
"""

import dataclasses
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "fixtures" / "data")]
import keras  # noqa: E402
from tiny_store import TINY, TinyStore  # noqa: E402

from models.networks.task_networks.train import train_task  # noqa: E402
from models.tasks import TASKS  # noqa: E402

ADVERSARIAL = {"recipe": "published", "schedule": "step", "adversarial": True, "warm_up": 2}
RUNS = {
    "normal": {},
    "segment_unsup2d": {},
    "segment_semantic": {},
    "class_scene": {},
    "room_layout": {},
    "egomotion": {},
    "jigsaw": {},
    "colorization": ADVERSARIAL,
    "reshading": {"precision": "mixed_bfloat16"},
    "depth_zbuffer": ADVERSARIAL,
}

assert keras.backend.backend() == "jax"
with tempfile.TemporaryDirectory() as folder:
    for name, change in RUNS.items():
        record = train_task(
            TinyStore(),
            Path(folder) / name,
            TASKS[name],
            dataclasses.replace(TINY, steps=6, **change),
        )
        print(
            json.dumps({"task": name, "loss": record["loss"], "curve": record["curve"]}), flush=True
        )
