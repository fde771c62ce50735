"""Several devices learn what one learns, on both backends."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.networks.training.devices import devices_sharing


def test_the_most_devices_that_divide_a_batch_share_it():
    assert [devices_sharing(32, devices) for devices in (1, 2, 3, 8, 40)] == [1, 2, 2, 8, 32]
    assert devices_sharing(7, 4) == 1


def losses_on(backend: str, python: str) -> dict[str, list[dict]]:
    """what train_on_devices.py says of a backend, in a process of its own, since backend and
    devices are chosen once: what was trained -> on one device, on two.
    """
    script = Path(__file__).with_name("train_on_devices.py")
    process = subprocess.run(
        [python, str(script)],
        env={**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    rows: dict[str, list[dict]] = {}
    for line in process.stdout.splitlines():
        row = json.loads(line)
        rows.setdefault(row["what"], []).append(row)
    (error,) = rows.pop("error")
    assert error["said"].startswith("devices is 4, but") and "sees 3 here" in error["said"]
    return rows


def check(rows: dict[str, list[dict]]) -> None:
    for name, (one, two) in rows.items():
        np.testing.assert_allclose(two["losses"], one["losses"], rtol=1e-3, atol=1e-5, err_msg=name)


def test_two_devices_of_tensorflow_learn_what_one_learns():
    rows = losses_on("tensorflow", sys.executable)
    assert [row["samples"] for row in rows["normal"]] == [4, 2]
    check(rows)


def test_two_devices_of_jax_learn_what_one_learns():
    """TAXONOMY_JAX_PYTHON names an interpreter with JAX where this one has none."""
    python = os.environ.get("TAXONOMY_JAX_PYTHON", sys.executable)
    if python == sys.executable and importlib.util.find_spec("jax") is None:
        pytest.skip(
            "JAX is not installed here; TAXONOMY_JAX_PYTHON may name an interpreter that has it"
        )
    rows = losses_on("jax", python)
    assert set(rows) == {"normal", "class_scene", "transfers"}
    assert [row["shared"] for row in rows["transfers"]] == [1, 2]
    check(rows)
