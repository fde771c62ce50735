"""Judges a policy on test images that did not choose it (cross-fitting): the test set is cut into
two halves of whole buildings, and each half's policy is judged by the other half's losses.

A policy that is chosen and judged on the same images looks better than it is. Half of the images
choose slightly worse than all of them, so this number errs on the low side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.facts import Facts
from models.taxonomy.program.answers import attempt
from models.taxonomy.program.request import Request
from models.taxonomy.program.taxonomy import Edge, Taxonomy, mean, quality_of
from models.taxonomy.tournament.buildings import group_of
from models.taxonomy.tournament.measurement import Stores, measure, stores_of


def first_half(images: Iterable[str], depth: int) -> frozenset[str]:
    """Returns the groups of samples (names cut to `depth` parts) that make the first half. Groups
    are assigned largest first, each to the smaller half, so that both hold about as many views.
    """
    names = dict.fromkeys(image.split("+")[0] for image in images)
    sizes = Counter(group_of(name, depth) for name in names)
    totals = [0, 0]
    groups: list[set[str]] = [set(), set()]
    # greedy partition: the halves differ by at most one group
    for group in sorted(sizes, key=lambda group: (-sizes[group], group)):
        smaller = int(totals[1] < totals[0])
        totals[smaller] += sizes[group]
        groups[smaller].add(group)
    return frozenset(groups[0])


def halves(
    stores: Stores, *, regime: str | None = "", cache: str | Path | None = None
) -> tuple[Affinities, Affinities]:
    """Returns the tables of the two halves of the test images, cut in the same way for all targets:
    by whole buildings; if some target has images in one half only, by whole points; otherwise by
    single views. Raises ValueError for a target with a single test image.
    """
    # the stores are used for both halves, and `stores` may be an iterator
    opened = stores_of(stores)
    by_target = {target: store.images(target) for store in opened for target in store.targets()}
    of_first = split_of(by_target)

    def of_second(image: str) -> bool:
        return not of_first(image)

    return (
        measure(opened, regime=regime, cache=cache, images=of_first),
        measure(opened, regime=regime, cache=cache, images=of_second),
    )


def split_of(by_target: Mapping[str, Sequence[str]]) -> Callable[[str], bool]:
    """Returns a function that says whether a test image is in the first half. by_target: target ->
    its test images. Raises ValueError if no cut gives every target images in both halves.
    """
    everything = sorted({image for images in by_target.values() for image in images})
    # parts of a view's name: building, point, view
    for depth in (1, 2, 3):
        groups = first_half(everything, depth)
        # both halves must hold images of every target
        sides = [{group_of(image, depth) in groups for image in i} for i in by_target.values()]
        if all(len(side) == 2 for side in sides):
            return partial(is_among, groups=groups, depth=depth)
    raise ValueError(
        "a policy is judged on test images that did not choose it: every target needs two of them, "
        f"and there are {', '.join(f'{len(i)} of {name}' for name, i in by_target.items())}"
    )


def is_among(image: str, *, groups: frozenset[str], depth: int) -> bool:
    return group_of(image, depth) in groups


def judged(policy: Taxonomy, table: Affinities) -> list[Edge]:
    """Returns the edges of a policy with the numbers of another table."""
    rows = [table.of[edge.transfer] for edge in policy.edges]
    return [Edge(row.transfer, row.affinity, row.gain, quality_of(row)) for row in rows]


def cross_fitted(tables: Sequence[Affinities], request: Request) -> Facts | None:
    """Returns what policies reach on test images that did not choose them. tables: those of the two
    halves; each chooses a policy for the other.

    The result is {"scratch": whether training from scratch was on offer; the numbers of `means_of`,
    as means over both halves of what the policy of one half reaches in the other; "in_sample": the
    same numbers where each half judges its own choice; "supervised": the two choices}. Returns None
    if a half has no policy that reaches every target, as with few measured transfers and no
    training from scratch.
    """
    attempts = [attempt(table, request) for table in tables]
    policies = [policy for policy in attempts if policy is not None]
    if len(policies) < len(tables):
        return None
    # reported together with the others to show how optimistic in-sample numbers are
    own = [means_of(list(policy.edges)) for policy in policies]
    other = [means_of(judged(policy, tables[1 - i])) for i, policy in enumerate(policies)]
    return {
        "scratch": request.scratch,
        **average_of(other),
        "in_sample": average_of(own),
        "supervised": [list(policy.supervised) for policy in policies],
    }


def means_of(edges: Sequence[Edge]) -> Facts:
    """Returns {"gain", "quality" (of all targets), "transferred" (quality of those reached by
    transfer), "not_bought" (quality of those reached by transfer or from scratch)}. A mean is None
    if there are no such targets or one was not measured.
    """
    return {
        "gain": mean([edge.gain for edge in edges]),
        "quality": mean([edge.quality for edge in edges]),
        "transferred": mean([edge.quality for edge in edges if edge.way == "transferred"]),
        # supervised targets tie by definition and would pull the mean to 0.5
        "not_bought": mean([edge.quality for edge in edges if edge.way != "supervised"]),
    }


def average_of(parts: Sequence[Facts]) -> Facts:
    """Returns the mean of each number over the halves, or None where one half lacks it."""
    return {
        name: None
        if any(part[name] is None for part in parts)
        else float(np.mean([part[name] for part in parts]))
        for name in parts[0]
    }
