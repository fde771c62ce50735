"""One procedural building to make, and the part of one that a process makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beam_jobs.annotate import staging

# Version of the generator: raise it when the same seed gives other pixels.
GENERATOR = 10


@dataclass(frozen=True)
class BuildingJob:
    """One building to make below `root`. number: its seed; views: about how many; size: pixels."""

    root: Path
    number: int
    views: int
    size: int

    @property
    def name(self) -> str:
        return f"procedural{self.number:05d}"

    @property
    def folder(self) -> Path:
        return self.root / self.name

    def parameters(self) -> dict[str, Any]:
        """Returns the parameters that decide every pixel."""
        return {
            "generator": GENERATOR,
            "seed": self.number,
            "asked": self.views,
            "size": self.size,
        }

    def complete(self) -> bool:
        """Returns whether the building is there, made with the same parameters."""
        facts = staging.described(self.folder)
        # without the number of views that came out, which no parameter fixes
        return {key: facts[key] for key in facts if key != "views"} == self.parameters()


@dataclass(frozen=True)
class Part:
    """Every `of`-th view of a building, from the `first`-th on, for one process to write into
    `folder`.
    """

    job: BuildingJob
    folder: Path
    first: int
    of: int
