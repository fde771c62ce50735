"""A transfer: one target learned from the frozen representations of one or more sources. Controls
of the same tournament have the same type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CONTROLS = ("supervised", "share", "scratch", "pixels", "average")
# The amount of a supervised network of a share of the labels, as losses are stored
# (`models.networks.transfers.results.share_regime`).
SHARE = re.compile(r"(\d+) train views")


@dataclass(frozen=True)
class Transfer:
    """One transfer or control. sources: names in the order of concatenation, empty for controls.
    regime: name of the amount of data, "" if there is only one; of a supervised network "" for all
    labels, else the amount of them, with which it takes part in no tournament.

    control: None for a transfer; "supervised" for the target's own fully supervised network,
    "share" in a table for the same network taught by a share of these labels (regime: how many),
    "scratch" for the same network trained from scratch on the few labels of a transfer, "pixels"
    for a readout of pixels averaged to the representations' grid, "average" for the best constant
    of the same labels.
    """

    sources: tuple[str, ...]
    target: str
    regime: str = ""
    control: str | None = None

    def __post_init__(self) -> None:
        # not a list, which is not hashable, nor a text, which is a sequence of letters
        if not isinstance(self.sources, tuple) or not all(
            isinstance(name, str) and name for name in self.sources
        ):
            raise ValueError(f"a transfer's sources are a tuple of names, got {self.sources!r}")
        if not isinstance(self.target, str) or not self.target:
            raise ValueError(f"a transfer's target is a name, got {self.target!r}")
        if self.control not in (None, *CONTROLS):
            raise ValueError(f"a control is one of {', '.join(CONTROLS)}; got {self.control!r}")
        # one that has neither sources nor a control, or both, cannot take part in a tournament
        if (self.control is None) == (not self.sources):
            raise ValueError(
                f"a transfer into {self.target} has sources and a control has none; got "
                f"sources {self.sources}, control {self.control!r}"
            )
        if self.control == "share" and self.share_views is None:
            raise ValueError(
                f"a share's amount is how many labels taught it, such as '1575', got "
                f"{self.regime!r}"
            )
        # the same representation twice adds nothing
        if len(set(self.sources)) != len(self.sources):
            raise ValueError(f"a source stands once in a transfer, got {self.sources}")

    @property
    def order(self) -> int:
        """The number of sources; 0 for a control."""
        return len(self.sources)

    @property
    def own_encoder(self) -> bool:
        """Whether the target is among its own sources."""
        # of any order: a pair that includes the target's own encoder has seen the target's labels,
        # too
        return self.target in self.sources

    @property
    def share_views(self) -> int | None:
        """How many train views taught this network of a share of its labels; None for all others.
        A run's losses name it as a supervised network; losses of others may say "share".
        """
        if self.control == "share" and self.regime.isdecimal():
            return int(self.regime)
        match = SHARE.fullmatch(self.regime) if self.control == "supervised" else None
        return int(match[1]) if match else None

    @property
    def means(self) -> str:
        """The way in which the target is reached, in words, with the amount of data in brackets if
        it has a name.
        """
        words = {
            "supervised": "its own labels",
            "share": "its own network on a share of its labels",
            "scratch": "from scratch",
            "pixels": "a readout of pixels",
            "average": "a constant",
        }
        text = " + ".join(self.sources) if self.control is None else words[self.control]
        return f"{text} ({self.regime})" if self.regime else text

    def __str__(self) -> str:
        regime = f" ({self.regime})" if self.regime else ""
        return f"{'+'.join(self.sources) or self.control} -> {self.target}{regime}"

    def to_json(self) -> dict[str, Any]:
        return {
            "sources": list(self.sources),
            "target": self.target,
            "regime": self.regime,
            "control": self.control,
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Transfer:
        """Returns the transfer of an entry. An entry without regime means the only regime, one
        without control means a transfer.
        """
        regime = entry.get("regime") or ""
        control = entry.get("control") or None
        return cls(tuple(entry["sources"]), entry["target"], regime, control)
