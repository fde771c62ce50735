"""The whole measurement again with other seeds: how much of it is luck of training."""

import json
import os
import tempfile
from dataclasses import replace
from typing import Any, List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import LabelBank, ProxyTable, SeedTables


@component
def MeasureSeeds(
    labels: InputArtifact[LabelBank],
    proxies: InputArtifact[ProxyTable],
    tables: OutputArtifact[SeedTables],
    names: Parameter[str],
    targets: Parameter[str],
    outside: Parameter[str],
    seeds: Parameter[int],
    share: Parameter[float],
    config: Parameter[str],
    work: Parameter[str],
    code: Parameter[str],
) -> None:
    """names, targets: JSON lists of sources and targets. outside, share, config: as of EncodeViews
    and TrainTransfers. seeds: measurements in all, the run's own among them. work: below it a
    ledger a seed, so that a killed run resumes.

    Networks, codes, transfers and controls are made again with the seeds after `config`'s; labels,
    splits and the choice of what is measured are shared. The closed form's calibration is not
    repeated. `seed-1.json` and so on: tables of the regime that decides.
    """
    from components.content import files_below, say_content
    from components.ledger import labelled
    from models.examples.label_store import LabelStore
    from models.networks.config import NetworkConfig

    store = LabelStore(os.path.join(labels.uri, "store"))
    settings = NetworkConfig(**json.loads(config))
    wanted = wanted_of(proxies.uri, share)
    os.makedirs(tables.uri, exist_ok=True)
    # number 0 is the run itself
    for number in range(1, seeds):
        print(f"  measurement {number + 1} of {seeds}, seed {settings.seed + number}", flush=True)
        table = measured_again(
            store,
            labelled(store, json.loads(names)),
            json.loads(targets),
            json.loads(outside),
            replace(settings, seed=settings.seed + number, calibration_targets=0),
            wanted,
            # a ledger a seed: a killed run goes on
            os.path.join(work, "seeds", str(settings.seed + number)),
        )
        table.save(os.path.join(tables.uri, f"seed-{number}.json"))
    say_content(tables, files_below(tables.uri))


def wanted_of(uri: str, share: float) -> Any:
    """the transfers that the run itself measures; None for all."""
    from components.train_transfers import worth_measuring

    # what the run measured, and no more: choosing again would measure something else
    return worth_measuring(os.path.join(uri, "proxies.json"), share)


def measured_again(
    store: Any,
    names: List[str],
    targets: List[str],
    outside: List[Any],
    settings: Any,
    wanted: Any,
    work: str,
) -> Any:
    """`Affinities` of one more measurement, everything that has a seed made with that of
    `settings`; finished parts are kept below `work`.
    """
    from components.train_transfers import kept_losses
    from models.networks.sources.encode import encode_outside
    from models.networks.task_networks.ledger import train_tasks
    from models.networks.task_networks.representations import encode_views
    from models.networks.transfers.measure import measure_transfers
    from models.taxonomy import LossStore, measure

    networks = os.path.join(work, "networks")
    train_tasks(store, networks, names, settings)
    codes = encode_views(networks, store, os.path.join(work, "codes"), names, settings)
    if outside:
        codes = encode_outside(outside, codes, store, settings)
    kept, record = kept_losses()
    summary = measure_transfers(
        store,
        codes,
        networks,
        os.path.join(work, "transfers"),
        settings,
        record=record,
        targets=targets,
        wanted=wanted,
    )
    # losses are only needed for their table
    with tempfile.TemporaryDirectory() as scratch:
        losses = LossStore(scratch)
        for target, (images, rows) in kept.items():
            losses.set_images(target, images)
            losses.extend(rows, address=summary.addresses[target])
        # tournaments are kept by losses: nothing of the run's own is found here by mistake
        return measure(losses, cache=os.path.join(work, "tournaments"), regime="")
