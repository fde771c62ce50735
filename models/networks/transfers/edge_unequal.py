"""One edge of a policy whose sources have codes of different widths: solved, trained and compared
as `edge.write_transfer` does it for sources of one width.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from models.networks.losses.block_losses import block_channels, sharpness
from models.networks.transfers.closed_form.edge_readout import held_out_loss, taught_alone
from models.networks.transfers.closed_form.unequal_widths import (
    unequal_arrays,
    unequal_map_answers,
)
from models.networks.transfers.edge_learners import (
    BATCH,
    WIDTHS,
    Comparison,
    EdgeBench,
    fitting,
    losses_by_width,
    stopping,
)
from models.networks.transfers.gradient.learner import member_head
from models.networks.transfers.gradient.schedule import schedule_of
from models.networks.transfers.gradient.unequal_widths import CodeBlocks
from models.networks.transfers.learners import SourceSet
from models.networks.transfers.regimes import Regime
from models.provenance.seals import sealed_folder
from models.tasks import TASKS
from models.tasks.arrays import Array, Floats, Integers


def write_unequal_transfer(
    bench: EdgeBench, subset: SourceSet, target: str, folder: Path, address: str
) -> Path:
    """the files of `edge.write_transfer`; transfer.json has "widths", the channels of each source,
    and arrays.npz their means and deviations side by side [channels].
    """
    config = bench.config
    regime = bench.regimes[-1]
    facts: dict[str, Any] = {
        "sources": list(bench.names(subset)),
        "widths": [int(bench.maps(i, "test").shape[-1]) for i in subset],
        "target": target,
        "address": address,
        "grid": bench.grid,
        "learner": "closed_form",
        "validation": {},
    }
    head = None
    if config.edge_epochs and len(fitting(bench, target, regime)[1]) > 1:
        both = compared_unequal(bench, subset, target, regime)
        head = both.head
        facts["validation"] = both.losses
        facts["learner"] = min(both.losses, key=lambda learner: both.losses[learner])
        facts["smoothing"] = both.smoothing.get(facts["learner"], 0)
    arrays = side_by_side_scales(bench, subset)
    if facts["learner"] == "gradient":
        facts.update(size=bench.store.size, config=asdict(config))
    else:
        arrays |= unequal_arrays(bench, regime, target, subset)
        if TASKS[target].output.dense:
            facts["channels"] = block_channels(TASKS[target])
            facts["enlarge"] = config.output_stride
            facts["factor"] = sharpness(TASKS[target])
    with sealed_folder(folder) as scratch:
        np.savez(scratch / "arrays.npz", **arrays)
        if head is not None and facts["learner"] == "gradient":
            head.save_weights(scratch / "head.weights.h5")
        (scratch / "transfer.json").write_text(json.dumps(facts))
    return folder


def side_by_side_scales(bench: EdgeBench, subset: SourceSet) -> dict[str, Array]:
    """mean and deviation of the sources' representations, [channels of all] each."""
    scales = [bench.representations.scale(source) for source in bench.names(subset)]
    return {
        "mean": np.concatenate([mean for mean, _ in scales]),
        "deviation": np.concatenate([deviation for _, deviation in scales]),
    }


def compared_unequal(
    bench: EdgeBench, subset: SourceSet, target: str, regime: Regime
) -> Comparison:
    """both learners on held-out samples that neither has seen, as `edge_learners.compared`."""
    teaching, held_out = fitting(bench, target, regime)
    stops = stopping(bench, target, held_out)
    judging = held_out[~stops]
    schedule = schedule_of(bench.config, target, bench.config.edge_epochs)
    blocks = CodeBlocks(bench, subset)
    rows = (teaching, held_out[stops], judging)
    head, own = member_head(blocks, blocks.places(subset), target, rows, schedule)
    if not TASKS[target].output.dense:
        solved = held_out_loss(bench, regime, target, subset, (teaching, judging))
        return Comparison(head, {"closed_form": solved, "gradient": own}, {})
    split = bench.config.transfer_split
    views = np.asarray(bench.store.samples(target, split).views)[held_out, 0]
    alone = taught_alone(bench, regime)
    answers = {
        "closed_form": unequal_map_answers(bench, alone, target, subset, views),
        "gradient": answers_of(bench, head, subset, views),
    }
    losses: dict[str, float] = {}
    smoothing: dict[str, float] = {}
    for learner, answer in answers.items():
        table = losses_by_width(bench, target, held_out, answer)
        best = int(table[:, stops].mean(1).argmin())
        losses[learner] = float(table[best, ~stops].mean())
        smoothing[learner] = WIDTHS[best]
    return Comparison(head, losses, smoothing)


def answers_of(bench: EdgeBench, head: keras.Model, subset: SourceSet, views: Integers) -> Floats:
    """[view, ...] answers of a head to views of the transfer split."""
    maps = [bench.maps(i, bench.config.transfer_split) for i in subset]
    parts = [
        np.concatenate([np.asarray(each[some], "float32") for each in maps], -1)
        for some in (views[i : i + BATCH] for i in range(0, len(views), BATCH))
    ]
    return np.concatenate([keras.ops.convert_to_numpy(head(part)) for part in parts])
