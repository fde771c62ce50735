"""Which targets ask the same of a frozen representation?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from models.examples.label_store import LabelStore
from models.tasks import TASKS


def first_with_equal_labels(store: LabelStore, names: Iterable[str], split: str) -> dict[str, str]:
    """target -> the first of `names` that has the same loss, and the same labels of the same views
    in `split` and in test (autoencoding and denoising do: they differ in their input alone).
    """
    firsts: dict[tuple[object, ...], str] = {}
    return {name: firsts.setdefault(question(store, name, split), name) for name in names}


def question(store: LabelStore, name: str, split: str) -> tuple[object, ...]:
    """what a target asks: loss, output, and digests of its samples."""
    digests = []
    for part in (split, "test"):
        data = store.samples(name, part)
        for values in (data.views, data.target, data.mask):
            digests.append(hashlib.sha256(np.ascontiguousarray(values).data).digest())
    return (TASKS[name].loss, TASKS[name].output, *digests)
