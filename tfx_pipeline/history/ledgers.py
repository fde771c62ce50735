"""What a run added to the ledgers below RUN/work: compared before and after, so that what a killed
run had finished counts as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

NETWORKS = Path("work") / "networks"
TRANSFERS = Path("work") / "transfers"
SEGMENTS = "*/segment-*.npz"


@dataclass(frozen=True)
class Ledgers:
    """What a run's ledgers hold at one moment. networks: task -> address of its network. segments:
    files of measured losses, below the ledger of transfers.
    """

    networks: dict[str, str]
    segments: frozenset[str]


def ledgers_of(run: Path) -> Ledgers:
    """Returns what the ledgers of a run hold now."""
    transfers = run / TRANSFERS
    return Ledgers(
        {
            path.parent.name: record_field(path, "address")
            for path in sorted((run / NETWORKS).glob("*/network.json"))
        },
        frozenset(str(path.relative_to(transfers)) for path in transfers.glob(SEGMENTS)),
    )


def record_field(path: Path, name: str) -> str:
    """Returns a field of a network's record; "" where it has none, or cannot be read."""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))[name] or "")
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def trained_since(before: Ledgers, after: Ledgers) -> tuple[str, ...]:
    """Returns the tasks whose network is another than it was."""
    # by address: a network that was trained to the same end counts as none
    return tuple(
        name for name, address in after.networks.items() if before.networks.get(name) != address
    )


def warm_among(run: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Returns those of the tasks whose network in the ledger began from another one."""
    return tuple(
        name for name in names if record_field(run / NETWORKS / name / "network.json", "start")
    )


def measured_since(run: Path, before: Ledgers, after: Ledgers) -> int:
    """Returns how many rows of losses (transfers, and their controls) are in files that were not
    there before.
    """
    # a segment is written once and never changed
    return sum(rows_in(run / TRANSFERS / name) for name in after.segments - before.segments)


def rows_in(segment: Path) -> int:
    """Returns how many rows of losses a file holds; 0 where it cannot be read: whoever uses it says
    so.
    """
    try:
        with np.load(segment) as file:
            # keys alone: losses of all test pictures need not be read
            return len(json.loads(str(file["keys"])))
    except (OSError, ValueError, KeyError):
        return 0
