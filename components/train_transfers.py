"""All transfers and controls into the targets of one shard, as losses of every test image."""

import json
import os
import tempfile
from dataclasses import asdict
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

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
    """targets: JSON list. share: of the transfers, the most promising by their proxies, that are
    measured. work: the ledger of finished targets, outside the artifact.
    """
    from components.content import say_content
    from components.ledger import gather
    from models.examples.label_store import LabelStore
    from models.networks.config import NetworkConfig
    from models.networks.task_networks.representations import RepresentationStore
    from models.networks.transfers.measure import measure_transfers
    from models.tasks import target_names
    from models.taxonomy import LossStore

    kept, record = kept_losses()
    with tempfile.TemporaryDirectory() as scratch:
        bank = gather([shard.uri for shard in networks], scratch)
        summary = measure_transfers(
            LabelStore(os.path.join(labels.uri, "store")),
            RepresentationStore(os.path.join(representations.uri, "store")),
            bank,
            os.path.join(work, "transfers"),
            NetworkConfig(**json.loads(config)),
            record=record,
            targets=json.loads(targets),
            everywhere=target_names(),
            wanted=worth_measuring(os.path.join(proxies.uri, "proxies.json"), share),
        )
    store = LossStore(os.path.join(losses.uri, "losses"))
    for target, (images, rows) in kept.items():
        store.set_images(target, images)
        store.extend(rows, address=summary.addresses[target])
    with open(os.path.join(losses.uri, "calibration.json"), "w") as file:
        json.dump(asdict(summary), file, indent=1)
    say_content(losses, [summary.addresses, summary.calibration])


def kept_losses() -> Tuple[Dict[str, Tuple[Sequence[str], Dict[Any, Any]]], Callable[..., None]]:
    """(target -> (names of its test samples, transfer -> losses), the `record` of
    `measure_transfers` that fills it).
    """
    from models.taxonomy import Transfer

    kept: Dict[str, Tuple[Sequence[str], Dict[Any, Any]]] = {}

    def record(transfer: Dict[str, Any], images: Sequence[str], values: Any) -> None:
        """transfer: {sources, target, regime, control}; images: names of the test samples; values:
        float [image].
        """
        kept.setdefault(transfer["target"], (images, {}))[1][
            Transfer(**{**transfer, "sources": tuple(transfer["sources"])})
        ] = values

    return kept, record


def worth_measuring(path: str, share: float) -> Optional[Dict[str, List[Tuple[str, ...]]]]:
    """target -> the source sets of the promising `share` of its transfers, by the mean rank of all
    proxies; None for all of them.
    """
    from models.taxonomy.evidence.screening import promising, read_predictions

    if share >= 1:
        return None
    wanted: Dict[str, List[Tuple[str, ...]]] = {}
    predictions = read_predictions(path) or {}
    for transfer in promising(predictions["mean rank"], share):
        wanted.setdefault(transfer.target, []).append(transfer.sources)
    return wanted
