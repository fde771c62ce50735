"""All transfers and controls into the targets of one shard, as losses of every test image."""

import json
import os
import tempfile
from dataclasses import asdict
from typing import List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import LabelBank, LossBank, NetworkBank, ProxyTable, RepresentationBank


@component
def TrainTransfers(
    labels: InputArtifact[LabelBank],
    networks: InputArtifact[List[NetworkBank]],
    representations: InputArtifact[RepresentationBank],
    proxies: InputArtifact[ProxyTable],
    losses: OutputArtifact[LossBank],
    targets: Parameter[str],
    share: Parameter[float],
    config: Parameter[str],
    work: Parameter[str],
    code: Parameter[str],
) -> None:
    """Writes the losses of all transfers and controls into `targets`, a JSON list, on every test
    image. share: of the transfers, the most promising by their proxies, that are measured. work:
    folder with the ledger of finished targets, outside the artifact.
    """
    from components.content import say_content
    from components.ledger import gather
    from models.examples.label_store import LabelStore
    from models.networks.config import NetworkConfig
    from models.networks.task_networks.representations import RepresentationStore
    from models.networks.transfers.measure import measure_transfers
    from models.provenance.atomic import write_json
    from models.tasks import target_names
    from models.taxonomy import LossStore
    from models.taxonomy.evidence.screening import promising_sets
    from models.taxonomy.tournament.loss_collector import LossCollector

    collector = LossCollector()
    with tempfile.TemporaryDirectory() as scratch:
        bank = gather([shard.uri for shard in networks], scratch)
        summary = measure_transfers(
            LabelStore(os.path.join(labels.uri, "store")),
            RepresentationStore(os.path.join(representations.uri, "store")),
            bank,
            os.path.join(work, "transfers"),
            NetworkConfig(**json.loads(config)),
            record=collector.record,
            targets=json.loads(targets),
            everywhere=target_names(),
            wanted=promising_sets(os.path.join(proxies.uri, "proxies.json"), share),
        )
    collector.save(LossStore(os.path.join(losses.uri, "losses")), summary.addresses)
    write_json(os.path.join(losses.uri, "calibration.json"), asdict(summary), indent=1)
    say_content(losses, [summary.addresses, summary.calibration])
