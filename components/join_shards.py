"""The shards of a stage as one artifact, on every platform: TFX's Kubeflow compiler takes one
channel an input, so each shard is a named, optional input of its own.
"""

import json
import os
from typing import Any, Dict, Iterable, List

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import Artifact, Channel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifacts import LossBank, NetworkBank

# Inputs of a joining node. A stage has at most one shard a task: more than there are tasks, so that
# the spec need not change with the dictionary.
MOST = 64


def inputs_of(artifact: Any) -> Dict[str, ChannelParameter]:
    """Optional inputs of a joining node for shards of one artifact type, by name."""
    # two digits: sorted names are in the order of the shards
    return {f"shard_{i:02d}": ChannelParameter(type=artifact, optional=True) for i in range(MOST)}


class Joined(BaseExecutor):
    """All children of all shards below one artifact, as hard links (copies, across file systems).

    A JSON file that several shards have becomes one: lists are joined, numbers added.
    """

    def content(self, uri: str) -> object:
        """What the joined artifact holds, for its digest: the same for any number of shards."""
        raise NotImplementedError

    def Do(
        self,
        input_dict: Dict[str, List[Artifact]],
        output_dict: Dict[str, List[Artifact]],
        exec_properties: Dict[str, Any],
    ) -> None:
        """Joins the shards; TFX calls it. Raises ValueError for a child that two shards have."""
        from components.content import say_content
        from components.ledger import publish
        from models.provenance.atomic import write_json

        (joined,) = output_dict["joined"]
        os.makedirs(joined.uri, exist_ok=True)
        tables: Dict[str, List[Dict[str, Any]]] = {}
        owner: Dict[str, str] = {}
        for name in sorted(name for name in input_dict if input_dict[name]):
            (shard,) = input_dict[name]
            for child in children(shard.uri):
                # JSON files of equal name are parts of one table; everything else has one owner
                if child.endswith(".json"):
                    with open(os.path.join(shard.uri, child)) as file:
                        tables.setdefault(child, []).append(json.load(file))
                elif child in owner:
                    # two shards of one task: one would overwrite the other without a word
                    raise ValueError(
                        f"{child} is in {owner[child]} and in {name}: a stage's shards share "
                        "nothing; the earlier nodes must be run again"
                    )
                else:
                    owner[child] = name
                    publish(shard.uri, [child], joined.uri)
        for child, parts in tables.items():
            write_json(os.path.join(joined.uri, child), merge_summaries(parts), indent=1)
        say_content(joined, self.content(joined.uri))


class JoinedNetworks(Joined):
    """Task networks of all shards of TrainTasks."""

    def content(self, uri: str) -> object:
        from components.content import addresses_below

        # the same as of TrainTasks: what follows cannot tell one shard from many
        return addresses_below(uri, sorted(os.listdir(uri)), "network.json")


class JoinedLosses(Joined):
    """Losses of the targets of all shards of TrainTransfers."""

    def content(self, uri: str) -> object:
        with open(os.path.join(uri, "calibration.json")) as file:
            summary = json.load(file)
        return [summary["addresses"], summary["calibration"]]


def children(uri: str) -> List[str]:
    """Paths below a shard that it shares with no other: folders of tasks, files, and the folders of
    targets in `losses`, which every shard has.
    """
    shared = os.path.join(uri, "losses")
    below = sorted(os.listdir(shared)) if os.path.isdir(shared) else []
    # targets of all shards stand below one folder: it is no child itself
    own = [name for name in sorted(os.listdir(uri)) if name != "losses"]
    return own + [os.path.join("losses", name) for name in below]


def merge_summaries(parts: Iterable[Dict[str, Any]]) -> Dict[str, Any]:
    """One summary of several with equal fields: tables and lists are joined, numbers added."""
    whole: Dict[str, Any] = {}
    for part in parts:
        for field, value in part.items():
            if field not in whole:
                whole[field] = value
            elif isinstance(value, dict):
                # addresses and calibrations by target, which shards do not share
                whole[field] = {**whole[field], **value}
            else:
                whole[field] = whole[field] + value
    return whole


class JoinNetworksSpec(ComponentSpec):
    """Shards of TrainTasks -> one NetworkBank."""

    PARAMETERS = {"code": ExecutionParameter(type=str)}
    INPUTS = inputs_of(NetworkBank)
    OUTPUTS = {"joined": ChannelParameter(type=NetworkBank)}


class JoinLossesSpec(ComponentSpec):
    """Shards of TrainTransfers -> one LossBank."""

    PARAMETERS = {"code": ExecutionParameter(type=str)}
    INPUTS = inputs_of(LossBank)
    OUTPUTS = {"joined": ChannelParameter(type=LossBank)}


class JoinNetworks(BaseComponent):
    """Node that joins shards of TrainTasks. shards: channels of NetworkBanks. code: digest of what
    the node runs.
    """

    SPEC_CLASS = JoinNetworksSpec
    EXECUTOR_SPEC = ExecutorClassSpec(JoinedNetworks)

    # an instance of its spec: TFX's function components cannot take a list of optional inputs
    def __init__(self, shards: List[Any], code: str) -> None:
        super().__init__(
            JoinNetworksSpec(code=code, joined=Channel(type=NetworkBank), **shard_inputs(shards))
        )


class JoinLosses(BaseComponent):
    """Node that joins shards of TrainTransfers. shards: channels of LossBanks. code: digest of what
    the node runs.
    """

    SPEC_CLASS = JoinLossesSpec
    EXECUTOR_SPEC = ExecutorClassSpec(JoinedLosses)

    def __init__(self, shards: List[Any], code: str) -> None:
        super().__init__(
            JoinLossesSpec(code=code, joined=Channel(type=LossBank), **shard_inputs(shards))
        )


def shard_inputs(shards: List[Any]) -> Dict[str, Any]:
    """Name of an input -> shard. Raises ValueError for more shards than a node has inputs."""
    if len(shards) > MOST:
        raise ValueError(f"at most {MOST} shards of a stage are joined, got {len(shards)}")
    return {f"shard_{i:02d}": shard for i, shard in enumerate(shards)}
