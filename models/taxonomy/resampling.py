"""How sure are we? Test images drawn again with replacement, thousands of times, and every number
computed anew (Efron's bootstrap).

Images are the units; beyond `UNITS` of them (fewer for tournaments of thousands, to bound memory),
units are random blocks of equal size, which estimates the same spread of a mean. Targets with the
same test images draw the same ones, so that a policy's mean over targets varies as it would.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from models.taxonomy.affinities import Affinities, Row, Spread
from models.taxonomy.ahp import principal_vectors
from models.taxonomy.losses import LossStore
from models.taxonomy.measuring import Tournament, named, tournaments
from models.taxonomy.transfer import Transfer

UNITS = 1000
MEMORY = 1 << 28  # bytes of float32 that a step may hold at once
LEVEL = (0.025, 0.975)
NOISE = 0.5  # rank correlation below which a ranking is called noise


@dataclass(frozen=True)
class Resamples:
    """affinity, gain, quality: [resample, transfer] float32; gain and quality NaN where the control
    was not measured. transfers: columns.
    """

    transfers: tuple[Transfer, ...]
    affinity: np.ndarray
    gain: np.ndarray
    quality: np.ndarray

    def __len__(self) -> int:
        return len(self.affinity)

    @cached_property
    def column(self) -> dict[Transfer, int]:
        return {transfer: i for i, transfer in enumerate(self.transfers)}

    def table(self, base: Affinities, number: int) -> Affinities:
        """`base` with the affinities, gains and qualities of one resample."""
        rows = []
        for row in base.rows:
            i = self.column.get(row.transfer)
            if i is None:
                rows.append(row)
                continue
            values = (self.affinity[number, i], self.gain[number, i], self.quality[number, i])
            rows.append(
                Row(
                    row.transfer,
                    *(None if np.isnan(value) else float(np.clip(value, 0, 1)) for value in values),
                    row.mean_loss,
                )
            )
        return Affinities(tuple(rows), base.diagnostics)

    def save(self, path: str | Path) -> None:
        """.npz, atomically."""
        path = Path(path)
        names = json.dumps(
            [[list(t.sources), t.target, t.regime, t.control] for t in self.transfers]
        )
        scratch = path.with_name(f".{os.getpid()}.{path.name}")
        np.savez(
            scratch,
            transfers=np.array(names),
            affinity=self.affinity,
            gain=self.gain,
            quality=self.quality,
        )
        os.replace(scratch, path)

    @classmethod
    def load(cls, path: str | Path) -> Resamples:
        with np.load(path) as content:
            transfers = tuple(
                Transfer(tuple(sources), *rest)
                for sources, *rest in json.loads(str(content["transfers"]))
            )
            return cls(transfers, content["affinity"], content["gain"], content["quality"])


def draws(
    images: tuple[str, ...], resamples: int, seed: int, most: int = UNITS
) -> tuple[np.ndarray, np.ndarray]:
    """(unit of every image [image] int, weights [resample, unit] float32 summing to the number of
    units), the same for the same images and seed.
    """
    rng = np.random.default_rng(
        [seed, int.from_bytes(hashlib.sha256("\n".join(images).encode()).digest()[:8], "big")]
    )
    units = min(len(images), most)
    unit = np.arange(len(images)) % units
    rng.shuffle(unit)
    return unit, rng.multinomial(units, np.full(units, 1 / units), size=resamples).astype("float32")


def resample(tournament: Tournament, resamples: int, seed: int) -> Resamples:
    """one tournament, `resamples` times."""
    losses = tournament.found.losses
    pairs = len(tournament.players) ** 2 // 2
    unit, weights = draws(
        tournament.found.images,
        resamples,
        seed,
        min(UNITS, max(100, 4 * MEMORY // (2 * max(1, pairs)))),
    )
    size = np.bincount(unit, minlength=weights.shape[1]).astype("float32")
    share = (
        weights / (weights @ size)[:, None]
    )  # [resample, unit]: weight of each image of the unit

    def rates(control: str) -> np.ndarray:
        against = tournament.against(control)
        if against is None:
            return np.full((resamples, len(losses)), np.nan, "float32")
        return share @ by_unit((losses < against) + 0.5 * (losses == against), unit, len(size)).T

    players = list(tournament.players)
    affinity = np.zeros((resamples, len(losses)), "float32")
    affinity[:, players] = resampled_affinities(losses[players], unit, share)
    return Resamples(tournament.found.transfers, affinity, rates("scratch"), rates("supervised"))


def by_unit(values: np.ndarray, unit: np.ndarray, units: int) -> np.ndarray:
    """[row, image] -> [row, unit] float32: sums over the images of each unit."""
    order = np.argsort(unit, kind="stable")
    return np.add.reduceat(
        values[:, order].astype("float32"), np.searchsorted(unit[order], np.arange(units)), axis=1
    )


def resampled_affinities(losses: np.ndarray, unit: np.ndarray, share: np.ndarray) -> np.ndarray:
    """losses [player, image], share [resample, unit] -> affinities [resample, player]. Win matrices
    are one matrix product: pairs x units x resamples.
    """
    count, units = len(losses), share.shape[1]
    upper = np.triu_indices(count, 1)
    step = max(1, MEMORY // (4 * max(1, len(losses[0]), units)) // 4)
    height = max(1, min(len(share), MEMORY // (4 * max(1, count * count)) // 2))
    found = np.empty((len(share), count), "float32")
    margins = np.empty(
        (len(upper[0]), units), "float16" if len(upper[0]) * units * 4 > 2 * MEMORY else "float32"
    )  # wins minus losses of a pair on a unit
    for start in range(0, len(upper[0]), step):
        first, second = (index[start : start + step] for index in upper)
        margins[start : start + step] = by_unit(
            np.sign(losses[second] - losses[first]), unit, units
        )
    for start in range(0, len(share), height):
        rows = share[start : start + height]
        wins = np.full((len(rows), count, count), 0.5, "float32")
        for pair in range(0, len(upper[0]), step):
            part = rows @ margins[pair : pair + step].T.astype("float32") / 2
            first, second = (index[pair : pair + step] for index in upper)
            wins[:, first, second] += part
            wins[:, second, first] -= part
        found[start : start + height] = principal_vectors(wins)
    return found


def bootstrap(
    stores: Iterable[LossStore] | LossStore,
    *,
    resamples: int = 1000,
    seed: int = 0,
    regime: str | None = None,
) -> Resamples:
    """all tournaments of the stores, resampled; those of one regime, or several regimes on one
    scale, as in `measure`.
    """
    parts = []
    for store in [stores] if isinstance(stores, LossStore) else stores:
        for target in store.targets():
            parts.append(
                on_one_scale(
                    [
                        resample(tournament, resamples, seed)
                        for tournament in tournaments(store, target, regime)
                    ]
                )
            )
    if not parts:
        raise ValueError("no losses to resample: the stores hold no target")
    columns = tuple(transfer for part in parts for transfer in part.transfers)
    return Resamples(
        columns,
        *(
            np.concatenate([getattr(part, name) for part in parts], 1)
            for name in ("affinity", "gain", "quality")
        ),
    )


def on_one_scale(parts: list[Resamples]) -> Resamples:
    """regimes of one target, anchored at the supervised network resample by resample (see
    `measuring.joined`).
    """
    if len(parts) == 1:
        return parts[0]
    columns: dict[Transfer, tuple] = {}
    for part in parts:
        own = next(
            i for i, transfer in enumerate(part.transfers) if transfer.control == "supervised"
        )
        for i, transfer in enumerate(part.transfers):
            columns.setdefault(
                transfer,
                (part.affinity[:, i] / part.affinity[:, own], part.gain[:, i], part.quality[:, i]),
            )
    affinity, gain, quality = (
        np.stack([column[k] for column in columns.values()], 1) for k in range(3)
    )
    return Resamples(tuple(columns), affinity / affinity.sum(1, keepdims=True), gain, quality)


def with_spread(table: Affinities, found: Resamples) -> Affinities:
    """the table with intervals in its rows, and in its diagnostics how much a ranking of
    first-order transfers says ("reliability": mean Spearman of a resample's ranking with the
    measured one) and a warning where it is not distinguishable from noise.
    """
    bounds = {
        name: np.quantile(getattr(found, name), LEVEL, axis=0)
        for name in ("affinity", "gain", "quality")
    }
    expected, ranks = found.affinity.mean(0), rank_bounds(table, found)
    number = lambda value: None if np.isnan(value) else float(value)
    rows = []
    for row in table.rows:
        i = found.column.get(row.transfer)
        if i is None or row.transfer.control not in (None, "supervised"):
            rows.append(row)
            continue
        (low, high), gains, qualities = (
            bounds[name][:, i] for name in ("affinity", "gain", "quality")
        )
        spread = Spread(
            float(low),
            float(high),
            float(expected[i]),
            *map(number, gains),
            *map(number, qualities),
            *ranks.get(row.transfer, (None, None)),
        )
        rows.append(replace(row, spread=spread))
    facts = {
        target: {**known, **reliability(target, table, found, known)}
        for target, known in table.diagnostics.items()
    }
    return Affinities(tuple(rows), facts)


def rank_bounds(table: Affinities, found: Resamples) -> dict[Transfer, tuple[float, float]]:
    """interval of the rank (1 is best) among the transfers of the same order, target and regime."""
    from scipy.stats import rankdata

    groups: dict[tuple, list[Transfer]] = {}
    for row in table.rows:
        if row.transfer.control is None and row.transfer in found.column:
            groups.setdefault(
                (row.transfer.target, row.transfer.regime, row.transfer.order), []
            ).append(row.transfer)
    made = {}
    for members in groups.values():
        ranks = rankdata(
            -found.affinity[:, [found.column[transfer] for transfer in members]], axis=1
        )
        low, high = np.quantile(ranks, LEVEL, axis=0)
        made |= {transfer: (float(low[i]), float(high[i])) for i, transfer in enumerate(members)}
    return made


def reliability(name: str, table: Affinities, found: Resamples, known: dict) -> dict:
    """{"reliability", "best_share" (how often the best first-order source comes out best again),
    "warning" or None} of one tournament.
    """
    from scipy.stats import rankdata

    rows = [
        row
        for row in table.rows
        if row.transfer.order == 1 and named(row.transfer.target, row.transfer.regime) == name
    ]
    if len(rows) < 3:
        return {"reliability": None, "best_share": None, "warning": None}
    values = found.affinity[:, [found.column[row.transfer] for row in rows]]
    point = rankdata([row.affinity for row in rows])
    ranks = rankdata(values, axis=1)
    centre = lambda array: array - array.mean(-1, keepdims=True)
    norm = np.sqrt((centre(ranks) ** 2).sum(1) * (centre(point) ** 2).sum()) + 1e-12
    score, best = (
        float((centre(ranks) @ centre(point) / norm).mean()),
        float((values.argmax(1) == point.argmax()).mean()),
    )
    noise = (known.get("friedman") or 0.0) > 0.01 or score < NOISE
    warning = (
        "the ranking of sources is not distinguishable from noise (rank correlation over "
        f"resamples {score:.2f}); measure more test images"
    )
    return {"reliability": score, "best_share": best, "warning": warning if noise else None}
