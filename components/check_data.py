"""The gate before training: are these data what they were, and do labels belong to pictures?"""

import glob
import json
import os
from typing import List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

from components.artifacts import GateVerdict, LabelBank
from components.verdicts import LABEL_FILES, Check

# Share of the views, and of those with a file of a label, that may be unreadable before somebody
# should look.
BROKEN = 0.2


@component
def CheckData(
    examples: InputArtifact[standard_artifacts.Examples],
    statistics: InputArtifact[standard_artifacts.ExampleStatistics],
    schema: InputArtifact[standard_artifacts.Schema],
    labels: InputArtifact[LabelBank],
    verdict: OutputArtifact[GateVerdict],
    accepted: Parameter[str],
    # both are addresses: TFX's cache sees parameters, not the folders behind them
    known: Parameter[str],
    force: Parameter[str],
    code: Parameter[str],
) -> None:
    """Writes verdict.json: may networks learn from these data? Beside it, what later data are
    compared with once these are accepted. accepted: folder of the data that were accepted last;
    known: address of what lies there, for TFX's cache. force: reason to go on all the same, "" for
    none.
    """
    from components.accepted import accepted_profile, say_evidence, write_evidence
    from components.verdicts import save_verdict, verdict_of
    from models.examples.label_store import LabelStore
    from models.gates import drift
    from models.gates.profile import profile

    present = profile(LabelStore(os.path.join(labels.uri, "store")))
    before = accepted_profile(accepted)
    # alone first: what is wrong in itself is said even without anything to compare with
    checks = [*drift.alone(present), *(drift.beside(present, before) if before else [])]
    checks += schema_checks(statistics.uri, accepted)
    checks += [nothing_lost(examples.uri), labels_read(examples.uri)]
    # SchemaGen writes one file, whatever it is called
    (inferred,) = glob.glob(os.path.join(schema.uri, "*.pbtxt"))
    # before the verdict: evidence of refused data is looked at, too, when somebody accepts it by
    # force
    write_evidence(verdict.uri, present, inferred, statistics.uri)
    decision = verdict_of("CheckData", tuple(checks), force)
    save_verdict(verdict.uri, decision)
    say_evidence(verdict, decision.goes_on)
    if decision.forced and decision.reasons:
        print(f"  forced ({decision.forced}), though {'; '.join(decision.reasons)}", flush=True)


def schema_checks(statistics: str, accepted: str) -> List[Check]:
    """Checks of the statistics against the schema that data must keep: a failed one for every
    anomaly.
    """
    from components.accepted import STATISTICS, schema_beside
    from components.data_schema import anomalies, curate, read_schema

    name, reference = "examples keep their schema", schema_beside(accepted)
    if reference is None:
        # no kept schema is no fault: the first data would never pass
        return [Check(name, True, "none is kept yet: the first accepted data give one")]
    before = os.path.join(accepted, STATISTICS)
    lines = anomalies(
        # drift only where statistics of accepted data lie beside the schema
        statistics,
        curate(read_schema(reference)),
        before if os.path.isdir(before) else None,
    )
    return [Check(name, False, line) for line in lines] or [
        Check(name, True, f"that of {reference}")
    ]


def nothing_lost(examples: str) -> Check:
    """Check that at most the share BROKEN of the views was put aside as broken."""
    with open(os.path.join(examples, "counts.json")) as file:
        counts = json.load(file)
    # no view read at all must not divide by 0: another check says so
    share = counts["quarantined"] / max(1, counts["read"])
    words = f"{counts['quarantined']} of {counts['read']} views are quarantined"
    return Check("few views are broken", share <= BROKEN, words, {"quarantined": share})


def labels_read(examples: str) -> Check:
    """are there labels of which too many files were refused? Their views are written without them,
    so that nothing else tells of it.
    """
    from models.examples.lost_labels import lost_labels

    tables = []
    for name in ("counts.json", "statistics.json"):
        with open(os.path.join(examples, name)) as file:
            tables.append(json.load(file))
    missing_labels = lost_labels(*tables)
    words = "; ".join(label.words() for label in missing_labels)
    shares = {label.label: label.share for label in missing_labels}
    passed = all(share <= BROKEN for share in shares.values())
    if not passed:
        words += (
            f" ({os.path.join(examples, 'quarantine.jsonl')} has the reasons; move a label's "
            "folders out of the data if it is to be left out)"
        )
    return Check(LABEL_FILES, passed, words or "no file of a label was refused", shares)
