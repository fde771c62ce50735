"""Explains the words of the tables to readers who see them for the first time."""

from __future__ import annotations

from models.taxonomy.commands.layout import folded

TERMS = {
    "budget": "what labels may cost in total; with default costs, the number of tasks that are "
    "labelled in full (6 of 26, say)",
    "order": "most sources that one transfer reads from",
    "supervise": "tasks whose labels are bought in full; every other target is answered from them",
    "objective": "what is maximised: over all targets, the value of the target times the root of "
    "the affinity of the way it is answered by (paper variant: the affinity)",
    "affinity": "how good a way to answer a target is beside all others that were measured, from "
    "a tournament on the test images; they sum to 1 over a target",
    "gap": "how much better an unknown policy could be; 0 is proof that there is none",
    "gain": "share of test images on which an answer beats the network trained from scratch on "
    "the transfer's little data (0.5: no better)",
    "quality": "share of test images on which an answer beats the network trained on all labels "
    "(0.5: as good; a target that is its own label has 0.5 by definition)",
    "saved": "labels saved against learning every target for itself (some fully, the others from "
    "scratch) to the same mean quality",
    "apart": "of the targets that are not bought: by transfer or, where on offer, from scratch",
    "transferred": "the quality of the targets that are reached by transfer alone",
    "from scratch": "the target's own network or, in a run where held-out buildings prefer it, a "
    "readout of pixels, taught by the transfer's little data alone",
    "not ranked": "marked *: the order of this target's sources is noise",
}


def foot(*names: str) -> str:
    """Returns the lines that explain these words."""
    return "\n".join(folded(f"{name}: {TERMS[name]}", "  ", "    ") for name in names)
