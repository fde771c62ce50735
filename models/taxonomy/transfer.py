"""A transfer: one target learned from the frozen representations of one or more sources; or a
control of the same tournament.
"""

from __future__ import annotations

from dataclasses import dataclass

CONTROLS = ("supervised", "scratch", "average")


@dataclass(frozen=True)
class Transfer:
    """sources: names in the order of concatenation; empty for controls. regime: name of the amount
    of data, "" if there is one.

    control: None for a transfer; "supervised" the target's own fully supervised network, "scratch"
    trained from pixels on the transfer's little data, "average" the best constant.
    """

    sources: tuple[str, ...]
    target: str
    regime: str = ""
    control: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.sources, tuple) or not all(
            isinstance(name, str) and name for name in self.sources
        ):
            raise ValueError(f"a transfer's sources are a tuple of names, got {self.sources!r}")
        if self.control not in (None, *CONTROLS):
            raise ValueError(f"a control is one of {', '.join(CONTROLS)}; got {self.control!r}")
        if (self.control is None) == (not self.sources):
            raise ValueError(
                f"a transfer into {self.target} has sources and a control has none; got "
                f"sources {self.sources}, control {self.control!r}"
            )
        if len(set(self.sources)) != len(self.sources):
            raise ValueError(f"a source stands once in a transfer, got {self.sources}")

    @property
    def order(self) -> int:
        """number of sources."""
        return len(self.sources)

    def __str__(self) -> str:
        return f"{'+'.join(self.sources) or self.control} -> {self.target}" + (
            f" ({self.regime})" if self.regime else ""
        )
