"""The affinity store's raw material: the loss of every transfer on every image of a common test set, columnar, append-only.

One folder a target: `images.json` (the test set, hashed) and one `.npy` row a transfer with its description beside it. One writer, many readers:
files appear whole (renamed when complete) and never change.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.taxonomy.transfer import Transfer


@dataclass(frozen=True)
class TransferLosses:
    """transfers into one target; images: names of the test samples; losses [transfer, image] float32, finite and not negative."""

    transfers: tuple[Transfer, ...]
    images: tuple[str, ...]
    losses: np.ndarray

    def __post_init__(self) -> None:
        if self.losses.shape != (len(self.transfers), len(self.images)):
            raise ValueError(f"losses are [{len(self.transfers)} transfers, {len(self.images)} images], got {self.losses.shape}")
        if len({transfer.target for transfer in self.transfers}) > 1:
            raise ValueError(f"a tournament has one target, got {sorted({transfer.target for transfer in self.transfers})}")
        if len(set(self.transfers)) != len(self.transfers):
            twice = next(transfer for i, transfer in enumerate(self.transfers) if transfer in self.transfers[:i])
            raise ValueError(f"transfer {twice} stands twice in a tournament")
        check_losses(self.losses, "losses")


def check_losses(values: np.ndarray, name: str) -> None:
    """ValueError for NaN, infinite or negative losses: they would win or lose every comparison for no reason."""
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: {int((~np.isfinite(values)).sum())} of {values.size} losses are not finite; measure this transfer again")
    if values.size and values.min() < -1e-6:
        raise ValueError(f"{name}: losses are not negative, got {values.min()}")


class LossStore:
    """The store at `directory`, made when first written to."""

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)

    def set_images(self, target: str, names: Sequence[str]) -> None:
        """fix the test set of `target`; a different one later is refused, since losses of different images do not compare."""
        path, text = self.directory / target / "images.json", json.dumps(list(names))
        if path.exists():
            if path.read_text() != text:
                raise ValueError(f"the test set of {target} is another one ({len(names)} images now); start a new store for new test data")
            return
        if len(set(names)) != len(names) or not names:
            raise ValueError(f"the test set of {target} holds distinct images, got {len(names)} names of which {len(set(names))} differ")
        write(path, text.encode())

    def targets(self) -> list[str]:
        return sorted(path.parent.name for path in self.directory.glob("*/images.json"))

    def append(self, transfer: Transfer, losses: np.ndarray) -> None:
        """add one row. The same transfer again is refused unless its losses are the same."""
        folder, losses = self.directory / transfer.target, np.asarray(losses, "float32").ravel()
        if not (folder / "images.json").exists():
            raise ValueError(f"name the test set of {transfer.target} first: set_images(target, names)")
        count = len(json.loads((folder / "images.json").read_text()))
        if len(losses) != count:
            raise ValueError(f"{transfer}: {len(losses)} losses for {count} test images; every transfer is measured on all of them")
        check_losses(losses, str(transfer))
        facts = {"sources": transfer.sources, "regime": transfer.regime, "control": transfer.control}
        stem = folder / hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:20]
        if stem.with_suffix(".json").exists():
            if not np.array_equal(np.load(stem.with_suffix(".npy")), losses):
                raise ValueError(f"{transfer} is in the store with other losses; a store only grows, start a new one for new measurements")
            return
        scratch = stem.with_name(f".{stem.name}.{os.getpid()}.npy")
        np.save(scratch, losses)
        os.replace(scratch, stem.with_suffix(".npy"))
        write(stem.with_suffix(".json"), json.dumps(facts).encode())  # last: a row without description does not exist

    def read(self, target: str) -> TransferLosses:
        """all rows of one target. Raises LookupError if there is none."""
        folder = self.directory / target
        rows = sorted(path for path in folder.glob("*.json") if path.name != "images.json")
        if not rows:
            raise LookupError(f"no transfers into {target!r} in {self.directory}; there are targets {', '.join(self.targets()) or '(none)'}")
        facts = [json.loads(path.read_text()) for path in rows]
        transfers = tuple(Transfer(tuple(fact["sources"]), target, fact["regime"], fact["control"]) for fact in facts)
        images = tuple(json.loads((folder / "images.json").read_text()))
        return TransferLosses(transfers, images, np.stack([np.load(path.with_suffix(".npy")) for path in rows]))


def write(path: Path, data: bytes) -> None:
    """atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_bytes(data)
    os.replace(scratch, path)
