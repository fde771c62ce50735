"""Networks, losses and `fit` run on JAX as they do on TensorFlow."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


def test_every_kind_of_network_trains_on_jax():
    """In a process of its own: a backend is chosen at import. TAXONOMY_JAX_PYTHON names an
    interpreter with JAX where this one has none.
    """
    python = os.environ.get("TAXONOMY_JAX_PYTHON", sys.executable)
    if python == sys.executable and importlib.util.find_spec("jax") is None:
        pytest.skip(
            "JAX is not installed here; TAXONOMY_JAX_PYTHON may name an interpreter that has it"
        )
    script = Path(__file__).with_name("train_on_jax.py")
    process = subprocess.run(
        [python, str(script)],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    rows = [json.loads(line) for line in process.stdout.splitlines()]
    assert len(rows) == 10 and all(
        np.isfinite(row["curve"]).all() and np.isfinite(row["loss"]) for row in rows
    )
