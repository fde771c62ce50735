"""Stores what affinities are made from: the loss of every transfer on every image of a common test
set, append-only.

Each target has one folder with `images.json` (the test set) and segments. A segment is a `.npy`
[transfer, image] float32 and a `.json` of the same name that describes its transfers. A lock admits
one writer at a time; any number may read, because files appear whole (renamed when complete), a
segment's description last, and never change.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.provenance.atomic import atomic_path, write_text
from models.tasks.arrays import Floats
from models.taxonomy.facts import Facts
from models.taxonomy.tournament.loss_rows import FLOAT, HELD, Losses, Place, StoredLosses, place_of
from models.taxonomy.transfer import Transfer


@dataclass(frozen=True)
class TransferLosses:
    """The losses of transfers into one target. images: names of the test samples. losses:
    [transfer, image] float32, finite and not negative, in memory or in the store's files
    (`loss_rows`).
    """

    transfers: tuple[Transfer, ...]
    images: tuple[str, ...]
    losses: Losses

    def __post_init__(self) -> None:
        if self.losses.shape != (len(self.transfers), len(self.images)):
            raise ValueError(
                f"losses are [{len(self.transfers)} transfers, {len(self.images)} images], "
                f"got {self.losses.shape}"
            )
        # losses of different targets do not compare
        if len({transfer.target for transfer in self.transfers}) > 1:
            raise ValueError(
                "a tournament has one target, got "
                f"{sorted({transfer.target for transfer in self.transfers})}"
            )
        if len(set(self.transfers)) != len(self.transfers):
            twice = next(
                transfer
                for i, transfer in enumerate(self.transfers)
                if transfer in self.transfers[:i]
            )
            raise ValueError(f"transfer {twice} stands twice in a tournament")
        if not isinstance(self.losses, StoredLosses):  # stored losses were checked when added
            check_losses(self.losses, "losses")


def check_losses(values: Floats, name: str) -> None:
    """Raises ValueError for NaN, infinite or negative losses [...], which would win or lose every
    comparison for no reason.
    """
    if not np.isfinite(values).all():
        raise ValueError(
            f"{name}: {int((~np.isfinite(values)).sum())} of {values.size} losses are not "
            "finite; measure this transfer again"
        )
    # rounding may take a loss of 0 slightly below 0
    if values.size and values.min() < -1e-6:
        raise ValueError(f"{name}: losses are not negative, got {values.min()}")


class LossStore:
    """The store at `directory`, which is made on the first write."""

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)

    def set_images(self, target: str, names: Sequence[str]) -> None:
        """Sets the test set of `target` for good. Raises ValueError if the target has another test
        set already, because losses of different images do not compare; also for a target that is no
        valid folder name, and for a test set that is empty or has a name twice.
        """
        # such a target would be written outside its folder
        if target in ("", ".", "..") or "/" in target:
            raise ValueError(
                f"a target is called as a folder can be, without a slash; got {target!r}"
            )
        path = self.directory / target / "images.json"
        # compared as text, because the order of images is part of the test set
        text = json.dumps(list(names))
        if path.exists():
            if path.read_text() != text:
                raise ValueError(
                    f"the test set of {target} is another one ({len(names)} images now); "
                    "start a new store for new test data"
                )
            return
        if len(set(names)) != len(names) or not names:
            raise ValueError(
                f"the test set of {target} holds distinct images, got {len(names)} names of "
                f"which {len(set(names))} differ"
            )
        write_text(path, text)

    def targets(self) -> list[str]:
        return sorted(path.parent.name for path in self.directory.glob("*/images.json"))

    def images(self, target: str) -> list[str]:
        """Returns the names of a target's test set. Raises LookupError for a target without one."""
        path = self.directory / target / "images.json"
        if not path.exists():
            raise LookupError(
                f"no test set of {target!r} in {self.directory}; there are targets "
                f"{', '.join(self.targets()) or '(none)'}"
            )
        return json.loads(path.read_text())

    def append(
        self, transfer: Transfer, losses: Floats | Mapping[str, float], *, address: str = ""
    ) -> None:
        """Adds the losses [image] of one transfer; see `extend`."""
        self.extend({transfer: losses}, address=address)

    def extend(
        self, rows: Mapping[Transfer, Floats | Mapping[str, float]], *, address: str = ""
    ) -> None:
        """Adds transfers into one target as one segment. Losses are [image] in the order of the
        test set, or a mapping image name -> loss.

        address: content address of what was measured (networks, settings, data manifest). A
        transfer that is in the store already is refused unless its address and losses are the same.
        Raises ValueError for that, and for losses that are not finite, are negative, or are missing
        for an image.
        """
        targets = {transfer.target for transfer in rows}
        if len(targets) != 1:
            raise ValueError(
                f"a segment holds transfers into one target, got {sorted(targets) or 'none'}"
            )
        target = targets.pop()
        if not (self.directory / target / "images.json").exists():
            raise ValueError(f"name the test set of {target} first: set_images(target, names)")
        names = self.images(target)
        # before the lock, so that wrong input makes no other writer wait
        checked = {transfer: aligned(transfer, losses, names) for transfer, losses in rows.items()}
        # the stored rows must not change between the check and the write
        with locked(self.directory / target / ".lock"):
            # rows that are stored already are left out, so that the call of a killed writer may be
            # repeated
            earlier = {transfer_of(fact, target): fact for fact in self._facts(target)}
            lacking = {
                transfer: row
                for transfer, row in checked.items()
                if not same(transfer, row, address, earlier.get(transfer))
            }
            if lacking:
                self._write_segment(target, lacking, address)

    def _write_segment(self, target: str, rows: Mapping[Transfer, Floats], address: str) -> None:
        """Writes the losses and then their description: a segment without a description does not
        count.
        """
        facts = [
            {
                "sources": transfer.sources,
                "regime": transfer.regime,
                "control": transfer.control,
                "address": address,
                "sha256": digest(row),
            }
            for transfer, row in rows.items()
        ]
        text = json.dumps(facts)
        name = hashlib.sha256(text.encode()).hexdigest()[:20]
        description = self.directory / target / f"segment-{name}.json"
        # losses first, because a segment counts only with its description
        with atomic_path(description.with_suffix(".npy")) as scratch:
            np.save(scratch, np.stack(list(rows.values())))
        write_text(description, text)

    def _segments(self, target: str) -> list[Path]:
        return sorted((self.directory / target).glob("segment-*.json"))

    def _facts(self, target: str) -> list[Facts]:
        return facts_of(self._segments(target))

    def address(self, target: str) -> str:
        """Returns a hash of the test set and of all rows, whichever segments hold them: an equal
        address means an equal tournament.
        """
        # sorted by content, because segments depend on who wrote when
        facts = sorted(json.dumps(fact, sort_keys=True) for fact in self._facts(target))
        return hashlib.sha256(json.dumps([self.images(target), facts]).encode()).hexdigest()

    def read(self, target: str) -> TransferLosses:
        """Returns all rows of one target, in an order that does not depend on how they were added.
        More than `HELD` bytes of losses stay in their files. Raises LookupError if there are none.
        """
        names = tuple(self.images(target))
        segments = self._segments(target)  # listed once, because a writer may add one meanwhile
        facts = facts_of(segments)
        if not facts:
            raise LookupError(
                f"no transfers into {target!r} in {self.directory}; measure transfers into it first"
            )
        transfers = [transfer_of(fact, target) for fact in facts]
        # sorted, so that results do not depend on who measured first
        order = sorted(range(len(facts)), key=lambda i: rank_of(transfers[i]))
        if len(facts) * len(names) * FLOAT > HELD:
            places = places_in(segments)
            stored = StoredLosses(tuple(places[i] for i in order), len(names))
            return TransferLosses(tuple(transfers[i] for i in order), names, stored)
        losses = np.empty((len(facts), len(names)), "float32")
        rank = {row: place for place, row in enumerate(order)}
        row = 0
        for path in segments:
            # reads one row at a time, so that no segment is held in memory
            for values in np.load(path.with_suffix(".npy"), mmap_mode="r"):
                losses[rank[row]] = values
                row += 1
        return TransferLosses(tuple(transfers[i] for i in order), names, losses)


def rank_of(transfer: Transfer) -> tuple[str, str, int, tuple[str, ...]]:
    """Returns the key by which a store's rows are sorted."""
    return transfer.regime, transfer.control or "", transfer.order, transfer.sources


def places_in(segments: Sequence[Path]) -> list[Place]:
    """Returns where the rows of segments begin."""
    places = []
    for path in segments:
        file = path.with_suffix(".npy")
        first = place_of(file, 0)
        row_bytes = place_of(file, 1).offset - first.offset
        count = len(json.loads(path.read_text()))
        places += [Place(file, first.offset + row * row_bytes) for row in range(count)]
    return places


def facts_of(segments: Sequence[Path]) -> list[Facts]:
    return [fact for path in segments for fact in json.loads(path.read_text())]


def transfer_of(fact: Facts, target: str) -> Transfer:
    return Transfer(tuple(fact["sources"]), target, fact["regime"], fact["control"])


def same(transfer: Transfer, row: Floats, address: str, fact: Facts | None) -> bool:
    """Returns whether this row [image] is in the store already. Raises ValueError if the transfer
    is there with other losses or another address.
    """
    if fact is None:
        return False
    if fact["sha256"] != digest(row):
        raise ValueError(
            f"{transfer} is in the store with other losses; a store only grows, start a new "
            "one for new measurements"
        )
    if fact["address"] != address:
        raise ValueError(
            f"{transfer} was measured from other networks or data (address "
            f"{fact['address']!r}, now {address!r}); start a new store"
        )
    return True


def aligned(
    transfer: Transfer, losses: Floats | Mapping[str, float], names: Sequence[str]
) -> Floats:
    """Returns losses as [image] float32 in the order of `names`. Raises ValueError that names the
    missing images.
    """
    if isinstance(losses, Mapping):
        missing = [name for name in names if name not in losses]
        strange = sorted(set(losses) - set(names))
        if missing or strange:
            raise ValueError(
                f"{transfer}: every transfer is measured on the same {len(names)} test "
                f"images; {len(missing)} are missing ({', '.join(missing[:3])}"
                f"{', ...' if len(missing) > 3 else ''}), {len(strange)} are not in the test "
                f"set ({', '.join(strange[:3])})"
            )
        losses = np.array([losses[name] for name in names])
    # float32, because digests are over these bytes
    values = np.ascontiguousarray(np.asarray(losses, "float32").ravel())
    if len(values) != len(names):
        raise ValueError(
            f"{transfer}: {len(values)} losses for {len(names)} test images; every transfer "
            "is measured on all of them"
        )
    check_losses(values, str(transfer))
    return values


def digest(row: Floats) -> str:
    """Returns the SHA-256 of the bytes of a row [image]."""
    return hashlib.sha256(row.tobytes()).hexdigest()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock of one target's writer while the context is open; other writers wait."""
    # The lock file is never removed: otherwise a waiting writer could lock a deleted file. The
    # kernel releases the lock of a killed writer.
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
