"""A bank of made-up codes and networks: what transfers are measured from, without any training."""

import json
from pathlib import Path

import numpy as np
from tiny_store import TinyStore
from transfer_bank import Bank

from models.networks.task_networks.representations import RepresentationStore

GRID = 4


def made_bank(folder: Path, widths: dict[str, int], targets: list[str]) -> Bank:
    """sources of some widths, whose codes know pictures a little, and targets' own networks, of
    which there is no more than what is read of them: addresses and test losses.
    """
    store = TinyStore()
    codes = folder / "representations"
    facts = {}
    for number, (name, width) in enumerate(widths.items()):
        rng = np.random.default_rng(number)
        (codes / name).mkdir(parents=True)
        mix = rng.normal(size=(3, width))
        for split in ("val", "test"):
            images = store.images(split) / 127.5 - 1
            side = images.shape[1] // GRID
            cells = images.reshape(len(images), GRID, side, GRID, side, 3).mean((2, 4))
            noise = rng.normal(size=(*cells.shape[:3], width))
            np.save(codes / name / f"{split}.npy", (cells @ mix + noise).astype("float16"))
        mean, deviation = rng.normal(size=width), rng.uniform(0.5, 2, width)
        facts[name] = {
            "address": f"made up {name}",
            "mean": mean.tolist(),
            "deviation": deviation.tolist(),
        }
    (codes / "representations.json").write_text(json.dumps({"sources": facts}))
    for name in targets:
        network = folder / "networks" / name
        network.mkdir(parents=True)
        (network / "network.json").write_text(json.dumps({"address": f"made up {name}"}))
        np.save(network / "test_losses.npy", np.random.default_rng(0).random(8))
    return Bank(store, RepresentationStore(codes), folder / "networks", folder / "ledger")
