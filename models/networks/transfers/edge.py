"""Transfer networks of both learners, written and read: ordinary Keras models that export and serve
like any other.

A network takes raw (unstandardised) representations, sources side by side on the channel axis: [B,
h, w, channels of all], or [B, images, h, w, channels of all].
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import keras
import numpy as np

from models.examples.label_store import LabelStore
from models.networks.architecture.readout_layers import GlobalReadout, LocalReadout, Standardised
from models.networks.architecture.smoothing import Smoothed
from models.networks.architecture.transfer_heads import build_transfer_head
from models.networks.config import NetworkConfig
from models.networks.losses.block_losses import block_channels, sharpness
from models.networks.losses.losses import image_losses
from models.networks.task_networks.at_once import samples_at_once
from models.networks.task_networks.representations import RepresentationStore
from models.networks.transfers.bench import Bench
from models.networks.transfers.closed_form.edge_readout import readout_arrays, widths_of
from models.networks.transfers.edge_learners import (
    BATCH,
    EdgeBench,
    compare_learners,
    teaching_and_held_out,
)
from models.networks.transfers.gradient.alone import train_transfer_alone
from models.networks.transfers.gradient.programs import StackPrograms
from models.networks.transfers.gradient.schedule import schedule_of
from models.networks.transfers.learners import SourceSet
from models.networks.transfers.regimes import config_of_one_row
from models.networks.weights import load_weights, save_weights
from models.provenance.address import address_of
from models.provenance.seals import sealed_folder, whole
from models.tasks import TASKS, Task
from models.tasks.addressing import rows_of, settings_of
from models.tasks.arrays import Array, Floats


@dataclass(frozen=True)
class TransferNetwork:
    """One edge of a policy."""

    # In the order of the channels.
    sources: tuple[str, ...]
    target: Task
    # Representations -> the target's answer, logits where it has classes.
    head: keras.Model
    # "closed_form" or "gradient", whichever did better on held-out samples.
    learner: str = "closed_form"


class TransferFacts(TypedDict):
    """transfer.json: what the network of an edge is made of, and how it was chosen."""

    sources: list[str]
    # Channels of each source's representation.
    widths: list[int]
    target: str
    # Of everything that the network depends on.
    address: str
    # Cells of a side of the representations.
    grid: int
    # "closed_form" or "gradient": the learner of what was written.
    learner: str
    # Learner -> mean loss on held-out samples; empty where only one was fitted.
    validation: dict[str, float]
    # Of a map, where both learners were compared: width of `Smoothed`, as a share of the side.
    smoothing: NotRequired[float]
    # By gradient: side of the images in pixels, fields of the NetworkConfig, epochs of training.
    size: NotRequired[int]
    config: NotRequired[dict[str, Any]]
    epochs: NotRequired[int]
    # Of a map in closed form, as `LocalReadout` takes them: values a pixel, factor by which the
    # answer is enlarged, factor from what is regressed to the answer.
    channels: NotRequired[int]
    enlarge: NotRequired[int]
    factor: NotRequired[float]


def read_facts(folder: str | Path) -> TransferFacts:
    """Returns transfer.json of the network of an edge."""
    facts: TransferFacts = json.loads((Path(folder) / "transfer.json").read_text())
    return facts


def train_transfer(
    sources: tuple[str, ...],
    target: str,
    store: LabelStore,
    representations: RepresentationStore,
    networks: str | Path,
    folder: str | Path,
    config: NetworkConfig,
    programs: StackPrograms | None = None,
) -> Path:
    """Returns the folder of one edge's network, made by `write_transfer` unless a complete one with
    the same address is there. programs: compiled stacks that several edges share.
    """
    bench = Bench(store, representations, networks, config, programs=programs)
    subset = tuple(bench.sources.index(source) for source in sources)
    task = TASKS[target]
    address = address_of(
        write_transfer,
        inputs=[
            store.views_address,
            store.address(target),
            bench.key(subset, bench.regimes[-1]),
        ],
        settings=(*settings_of(task), config_of_one_row(config)),
        choices=rows_of(task),
    )
    if whole(folder) and read_facts(folder)["address"] == address:
        return Path(folder)
    return write_transfer(bench, subset, target, Path(folder), address)


def write_transfer(
    bench: EdgeBench, subset: SourceSet, target: str, folder: Path, address: str
) -> Path:
    """Solves one edge on `bench` in closed form, trains it by gradient too where the configuration
    has `edge_epochs`, and writes to `folder`, which is returned, the learner that was better on
    held-out data, fitted to all samples of the regime: what is held out chooses, and then teaches
    as well.

    Files: transfer.json and arrays.npz (for the gradient learner, head.weights.h5 too), and
    test_losses.npy, the losses of what was written; they appear together.
    """
    config = bench.config
    regime = bench.regimes[-1]
    facts: TransferFacts = {
        "sources": list(bench.names(subset)),
        "widths": widths_of(bench, subset),
        "target": target,
        "address": address,
        "grid": bench.grid,
        "learner": "closed_form",
        "validation": {},
    }
    head = None
    # one sample cannot both stop the one learner and compare the two
    if config.edge_epochs and len(teaching_and_held_out(bench, target, regime)[1]) > 1:
        both = compare_learners(bench, subset, target, regime)
        facts["validation"] = both.losses
        facts["learner"] = min(both.losses, key=lambda learner: both.losses[learner])
        facts["smoothing"] = both.smoothing.get(facts["learner"], 0)
    arrays = scales_of(bench, subset)
    if facts["learner"] == "gradient":
        teaching, held_out = teaching_and_held_out(bench, target, regime)
        rows = np.sort(np.concatenate([teaching, held_out]))
        share = len(teaching) / len(rows)
        schedule = schedule_of(config, target, config.edge_epochs)
        head = train_transfer_alone(bench, subset, target, rows, schedule, both.epochs, share)
        facts["size"] = bench.store.size
        facts["config"] = asdict(config)
        facts["epochs"] = both.epochs
    else:
        arrays |= readout_arrays(bench, regime, target, subset)
        if TASKS[target].output.dense:
            facts["channels"] = block_channels(TASKS[target])
            facts["enlarge"] = config.output_stride
            facts["factor"] = sharpness(TASKS[target])
    with sealed_folder(folder) as scratch:
        np.savez(scratch / "arrays.npz", **arrays)
        if head is not None and facts["learner"] == "gradient":
            save_weights(head, scratch / "head.weights.h5")
        (scratch / "transfer.json").write_text(json.dumps(facts))
        # of what was written, read again: what will be served is what is judged
        np.save(scratch / "test_losses.npy", losses_of(load_transfer_network(scratch), bench))
    return folder


def losses_of(network: TransferNetwork, bench: EdgeBench) -> Floats:
    """Returns losses [test sample] float32 of a network on the representations that are stored."""
    task = network.target
    data = bench.store.samples(task.name, "test")
    maps = [bench.representations.read(source, "test") for source in network.sources]
    scales = [bench.representations.scale(source) for source in network.sources]
    parts = []
    # what is answered is as large as the pictures
    size = bench.store.size
    step = samples_at_once((len(data), task.images, size, size, 1), BATCH)
    for start in range(0, len(data), step):
        rows = np.arange(start, min(start + step, len(data)))
        views = np.asarray(data.views)[rows]
        raw = [
            np.asarray(stored[views.ravel()], "float32").reshape(*views.shape, *stored.shape[1:])
            * deviation
            + mean
            for stored, (mean, deviation) in zip(maps, scales)
        ]
        codes = np.concatenate(raw, -1)
        # a single image comes without an axis of its own
        answer = network.head(codes[:, 0] if task.images == 1 else codes)
        labels, mask = (np.asarray(part, "float32") for part in data.labels(rows))
        answered = keras.ops.convert_to_numpy(answer)
        parts.append(image_losses(task.loss, labels, mask, answered))
    return np.concatenate(parts)


def scales_of(bench: EdgeBench, subset: SourceSet) -> dict[str, Array]:
    """Returns mean and deviation of the sources' representations, side by side, [channels of all]
    each.
    """
    scales = [bench.representations.scale(source) for source in bench.names(subset)]
    return {
        "mean": np.concatenate([mean for mean, _ in scales]),
        "deviation": np.concatenate([deviation for _, deviation in scales]),
    }


def load_transfer_network(folder: str | Path) -> TransferNetwork:
    """Loads the network that `train_transfer` wrote. Raises FileNotFoundError if there is none."""
    folder = Path(folder)
    if not (folder / "transfer.json").exists():
        raise FileNotFoundError(f"no transfer network at {folder}; train_transfer writes them")
    facts = read_facts(folder)
    with np.load(folder / "arrays.npz") as file:
        arrays = dict(file)
    task = TASKS[facts["target"]]
    shape = (facts["grid"], facts["grid"], arrays["mean"].size)
    several = shape if task.images == 1 else (task.images, *shape)
    source = keras.Input(several, name="representation")
    if facts["learner"] == "gradient":
        head = learned_head(folder, facts, shape)
        answer = head(Standardised(arrays["mean"], arrays["deviation"])(source))
    elif task.output.dense:
        form = (facts["channels"], facts["enlarge"], facts["factor"])
        answer = LocalReadout(arrays, facts["widths"], *form)(source)
    else:
        answer = GlobalReadout(arrays, facts["widths"], task.images)(source)
    # an edge that was solved alone was not compared, and has no width
    if facts.get("smoothing"):
        answer = Smoothed(answer.shape[1], facts["smoothing"])(answer)
    head = keras.Model(source, answer, name=f"transfer_to_{task.name}")
    return TransferNetwork(tuple(facts["sources"]), task, head, facts["learner"])


def learned_head(folder: Path, facts: TransferFacts, shape: tuple[int, int, int]) -> keras.Model:
    """Returns the head that was trained by gradient, on standardised representations [h, w, c
    order].
    """
    task = TASKS[facts["target"]]
    config = NetworkConfig(**facts["config"])
    head = build_transfer_head(task, config, shape, task.images, facts["size"])
    load_weights(head, folder / "head.weights.h5")
    head.trainable = False
    return head
