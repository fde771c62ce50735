"""Loads the networks of a policy: encoders by source, and for every target its sources and its
head. Their answers as Keras gives them are what the exported graph is traced from and compared
with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from models.tasks import TASKS, Task
from models.tasks.arrays import Bytes, Floats

Policy = Mapping[str, Any]  # `models.taxonomy.program.taxonomy.Taxonomy.to_json`
# task -> (mean, deviation) of the numbers of a vector in the training split
Whitening = Mapping[str, tuple[Floats, Floats]]
# What a target's network from scratch is called among the sources: the target's own network, of all
# labels, may be one of them.
FROM_SCRATCH = "{}_from_scratch"
# sources in the order of the channels, keras.Model of their representations
Edge = tuple[tuple[str, ...], Any]


class SourceNetwork(Protocol):
    """What is needed of the networks of `models.networks.task_networks`. encoder, head:
    keras.Model. task: None for a source from outside, whose encoder takes pictures in [0, 1] and
    which has no head.
    """

    @property
    def task(self) -> Task | None: ...

    @property
    def encoder(self) -> Any: ...

    @property
    def head(self) -> Any: ...


class Heads:
    """The networks of a policy. networks: source -> its network; edges: target -> (sources, head);
    size: side of the pictures in pixels.
    """

    def __init__(
        self,
        networks: Mapping[str, SourceNetwork],
        edges: Mapping[str, Edge],
        size: int,
        whitening: Whitening,
    ) -> None:
        self.networks = networks
        self.edges = edges
        self.size = size
        self.whitening = whitening
        # in the order of the list of tasks, whatever order the policy has
        self.targets = [name for name in TASKS if name in edges]

    @classmethod
    def load(
        cls,
        policy: Policy,
        networks: str | Path,
        transfers: str | Path,
        size: int,
        whitening: Whitening,
    ) -> Heads:
        """Loads the networks of a policy. networks, transfers: folders that hold task networks by
        name, and transfer networks and networks from scratch by target. Raises ValueError for a
        transfer network of other sources than the policy's, or a network from scratch of other
        data.
        """
        from models.networks.sources.network import OUTSIDE, load_outside_network
        from models.networks.task_networks.build import load_task_network

        # a target that is supervised has no source in the policy but needs its own network
        sources = {source for edge in policy["edges"] for source in edge["sources"]}
        own = set(fully_supervised(policy))
        loaded: dict[str, SourceNetwork] = {
            name: load_task_network(Path(networks) / name)
            if name in TASKS
            else load_outside_network(Path(transfers) / OUTSIDE / name, size)
            for name in sorted(sources | own)
        }
        # by target, not by task: several edges may share an encoder
        edges: dict[str, Edge] = {}
        for edge in policy["edges"]:
            target = edge["target"]
            if from_scratch(edge):
                name = FROM_SCRATCH.format(target)
                loaded[name] = load_scratch(Path(transfers) / target, edge)
                edges[target] = ((name,), loaded[name].head)
            elif edge["sources"]:
                edges[target] = load_edge(Path(transfers) / target, edge)
            else:
                edges[target] = ((target,), loaded[target].head)
        return cls(loaded, edges, size, whitening)

    def only(self, target: str) -> Heads:
        """Returns `Heads` of `target` alone, on the same networks."""
        return Heads(
            {name: self.networks[name] for name in self.edges[target][0]},
            {target: self.edges[target]},
            self.size,
            self.whitening,
        )

    @property
    def kinds(self) -> list[int]:
        """Numbers of views that questions are about, such as [1, 2, 3]."""
        return [images for images in (1, 2, 3) if self.group(images)]

    def group(self, images: int) -> list[str]:
        """Returns the targets that are about `images` views."""
        return [name for name in self.targets if TASKS[name].images == images]

    def sources(self, images: int) -> set[str]:
        """Returns the sources that questions about `images` views need; all where there is one
        view, since `encode` gives all.
        """
        # `encode` offers every representation, whatever the targets about one view need
        if images == 1:
            return set(self.networks)
        return {source for name in self.group(images) for source in self.edges[name][0]}

    def encode(self, image01: Any, images: int = 1) -> dict[str, Any]:
        """Encodes [B, S, S, 3] in [0, 1] to source -> representation, for the sources that
        questions about `images` views need.
        """
        return {
            name: network.encoder(taken_by(network, image01), training=False)
            for name, network in self.networks.items()
            if name in self.sources(images)
        }

    def answers(
        self,
        codes: Mapping[str, Any],
        images: int,
        heads: Mapping[str, Callable[..., Any]] | None = None,
    ) -> dict[str, Any]:
        """Returns the answers of targets about `images` views from the representations [N images,
        h, w, c] of their sources. heads: functions in place of the Keras heads.
        """
        from keras import ops

        answers = {}
        for name in self.group(images):
            sources, head = self.edges[name]
            code = ops.concatenate([codes[source] for source in sources], axis=-1)
            if images > 1:
                # views of one question go to the head together
                code = ops.reshape(code, (-1, images, *code.shape[1:]))
            answer = heads[name] if heads else head
            answers[name] = answer(code, training=False)
        return answers

    def reference(self, probe: Bytes) -> dict[str, Floats]:
        """Returns the Keras networks' own answers to uint8 [3, S, S, 3] probe images, outside any
        exported graph.
        """
        reference = {}
        for images in self.kinds:
            # probes are three, so that questions about one, two and three views have some
            views = probe[: 3 if images == 1 else images].astype("float32") / 255
            answers = self.answers(self.encode(views, images), images)
            reference.update({name: np.asarray(answer) for name, answer in answers.items()})
        return reference


def taken_by(network: SourceNetwork, image01: Any) -> Any:
    """Converts [B, S, S, 3] in [0, 1] to what a network's encoder takes."""
    from models.networks.training.inputs import encoder_input

    return image01 if network.task is None else encoder_input(network.task, image01)


def from_scratch(edge: Mapping[str, Any]) -> bool:
    """Returns whether a target is answered by its network from scratch. Ask this first: such an
    edge has no source, and neither has that of a supervised target.
    """
    return edge.get("control") == "scratch"


def fully_supervised(policy: Policy) -> list[str]:
    """Returns the targets that are answered by their own network of all labels."""
    return [
        edge["target"] for edge in policy["edges"] if not edge["sources"] and not from_scratch(edge)
    ]


def load_scratch(folder: Path, edge: Mapping[str, Any]) -> SourceNetwork:
    """Returns the network from scratch of one edge of the policy. Raises ValueError for one of
    another task or other data.
    """
    from models.networks.task_networks.build import load_task_network

    network = load_task_network(folder)
    regime = json.loads((folder / "network.json").read_text()).get("regime")
    amount = edge.get("regime", "")
    if network.task.name != edge["target"] or regime != amount:
        raise ValueError(
            f"the policy learns {edge['target']} from scratch in the regime {amount!r}; the "
            f"network at {folder} is of {network.task.name} in {regime!r}; train the policy again"
        )
    return network


def load_edge(folder: Path, edge: Mapping[str, Any]) -> Edge:
    """Returns the transfer network of one edge of the policy. Raises ValueError for other
    sources.
    """
    from models.networks.transfers.edge import load_transfer_network

    transfer = load_transfer_network(folder)
    if list(transfer.sources) != list(edge["sources"]):
        raise ValueError(
            f"the transfer network of {edge['target']} reads {transfer.sources}, the policy says "
            f"{edge['sources']}; train the policy again"
        )
    return tuple(transfer.sources), transfer.head
