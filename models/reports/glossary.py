"""Explains the words of the page, each in a sentence or two that needs no other."""

from __future__ import annotations

from collections.abc import Mapping

# Cheap predictors of transfer (`models/taxonomy/evidence/proxies.py`), as the page's table names
# them.
PREDICTORS: Mapping[str, str] = {
    "rsa": "do two networks find the same pictures alike (representational similarity analysis)",
    "cka": "do their features agree, by centred kernel alignment",
    "logme": "how probable are the labels under a Bayesian linear readout of the features",
    "linear": "how much of the labels a ridge readout explains on left-out pictures",
    "mean rank": "the mean of the ranks by those before it",
}

# key -> (word, meaning); the key is the anchor on the page.
GLOSSARY: Mapping[str, tuple[str, str]] = {
    "task": (
        "Task",
        "Something a network answers about a picture: how far each point is, where the edges are, "
        "which room it is.",
    ),
    "label": (
        "Label",
        "The right answer for one picture, made by people or by a scanner. Labels are what costs "
        "money.",
    ),
    "full-labels": (
        "Full labels",
        "Labels of one task for every training picture. A task with full labels is supervised: a "
        "network of its own is trained.",
    ),
    "source": (
        "Source",
        "A supervised task whose network others learn from. Its network is frozen; only what "
        "it sees in a picture is passed on.",
    ),
    "target": ("Target", "A task that must be answered in the end."),
    "transfer": (
        "Transfer",
        "Answering a target from what one or more frozen source networks see, learned from few "
        "labels of the target.",
    ),
    "order": ("Order", "The most sources that one transfer may read."),
    "budget": (
        "Budget",
        "The most label cost that may be bought. With every cost at 1 it is the number of tasks "
        "that get full labels.",
    ),
    "policy": (
        "Policy (taxonomy)",
        "Which tasks get full labels, and from which of them every other target is reached.",
    ),
    "quality": (
        "Quality",
        "On how many held-out pictures the answer is better than that of the target's own fully "
        "supervised network. 0.5 is as good, 0 never as good. A target that is supervised itself "
        "has 0.5 by definition, so the mean over all targets flatters; look at transferred ones: "
        "those reached by transfer. Targets that are not bought are these and those from scratch.",
    ),
    "gain": (
        "Gain",
        "On how many held-out pictures the answer is better than a network that learned the "
        "target from scratch on the same few labels. 0.5 is no gain.",
    ),
    "scratch": (
        "From scratch",
        "Learning the target from the same few labels without any source: what a transfer must "
        "beat. It is the target's own network or, where transfers are measured in closed form and "
        "held-out buildings prefer it, a readout of pixels.",
    ),
    "affinity": (
        "Affinity",
        "How good a transfer is among all transfers into one target: the share it gets when all "
        "are compared pairwise on the test pictures (analytic hierarchy process). Sums to one a "
        "target.",
    ),
    "interval": (
        "95 % interval",
        "The range of a number when the test buildings, each with all its pictures (where pictures "
        "name no building, the pictures), are drawn again and again with replacement. It says "
        "nothing about other training runs.",
    ),
    "random-policies": (
        "Random policies",
        "Policies within the same budget, sources and transfers drawn by lot. In the fairer test "
        "only the sources are drawn, and each target takes its best edge from them.",
    ),
    "p-value": (
        "p value",
        "The share of random policies that do at least as well. It cannot be smaller than one "
        "over the number drawn.",
    ),
    "consistency": (
        "Consistency ratio",
        "How far pairwise comparisons contradict each other (A beats B, B beats C, C beats A). "
        "Below 0.1 is usual.",
    ),
    "reliability": (
        "Reliability",
        "Rank correlation of the ranking of sources over redrawn test sets with the one "
        "measured. 1 is certain.",
    ),
    "proven": (
        "Proven best",
        "A solver showed that no other policy within the budget has a larger total affinity. "
        "Whether the affinities are right is another question.",
    ),
    "noise": ("Noise", "A number that chance explains as well; the rules stand under Trust."),
}
