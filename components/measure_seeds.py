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
    """Writes seed-1.json and so on: tables of the same measurement with other seeds, of the amount
    of data that decides. names, targets: JSON lists of sources and targets. outside, share, config:
    as EncodeViews and TrainTransfers take them. seeds: number of measurements, the run's own among
    them. work: folder with a ledger a seed, so that a killed run resumes.

    Networks, codes, transfers and controls are made again with the seeds after `config`'s; labels,
    splits and the choice of what is measured are shared. The closed form's calibration, and
    networks of shares of the labels, are not repeated.
    """
    from components.content import files_below, say_content
    from components.ledger import trainable
    from models.examples.label_store import LabelStore
    from models.networks.config import NetworkConfig
    from models.taxonomy.evidence.screening import promising_sets

    store = LabelStore(os.path.join(labels.uri, "store"))
    settings = NetworkConfig(**json.loads(config))
    # what the run itself measured: choosing again would measure something else
    wanted = promising_sets(os.path.join(proxies.uri, "proxies.json"), share)
    os.makedirs(tables.uri, exist_ok=True)
    # number 0 is the run itself
    for number in range(1, seeds):
        print(f"  measurement {number + 1} of {seeds}, seed {settings.seed + number}", flush=True)
        table = measure_with_seed(
            store,
            trainable(store, json.loads(names)),
            json.loads(targets),
            json.loads(outside),
            repeated(settings, number),
            wanted,
            # a ledger a seed: a killed run goes on
            os.path.join(work, "seeds", str(settings.seed + number)),
        )
        table.save(os.path.join(tables.uri, f"seed-{number}.json"))
    say_content(tables, files_below(tables.uri))


def repeated(settings: Any, number: int) -> Any:
    """The NetworkConfig of measurement `number` after the run's own: another seed, and nothing that
    is not repeated.
    """
    seed = settings.seed + number
    return replace(settings, seed=seed, calibration_targets=0, supervised_shares=())


def measure_with_seed(
    store: Any,
    names: List[str],
    targets: List[str],
    outside: List[Any],
    settings: Any,
    wanted: Any,
    work: str,
) -> Any:
    """`Affinities` of one more measurement, in which everything that has a seed is made with that
    of `settings`. wanted: target -> source sets to measure, None for all. Finished parts are kept
    below `work`.
    """
    from models.networks.sources.encode import encode_outside
    from models.networks.task_networks.ledger import train_tasks
    from models.networks.task_networks.representations import encode_views
    from models.networks.transfers.measure import measure_transfers
    from models.taxonomy import LossStore, measure
    from models.taxonomy.tournament.loss_collector import LossCollector

    networks = os.path.join(work, "networks")
    train_tasks(store, networks, names, settings)
    codes = encode_views(networks, store, os.path.join(work, "codes"), names, settings)
    if outside:
        codes = encode_outside(outside, codes, store, settings)
    collector = LossCollector()
    summary = measure_transfers(
        store,
        codes,
        networks,
        os.path.join(work, "transfers"),
        settings,
        record=collector.record,
        targets=targets,
        wanted=wanted,
    )
    # losses are only needed for their table
    with tempfile.TemporaryDirectory() as scratch:
        losses = LossStore(scratch)
        collector.save(losses, summary.addresses)
        # tournaments are kept by losses: nothing of the run's own is found here by mistake
        return measure(losses, cache=os.path.join(work, "tournaments"), regime="")
