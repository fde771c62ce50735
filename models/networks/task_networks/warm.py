"""Warm starts: a network that begins where another one of its task and shape ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.networks.task_networks.build import TaskNetwork, load_trained_network


@dataclass(frozen=True)
class Start:
    """The network that another begins from. folder: as `load_trained_network` reads it. address: of
    that network, part of the other's own.
    """

    folder: Path
    address: str


def begin_at(network: TaskNetwork, start: Start) -> None:
    """Gives a fresh network the weights, and running statistics, of another; the optimiser has none
    of its past. Raises ValueError for other shapes (`same_shapes` says so before).
    """
    other = load_trained_network(start.folder)
    network.encoder.set_weights(other.encoder.get_weights())
    network.head.set_weights(other.head.get_weights())


def same_shapes(network: TaskNetwork, other: TaskNetwork) -> bool:
    """Returns whether one network can begin from the other."""
    mine, its = (
        [tuple(weight.shape) for weight in [*each.encoder.weights, *each.head.weights]]
        for each in (network, other)
    )
    return mine == its
