"""Reads what the served version was made of from the folder that the server serves, where it is at
hand.

The server's public interface says a version's number and signatures; its story lies in the bundle.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.tasks import TASKS

# as `serving.bundle.assets` writes it; not imported from there, since that loads networks
PLACE = Path("assets.extra") / "lineage.json"
FACTS = ("config", "code", "data", "artifact")
SURE_WIN = 0.8  # share of held-out pictures on which a trained network beats a constant, at least


@dataclass(frozen=True)
class Lineage:
    """What a bundle was made of. facts: name -> what the bundle was made of. sources: task -> tasks
    that its answer is reached from; () for a network of its own. quality: task -> share of held-out
    pictures on which the answer beats full supervision, in [0, 1]. wins: supervised task -> share
    on which its network beats the best constant. scratch: tasks answered by a network that the
    transfers' few labelled pictures taught, without a source.
    """

    facts: dict[str, str] = field(default_factory=dict)
    sources: dict[str, tuple[str, ...]] = field(default_factory=dict)
    quality: dict[str, float] = field(default_factory=dict)
    wins: dict[str, float] = field(default_factory=dict)
    scratch: frozenset[str] = frozenset()

    def origin(self, task: str) -> str:
        """Returns a sentence that says how a task is answered; "" where the policy does not say."""
        if task in self.scratch:
            return "Answered by a network trained from scratch on few labelled pictures."
        sources = self.sources.get(task)
        if sources is None:
            return ""
        if not sources:
            return "Answered by its own network, which learned from all labelled pictures."
        return f"Reached by transfer from {' and '.join(map(title_of, sources))}."

    def quality_clause(self, task: str) -> str:
        """Returns a clause giving held-out quality, or "". A network of the task's own is full
        supervision: it is compared with a constant answer, any other with full supervision.
        """
        own = self.sources.get(task) == () and task not in self.scratch
        share = self.wins.get(task) if own else self.quality.get(task)
        if share is None:
            return ""
        beaten = "a constant answer" if own else "the fully supervised network"
        return f"; better than {beaten} on {share:.0%} of held-out pictures"

    def doubt(self, task: str) -> str:
        """Returns a clause that warns where a network behind the answer hardly beats a constant,
        else "".
        """
        weak = [name for name in self.sources.get(task) or (task,) if self.is_weak(name)]
        if not weak:
            return ""
        # the weakest network decides how far the answer can be trusted
        worst = min(weak, key=self.wins.__getitem__)
        return (
            f"the network of {title_of(worst)} beat a constant answer on only "
            f"{self.wins[worst]:.0%} of held-out pictures"
        )

    def is_weak(self, task: str) -> bool:
        # a network without a number is not called weak
        return self.wins.get(task, 1.0) < SURE_WIN


def title_of(task: str) -> str:
    """Returns the title of a task, or its name where the dictionary has no such task."""
    return TASKS[task].title if task in TASKS else task


def lineage_of(base: Path | None, version: int) -> Lineage:
    """Returns the lineage of `version` below the served folder `base`; an empty one where there is
    none to read.
    """
    if base is None:
        return Lineage()
    try:
        story = json.loads((base / str(version) / PLACE).read_text())
    # no bundle, no folder, no rights, no JSON: a page without lineage is still a page
    except (OSError, ValueError):
        return Lineage()
    return lineage_from(story) if isinstance(story, dict) else Lineage()


def lineage_from(story: dict[str, Any]) -> Lineage:
    """Returns the lineage of the content of a bundle's lineage.json."""
    policy = story.get("policy") or {}
    edges = policy.get("edges") or []
    # supervised tasks have no edge in a policy: their source is none
    supervised: dict[str, tuple[str, ...]] = dict.fromkeys(policy.get("supervised") or [], ())
    metrics = story.get("metrics") or {}
    return Lineage(
        facts={name: str(story[name]) for name in FACTS if story.get(name)},
        # edges last: an edge says more than the list of supervised tasks
        sources=supervised | {edge["target"]: tuple(edge["sources"]) for edge in edges},
        # as exported, where the bundle has it; else as measured when the policy was chosen
        quality={
            edge["target"]: edge["quality"] for edge in edges if edge.get("quality") is not None
        }
        | (story.get("served") or {}),
        scratch=frozenset(edge["target"] for edge in edges if edge.get("control") == "scratch"),
        wins={
            name: entry["win_average"]
            for name, entry in metrics.items()
            if entry.get("win_average") is not None
        },
    )
