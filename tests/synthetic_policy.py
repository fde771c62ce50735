"""Networks and transfers of random weights at any size, written as training would write them, and a
policy over them: a bundle without training.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from models.networks.config import NetworkConfig
from models.tasks import TASKS, target_names

WHITENING = {
    name: (
        np.arange(9.0) if name == "room_layout" else np.full(TASKS[name].output.channels, 0.5),
        np.full(TASKS[name].output.channels, 2.0),
    )
    # fmt: skip
    for name in ("room_layout", "fixated_pose", "nonfixated_pose", "egomotion")
}


def synthetic_policy(supervised, targets=None, order: int = 2) -> dict:
    """`Taxonomy.to_json` of a made-up optimum: every target not supervised is reached from `order`
    supervised sources, dealt out in turn.
    """
    targets, edges = list(targets or target_names()), []
    for i, name in enumerate(targets):
        sources = (
            []
            if name in supervised
            else [supervised[(i + k) % len(supervised)] for k in range(order)]
        )
        edges.append(
            {"sources": sources, "target": name, "affinity": 0.5, "gain": 0.6, "quality": 0.4}
        )
    return {
        "budget": len(supervised),
        "order": order,
        "status": "optimal",
        "supervised": list(supervised),
        "edges": edges,
    }


def write_networks(folder: Path, names, config: NetworkConfig, size: int) -> Path:
    """untrained task networks, as `train_tasks` writes them, with statistics and shifts of batch
    norm as if they had seen pictures.
    """
    from models.networks.task_networks.build import build_task_network

    rng = np.random.default_rng(0)
    for name in names:
        network = build_task_network(TASKS[name], config, size)
        for weight in [
            *network.encoder.weights,
            *(network.head.weights if network.head is not None else ()),
        ]:
            if weight.path.rsplit("/", 1)[-1] in (
                "moving_mean",
                "beta",
                "moving_variance",
                "gamma",
            ):
                centre = float("variance" in weight.path or "gamma" in weight.path)
                weight.assign(centre + rng.uniform(-0.2, 0.2, weight.shape))
        (folder / name).mkdir(parents=True)
        network.encoder.save_weights(folder / name / "encoder.weights.h5")
        if network.head is not None:
            network.head.save_weights(folder / name / "head.weights.h5")
        (folder / name / "network.json").write_text(
            json.dumps({"task": name, "config": asdict(config), "size": size})
        )
    return folder


def write_transfers(
    folder: Path,
    policy: dict,
    config: NetworkConfig,
    size: int,
    *,
    teaching: int = 100,
    wide: dict[str, int] | None = None,
) -> Path:
    """closed-form transfers with random arrays of the shapes that `write_transfer` gives. teaching:
    views that vector tasks were solved on. wide: source -> channels of those that have others than
    the configuration says.
    """
    from models.networks.architecture.encoders import build_encoder
    from models.networks.losses.block_losses import block_channels, sharpness

    rng = np.random.default_rng(0)
    grid = build_encoder(config, 3, "probe").compute_output_shape((None, size, size, 3))[1]
    features = config.random_features
    named = [*TASKS, *(source for source in policy["supervised"] if source not in TASKS)]
    width_of = dict.fromkeys(named, config.representation_channels) | (wide or {})
    # random features and teaching views serve every head, as they do in a run
    local, whole = {}, {}
    for width in sorted(set(width_of.values())):
        flat = grid * grid * width
        local[f"kernel_{width}"] = rng.normal(0, 0.1, (9 * width, features))
        local[f"bias_{width}"] = rng.normal(0, 0.1, features)
        whole[f"kernel_{width}"] = rng.normal(0, flat**-0.5, (flat, features))
    teach = {
        source: rng.normal(0, 1, (teaching, grid * grid * width + features))
        for source, width in width_of.items()
    }
    for edge in policy["edges"]:
        if not edge["sources"]:
            continue
        task = TASKS[edge["target"]]
        widths = [width_of[source] for source in edge["sources"]]
        facts = {
            "sources": edge["sources"],
            "widths": widths,
            "target": task.name,
            "address": "made up",
            "grid": grid,
            "learner": "closed_form",
        }
        arrays = {"mean": np.zeros(sum(widths)), "deviation": np.ones(sum(widths))}
        if task.output.dense:
            inside = sum(9 * width + features for width in widths) + 1
            outputs = (size // config.output_stride // grid) ** 2 * block_channels(task)
            arrays["weights"] = rng.normal(0, 0.02, (inside, outputs))
            for width in widths:
                arrays |= {name: local[name] for name in (f"kernel_{width}", f"bias_{width}")}
            facts["channels"] = block_channels(task)
            facts["enlarge"] = config.output_stride
            facts["factor"] = sharpness(task)
        else:
            for place, (source, width) in enumerate(zip(edge["sources"], widths)):
                arrays[f"kernel_{width}"] = whole[f"kernel_{width}"]
                arrays[f"teach_{place}"] = teach[source]
            arrays["scale"] = np.full(len(widths), 10.0)
            arrays["views"] = rng.integers(0, teaching, (teaching, task.images))
            arrays["dual"] = rng.normal(0, 0.1, (teaching, task.output.channels))
            arrays["constant"] = np.zeros(task.output.channels)
        write_edge(folder / task.name, facts, arrays)
    return folder


def write_edge(folder: Path, facts: dict, arrays: dict) -> None:
    folder.mkdir(parents=True)
    plain = {name: np.asarray(value, "float32") for name, value in arrays.items()}
    np.savez(folder / "arrays.npz", **plain)
    (folder / "transfer.json").write_text(json.dumps(facts))


def synthetic_bundle(
    folder: Path, config: NetworkConfig, size: int, supervised, targets=None, order: int = 2
) -> Path:
    """a whole bundle at `folder`/bundle."""
    from serving.bundle.build import build_bundle

    policy = synthetic_policy(supervised, targets, order)
    needed = sorted(
        {*supervised, *(source for edge in policy["edges"] for source in edge["sources"])}
    )
    write_networks(folder / "networks", needed, config, size)
    write_transfers(folder / "transfers", policy, config, size)
    lineage = {"run": "synthetic", "manifest": "0" * 16, "metrics": {}}
    return build_bundle(
        policy,
        folder / "networks",
        folder / "transfers",
        folder / "bundle",
        lineage=lineage,
        image_size=size,
        whitening=WHITENING,
    )
