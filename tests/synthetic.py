"""Tiny made-up views and cameras that many tests share."""

import numpy as np

from models.tasks import DOMAINS, Camera, View, ViewKey
from models.tasks.view import rotation_from_euler

SIZE = 32


def camera(seed: int) -> Camera:
    rng = np.random.default_rng(seed)
    return Camera(
        rng.uniform([0.5, 0.5, 1.2], [3.5, 2.5, 1.8]),
        rotation_from_euler(np.pi / 2 + rng.uniform(-0.2, 0.2), 0, rng.uniform(-3, 3)),
        1.1,
        np.array([[0, 4], [0, 3], [0, 2.5]]),
        np.array([2, 1, 1.0]),
    )


def view(seed: int) -> View:
    """a view of random codes, legal in every domain."""
    rng, labels = np.random.default_rng(seed), {}
    for folder, domain in DOMAINS.items():
        if domain.file == "png" and folder != "rgb":
            shape = (SIZE, SIZE) + ((domain.channels,) if domain.channels > 1 else ())
            deepest = 10_000 if folder.startswith("depth") else 60_000  # a room, not a landscape
            labels[folder] = rng.integers(0, min(domain.high, deepest) + 1, shape).astype(
                domain.dtype
            )
    labels["class_object"] = rng.normal(size=1000).astype("float32")
    labels["class_scene"] = rng.dirichlet(np.ones(365)).astype("float32")
    return View(
        ViewKey("house", 3, seed),
        rng.integers(0, 256, (SIZE, SIZE, 3), dtype="uint8"),
        camera(seed),
        labels,
    )


def draws() -> np.random.Generator:
    """the random numbers of a target: the same whenever they are asked for."""
    return np.random.default_rng(0)
