"""The task networks of one shard."""

import json
import os

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import GateVerdict, LabelBank, NetworkBank


@component
def TrainTasks(
    labels: InputArtifact[LabelBank],
    verdict: InputArtifact[GateVerdict],
    networks: OutputArtifact[NetworkBank],
    names: Parameter[str],
    blessed: Parameter[str],
    config: Parameter[str],
    work: Parameter[str],
    code: Parameter[str],
) -> None:
    """Trains the task networks of one shard. names: JSON list of tasks. blessed: JSON, task ->
    folder of the network that its own begins from; null: all start cold. work: the ledger, outside
    the artifact, so that a killed run resumes with what it had finished. verdict: of the data gate;
    ValueError where it refuses.
    """
    from components.content import addresses_below, say_content
    from components.ledger import publish, trainable
    from components.verdicts import demand
    from models.examples.label_store import LabelStore
    from models.networks.config import NetworkConfig
    from models.networks.task_networks.ledger import train_tasks

    demand(verdict.uri, "nothing was trained")
    store, ledger = LabelStore(os.path.join(labels.uri, "store")), os.path.join(work, "networks")
    wanted = trainable(store, json.loads(names))
    for name in sorted(set(json.loads(names)) - set(wanted)):
        print(f"  {name}: left out, {lacking(name, verdict.uri)}", flush=True)
    network = NetworkConfig(**json.loads(config))
    train_tasks(store, ledger, wanted, network, blessed=json.loads(blessed))
    publish(ledger, wanted, networks.uri)
    say_content(networks, addresses_below(networks.uri, wanted, "network.json"))
    networks.set_int_custom_property("count", len(wanted))


def lacking(name: str, verdict: str) -> str:
    """why a task cannot be trained: files of its labels that were refused, else its splits."""
    from components.verdicts import LABEL_FILES, read_verdict
    from models.tasks import TASKS

    checks = read_verdict(verdict).checks
    shares = next((check.figures for check in checks if check.name == LABEL_FILES), {})
    refused = [f"{shares[label]:.0%} of {label}" for label in TASKS[name].labels if label in shares]
    if refused:
        return (
            f"its files were refused ({', '.join(refused)}): quarantine.jsonl beside the examples "
            "has the reasons"
        )
    return "not each of train, val and test holds a sample of it"
