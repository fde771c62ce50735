"""A bench of three made-up representations, a store with holes, and what the closed form asks of
them.
"""

import dataclasses
import io
import types

import numpy as np
from tiny_store import TINY, TinyStore

from models.networks.losses.block_losses import sample_losses
from models.networks.transfers.closed_form.kernel_ridge import sample_kernel
from models.networks.transfers.closed_form.maps import LocalFeatures, local_moments
from models.networks.transfers.closed_form.view_kernels import (
    mean_of,
    teaching_kernel,
    view_kernel,
)
from models.networks.transfers.regimes import Regime

GRID = 4
VIEWS = np.arange(8)


class Holed(TinyStore):
    """a store whose samples of one task are what `change` makes of them; split val alone."""

    def __init__(self, task, change) -> None:
        super().__init__()
        self.task = task
        self.change = change

    def samples(self, name, split):
        data = super().samples(name, split)
        if name != self.task or split != "val":
            return data
        target = np.array(data.target, "float32")
        mask = np.array(data.mask, "float32")
        target, mask = self.change(target, mask)
        return dataclasses.replace(data, target=target, mask=mask)


class MadeUpBench(types.SimpleNamespace):
    """what the closed form asks of a bench."""

    def __init__(self, store=None, **changes) -> None:
        super().__init__(
            store=store or TinyStore(),
            config=dataclasses.replace(TINY, **changes),
            grid=GRID,
            kernels={},
            out=io.StringIO(),
        )

    def maps(self, index, split):
        rng = np.random.default_rng([index, len(split)])
        return rng.normal(size=(8, GRID, GRID, 8)).astype("float32")


def regime(views=VIEWS, held_out=0) -> Regime:
    """all views, of which the last `held_out` choose between fits."""
    return Regime("", 2, 100, np.asarray(views), np.arange(len(views)) >= len(views) - held_out)


def collected(transfers) -> dict:
    """target -> set of sources -> losses, of what a learner gives."""
    losses: dict = {}
    for name, rows in transfers:
        losses.setdefault(name, {}).update(rows)
    return losses


def solved_weights(bench, name, views=VIEWS, subset=(0, 2)):
    """of one set of sources into a map target."""
    features = LocalFeatures(bench)
    moments, parts = local_moments(bench, regime(views), [subset], [name], features)
    return moments.solve(subset, bench.config.ridges, parts)[0]


def kernels_of(target, bench, subset):
    """of a GlobalTarget: kernels between teaching samples, and between test and teaching ones."""
    between = mean_of([view_kernel(bench, index).whole for index in subset])
    teach = sample_kernel(teaching_kernel(bench, subset), target.views, target.views)
    return teach, sample_kernel(between, target.unseen, target.views)


def losses_alone(target, bench, subset):
    """losses [test sample] of a GlobalTarget that shares its kernels with no other."""
    teach, test = kernels_of(target, bench, subset)
    answer = target.fit(teach).predict(test)
    return sample_losses(target.task.loss, target.test.target, target.test.mask, answer)


def hide(rows):
    """the mask of these samples 0, their label far away."""

    def change(target, mask):
        target[rows] = 1e4
        mask[rows] = 0
        return target, mask

    return change
