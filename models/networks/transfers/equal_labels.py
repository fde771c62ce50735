"""Which targets ask the same of a frozen representation?"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterable

import numpy as np

from models.examples.label_store import LabelStore, TaskSamples
from models.tasks import TASKS

# Samples whose labels are held at a time.
CHUNK = 256
# store -> (target, split) -> what was found: each amount of data asks again.
QUESTIONS: weakref.WeakKeyDictionary[LabelStore, dict[tuple[str, str], tuple[object, ...]]] = (
    weakref.WeakKeyDictionary()
)


def first_with_equal_labels(store: LabelStore, names: Iterable[str], split: str) -> dict[str, str]:
    """Returns target -> the first of `names` that has the same loss, and the same labels of the
    same views in `split` and in test (autoencoding and denoising do: they differ in their input
    alone).
    """
    firsts: dict[tuple[object, ...], str] = {}
    return {name: firsts.setdefault(question(store, name, split), name) for name in names}


def label_digests(data: TaskSamples) -> list[bytes]:
    """Returns digests of targets and masks, of which some hundred are held at a time."""
    digests = [hashlib.sha256(), hashlib.sha256()]
    for start in range(0, len(data), CHUNK):
        for digest, values in zip(digests, data.labels(slice(start, start + CHUNK))):
            digest.update(np.ascontiguousarray(values).data)
    return [digest.digest() for digest in digests]


def question(store: LabelStore, name: str, split: str) -> tuple[object, ...]:
    """Returns what a target asks: loss, output, and digests of its samples. All labels are read
    once.
    """
    questions = QUESTIONS.setdefault(store, {})
    if (name, split) not in questions:
        questions[name, split] = read_question(store, name, split)
    return questions[name, split]


def read_question(store: LabelStore, name: str, split: str) -> tuple[object, ...]:
    """Computes `question` from the labels."""
    digests = []
    for part in (split, "test"):
        data = store.samples(name, part)
        digests += [
            hashlib.sha256(np.ascontiguousarray(data.views).data).digest(),
            *label_digests(data),
        ]
    return (TASKS[name].loss, TASKS[name].output, *digests)
