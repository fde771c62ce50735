"""The result of one check of a gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Check:
    """One thing that a gate looked at. said: what was found, in words; figures: numbers behind it,
    by name.
    """

    name: str
    passed: bool
    said: str
    figures: Mapping[str, float] = field(default_factory=dict)
