"""Predictions of transfers, kept in a ledger: a new source or target adds its own rows."""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import Any, Sequence

from threadpoolctl import threadpool_limits

from models.examples.label_store import LabelStore
from models.networks.task_networks.representations import RepresentationStore
from models.networks.transfers.proxy_inputs import proxy_inputs
from models.provenance.address import address_of
from models.provenance.rows import RowLedger
from models.tasks import TASKS
from models.tasks.addressing import rows_of, settings_of
from models.taxonomy import proxy_scores
from models.taxonomy.evidence.proxies import FEWEST


class Predictor:
    """Predicts transfers into targets of `store` from the representations `bank`; rows are kept in
    `folder`. split: that the samples are of. images: most samples a target.
    """

    def __init__(
        self,
        store: LabelStore,
        bank: RepresentationStore,
        folder: str,
        split: str,
        images: int,
    ) -> None:
        self.store = store
        self.bank = bank
        self.folder = folder
        self.split = split
        self.images = images
        self.row_counts: list[int] = []  # rows that were computed now, a number a target

    @property
    def fresh(self) -> int:
        """Number of rows that were computed now, not found in the ledger."""
        return sum(self.row_counts)

    def all_rows(self, targets: Sequence[str], order: int) -> list[dict[str, Any]]:
        """Rows of several targets, one after the other (`rows`). As many targets are computed at a
        time as there are cores: one decomposition of such small matrices would not fill them.
        """
        for target in targets:
            self.common_address(target)  # its closure is kept: threads only read it
        cores = len(os.sched_getaffinity(0))
        with ThreadPoolExecutor(cores) as pool, threadpool_limits(1, "blas"):
            parts = list(pool.map(lambda target: self.rows(target, order), targets))
        return [row for part in parts for row in part]

    def predictable(self, target: str) -> bool:
        """Whether a target has samples enough to predict transfers into it; those into any other
        are measured without a prediction.
        """
        return min(len(self.store.samples(target, self.split)), self.images) >= FEWEST

    def rows(self, target: str, order: int) -> list[dict[str, Any]]:
        """Predictions of transfers into `target`: one row for every set of at most `order` sources,
        in the order of the sources.
        """
        sizes = range(1, order + 1)
        sets = [some for size in sizes for some in combinations(self.bank.sources, size)]
        ledger = RowLedger(os.path.join(self.folder, f"{target}.json"))
        # once a target: the sources' part is added to it
        common = self.common_address(target)
        keys = {some: self.key(common, some) for some in sets}
        lacking = [some for some in sets if keys[some] not in ledger]
        if lacking:
            # each representation is read once, however many sets it is in
            needed = sorted({target, *(source for some in lacking for source in some)})
            features, answers = proxy_inputs(
                self.store, self.bank, target, needed, split=self.split, limit=self.images
            )
            scored = proxy_scores(features, answers, features[target], lacking)
            ledger.extend({keys[some]: row for some, row in zip(lacking, scored)})
            self.row_counts.append(len(lacking))
        # rows of a target are kept by address, the name stands beside them
        return [{**ledger[keys[some]], "target": target} for some in sets]

    def common_address(self, target: str) -> str:
        """Address of what all rows of a target depend on, their sources apart."""
        return address_of(
            (proxy_inputs, proxy_scores),
            inputs=[
                self.store.address(target),
                self.bank.address(target),
                self.split,
                self.images,
            ],
            settings=settings_of(TASKS[target]),
            # what the closure looks up in tables counts by the row of its own entry
            choices=rows_of(TASKS[target]),
        )

    def key(self, common: str, sources: Sequence[str]) -> str:
        """Key of a row in the ledger: the common address and the sources' representations."""
        return "-".join([common, *(f"{name}:{self.bank.address(name)}" for name in sources)])
