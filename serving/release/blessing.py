"""What the gate says of a candidate's server, as a value and as `blessing.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from models.provenance.atomic import write_json

BLESSING = "blessing.json"


@dataclass(frozen=True)
class Blessing:
    """The verdict of the gate. ok: whether the candidate may be pushed. reasons: why not, in words,
    empty if it may. figures: what was measured, by its name in words, with the unit.
    """

    ok: bool
    reasons: tuple[str, ...]
    figures: dict[str, float] = field(default_factory=dict)


def save_blessing(folder: str | Path, blessing: Blessing) -> None:
    """Writes `blessing.json` into `folder`: {"ok", "reasons", "figures"}."""
    write_json(Path(folder) / BLESSING, asdict(blessing), indent=1)


def read_figures(folder: str | Path) -> dict[str, float]:
    """Returns the figures of the `blessing.json` in `folder`. Raises FileNotFoundError where there
    is none.
    """
    figures: dict[str, float] = json.loads((Path(folder) / BLESSING).read_text())["figures"]
    return figures
