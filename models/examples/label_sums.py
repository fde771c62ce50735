"""Sums over the labels of a split, from which the best constant answers and the rarity of colours
are computed. They are taken while labels are made, part by part on any machine: a pass over
millions of views by a process that trains would take longer than the training.

Labels of maps and classes are half precision, multiples of 2**-24, so that their float64 sums are
exact, whatever the order and the parts, while they stay below 2**29: half a billion samples of
numbers up to 1 in size, with a mask of 0 or 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.examples.half_precision import to_single
from models.tasks import Task
from models.tasks.arrays import Array, Floats, Integers


@dataclass(frozen=True)
class LabelSums:
    """Sums over the labels of some samples. total: float64, [S, S, C] for a map, [classes], or [C]
    for a vector. weight: float64, the weight of that sum, [S, S, 1] where it differs from place to
    place, else []. strongest: [bins] int64, the number of pixels whose strongest colour each bin
    is; None for tasks that are not about colours.
    """

    total: Floats
    weight: Floats
    strongest: Integers | None = None

    def __add__(self, other: LabelSums) -> LabelSums:
        strongest = None
        if self.strongest is not None and other.strongest is not None:
            strongest = self.strongest + other.strongest
        return LabelSums(self.total + other.total, self.weight + other.weight, strongest)

    def save(self, path: Path) -> None:
        values: dict[str, Array] = {"total": self.total, "weight": self.weight}
        if self.strongest is not None:
            values["strongest"] = self.strongest
        np.savez(path, **values)

    @classmethod
    def load(cls, path: Path) -> LabelSums:
        with np.load(path) as file:
            return cls(file["total"], file["weight"], file.get("strongest"))


def sums_kept(task: Task) -> bool:
    """Returns whether a task's sums are exact in any order. Those of vectors are not (float32), and
    are few enough to be added up where they are asked for; embeddings have no constant.
    """
    facts = task.output.facts
    return facts.averaged and np.dtype(facts.stored) == np.float16


def summed(task: Task, target: Floats, mask: Floats) -> LabelSums:
    """Returns the sums of some samples, float32: for classes the pixels of each; for probabilities
    their sum, with one weight for all places; for numbers the sum place by place; for vectors their
    sum. target: [n, S, S, C], or [n, K] of vectors and classes; mask: [n, S, S, 1] or [n].
    """
    if task.loss == "weighted_cross_entropy":
        classes = target[..., 0].astype(int).ravel()
        total: Array = np.bincount(classes, mask.ravel(), task.output.channels)
        return LabelSums(total, np.asarray(mask.sum(dtype="float64")))
    if task.loss == "soft_cross_entropy":
        weight = mask.reshape(mask.shape + (1,) * (target.ndim - mask.ndim))
        total = (target * weight).sum(0, dtype="float64")
        whole = np.asarray(weight.mean(dtype="float64") * len(weight))
        return LabelSums(total, whole, strongest(target) if task.input == "lightness" else None)
    if task.output.dense:
        return LabelSums((target * mask).sum(0, dtype="float64"), mask.sum(0, dtype="float64"))
    # vectors are known as a whole, or are no samples
    return LabelSums(target.sum(0, dtype="float64"), np.asarray(float(len(target))))


def strongest(target: Floats) -> Integers:
    """Returns [bins], of how many pixels of colours [..., bins] each bin is the strongest."""
    return np.bincount(target.argmax(-1).ravel(), minlength=target.shape[-1])


class Adding:
    """Sums samples that come one by one: the same result as `summed` gives of all at once. Those of
    maps are added in place, since fresh arrays cost more than the sums.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.sums: LabelSums | None = None
        # numbers are summed place by place; counts of classes, and vectors, are small
        self.in_place = task.output.dense and task.loss != "weighted_cross_entropy"

    def add(self, target: Floats, mask: Floats) -> None:
        """Adds a sample, as the store has it: target [S, S, C] or [K], mask [S, S, 1] or [],
        float16.
        """
        target = to_single(target)
        mask = to_single(mask)
        if self.sums is None or not self.in_place:
            some = summed(self.task, target[None], mask[None])
            self.sums = some if self.sums is None else self.sums + some
            return
        accumulate(target if np.all(mask == 1) else target * mask, self.sums.total)
        if self.sums.weight.ndim:
            accumulate(mask, self.sums.weight)
        else:
            self.sums.weight[...] += mask.mean(dtype="float64")
        if self.sums.strongest is not None:
            counts = self.sums.strongest
            np.add(counts, strongest(target), out=counts)


def accumulate(some: Floats, total: Floats) -> None:
    """Adds `some` [H, ...] float32 to `total` [H, ...] float64, in place."""
    cv2.accumulate(some.reshape(len(some), -1), total.reshape(len(total), -1))
