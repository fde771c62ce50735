"""The report: which labels to buy, what that gives, how sure we are."""

import json
import os
import shutil
import tempfile
from collections import Counter
from typing import Any, Dict, Iterable, List, Mapping, Optional

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

from components.artifacts import (
    AffinityTable,
    EvidenceBook,
    LabelBank,
    LossBank,
    NetworkBank,
    ProxyTable,
    ReportPages,
    RepresentationBank,
    TaxonomyList,
    TransferBank,
)

# Lines of a quarantine that go into a report; all lie beside the examples.
QUARANTINE = 1000


@component
def WriteReport(
    examples: InputArtifact[standard_artifacts.Examples],
    labels: InputArtifact[LabelBank],
    networks: InputArtifact[List[NetworkBank]],
    representations: InputArtifact[RepresentationBank],
    losses: InputArtifact[List[LossBank]],
    affinities: InputArtifact[AffinityTable],
    taxonomies: InputArtifact[TaxonomyList],
    evidence: InputArtifact[EvidenceBook],
    transfers: InputArtifact[TransferBank],
    proxies: InputArtifact[ProxyTable],
    report: OutputArtifact[ReportPages],
    budget: Parameter[int],
    order: Parameter[int],
    config: Parameter[str],
    root: Parameter[str],
    fingerprint: Parameter[str],
    code: Parameter[str],
) -> None:
    """Gathers what every stage left behind into one folder of files, and shows it as one HTML page
    that is drawn from these files alone. fingerprint: of the data at `root`, for TFX's cache.
    """
    from components.edge_evidence import edge_evidence
    from components.ledger import gather
    from components.report_pictures import save_pictures
    from models.examples.label_store import LabelStore
    from models.networks.task_networks.ledger import task_records
    from models.provenance.atomic import write_json
    from models.reports import write_report

    os.makedirs(report.uri, exist_ok=True)
    for uri, name in (
        (affinities.uri, "affinities.json"),
        (taxonomies.uri, "taxonomies.json"),
        (evidence.uri, "evidence.json"),
        (proxies.uri, "proxies.json"),
    ):
        # copied: the page is drawn from one folder that can be carried away
        shutil.copy(os.path.join(uri, name), report.uri)
    for uri, name in (
        (affinities.uri, "amounts.json"),
        (evidence.uri, "published.json"),
        (evidence.uri, "seeds.json"),
    ):
        # each only where a run has it: several amounts, released tables, several seeds
        if os.path.exists(os.path.join(uri, name)):
            shutil.copy(os.path.join(uri, name), report.uri)
    # shards of TrainTasks as one folder of links, gone when the pictures are drawn
    with tempfile.TemporaryDirectory() as scratch:
        bank = gather([shard.uri for shard in networks], scratch)
        records = task_records(bank)
        store = LabelStore(os.path.join(labels.uri, "store"))
        policy = read(transfers.uri, "policy.json")
        pictures = save_pictures(report.uri, bank, transfers.uri, policy, store)
    behind = edge_evidence(
        report.uri,
        [os.path.join(shard.uri, "losses") for shard in losses],
        affinities.uri,
        read(taxonomies.uri, "taxonomies.json"),
        policy,
        store,
    )
    facts = {
        "networks": [without_curve(record) for record in records],
        "curves": {record["task"]: record["curve"] for record in records if record.get("curve")},
        "calibration": calibration_facts(losses),
        "edges": edge_facts(transfers.uri),
        "dataset": dataset_facts(examples.uri, root),
        "lineage": {
            "config": json.loads(config),
            "manifest": read(examples.uri, "manifest.json")["hash"],
            "code": code,
        },
        "pictures": pictures,
        "edge_evidence": behind,
        "run": {"default_budget": budget, "default_order": order},
    }
    for name, value in facts.items():
        write_json(os.path.join(report.uri, f"{name}.json"), value, indent=1)
    write_report(report.uri)


def without_curve(record: Mapping[str, Any]) -> Dict[str, Any]:
    # curves are as long as a training, and have a file of their own
    return {key: value for key, value in record.items() if key != "curve"}


def calibration_facts(losses: Iterable[Any]) -> List[Dict[str, Any]]:
    """Rows of all shards, one for each target that was also trained by gradient."""
    return [
        row
        for shard in losses
        for row in read(shard.uri, "calibration.json").get("calibration", [])
    ]


def read(uri: str, name: str) -> Any:
    # files are written by other nodes of this very code: a missing one is an error, not a gap
    with open(os.path.join(uri, name)) as file:
        return json.load(file)


def edge_facts(uri: str) -> List[Dict[str, Any]]:
    """Rows of the chosen policy's networks: target, sources, the learner that was taken, and the
    losses of both learners on held-out buildings (None where one alone was asked).
    """
    # folders of networks from scratch have no transfer.json
    facts = [
        read(os.path.join(uri, name), "transfer.json")
        for name in sorted(os.listdir(uri))
        if os.path.exists(os.path.join(uri, name, "transfer.json"))
    ]
    return [
        {name: entry.get(name) for name in ("target", "sources", "learner", "validation")}
        for entry in facts
    ]


def dataset_facts(uri: str, root: str) -> Dict[str, Any]:
    """counts, what was lost in words, quarantine, and a sample of the data set beside real views
    (none for data that lies in an object store).
    """
    from beam_jobs.ingest.known_bad import read_description
    from models.examples.lost_labels import loss_lines

    quarantine: List[Any] = []
    lines = 0
    if os.path.exists(os.path.join(uri, "quarantine.jsonl")):
        with open(os.path.join(uri, "quarantine.jsonl")) as file:
            for line in filter(str.strip, file):
                # counted to the end, kept up to QUARANTINE: the number is shown beside the sample
                lines += 1
                if lines <= QUARANTINE:
                    quarantine.append(json.loads(line))
    # a made data set describes itself; others do not
    facts = read_description(root) if os.path.isdir(root) else {}
    views = read(uri, "manifest.json")["views"]
    # earlier code listed every view there
    splits = views if isinstance(views, dict) else Counter(view["split"] for view in views)
    counts = read(uri, "counts.json")
    return {
        "counts": counts,
        "lost": loss_lines(counts, read(uri, "statistics.json")),
        "quarantine": quarantine,
        "quarantine_lines": lines,
        "statistics": facts.get("statistics") or beside_real_views(root),
        "splits": splits,
    }


def beside_real_views(root: str) -> Optional[List[Dict[str, Any]]]:
    from pathlib import Path

    from beam_jobs.compare import realism

    try:
        # an object store is not looked into
        return realism.rows(Path(root)) if os.path.isdir(root) else None
    except ValueError:
        # The other published tree, or none: a report without the table is still a report.
        return None
