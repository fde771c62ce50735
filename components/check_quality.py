"""The gate before the push: better than chance, and no worse than what is served."""

import json
import os
from pathlib import Path
from typing import Any, Dict, List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

from components.artifacts import EvidenceBook, GateVerdict, LabelBank
from components.verdicts import Check

# A candidate may take so many times the time, and the disk and memory, of the served version:
# absolute limits would depend on the machine, and twice is more than one machine varies.
SLOWER = 2.0
LARGER = 2.0
NO_POLICY: Dict[str, Any] = {"supervised": [], "edges": []}


@component
def CheckQuality(
    model: InputArtifact[standard_artifacts.Model],
    labels: InputArtifact[LabelBank],
    evidence: InputArtifact[EvidenceBook],
    infra_blessing: InputArtifact[standard_artifacts.InfraBlessing],
    verdict: OutputArtifact[GateVerdict],
    destination: Parameter[str],
    accepted: Parameter[str],
    served: Parameter[str],
    significance: Parameter[float],
    margin: Parameter[float],
    force: Parameter[str],
    code: Parameter[str],
) -> None:
    """Writes verdict.json: may the bundle be pushed? destination: folder of served versions;
    served: address of the newest, for TFX's cache. accepted: folder with the figures of that
    version's server. significance: largest p against random policies. margin: share by which losses
    may be larger than the served version's. force: reason to go on all the same, "" for none.
    """
    from components.content import say_content
    from components.verdicts import save_verdict, verdict_of
    from models.examples.label_store import LabelStore
    from serving.release.blessing import read_figures
    from serving.release.identity import is_same_model, newest_version

    with open(os.path.join(evidence.uri, "evidence.json")) as file:
        checks = [check_chance(json.load(file)["significance"], significance)]
    candidate = Path(model.uri) / "Format-Serving"
    newest = newest_version(destination)
    # a server that did not start cannot be compared; ValidateInfra's own words come at the push
    if os.path.exists(os.path.join(infra_blessing.uri, "NOT_BLESSED")):
        words = "no server answers with it; what ValidateInfra found is said at the push"
        checks.append(Check("compared with the served version", False, words))
    elif newest is None:
        checks.append(Check("compared with the served version", True, "nothing is served yet"))
    elif is_same_model(candidate, newest):
        words = f"it is version {newest.name}, which is served"
        checks.append(Check("compared with the served version", True, words))
    else:
        store = LabelStore(os.path.join(labels.uri, "store"))
        checks += compare_with_served(candidate, newest, store, margin)
        # memory is not measured again: the figure of ValidateInfra beside the one that was kept at
        # the push
        checks.append(check_memory(read_figures(infra_blessing.uri), Path(accepted)))
    said_all = verdict_of("CheckQuality", tuple(checks), force)
    os.makedirs(verdict.uri, exist_ok=True)
    save_verdict(verdict.uri, said_all)
    # the verdict alone: figures of time differ from run to run
    say_content(verdict, said_all.goes_on)
    if said_all.forced and said_all.reasons:
        print(f"  forced ({said_all.forced}), though {'; '.join(said_all.reasons)}", flush=True)


def check_chance(significance: Dict[str, Any], level: float) -> Check:
    """Check that the policy beats random ones with a p of at most `level`. significance: as in
    the evidence. Without a p nothing shows it, and only a level of 1, which asks nothing, is met.
    """
    name = "better than random policies"
    if "p" not in significance:
        words = f"no p, at most {level:g} is asked: {significance['verdict']}"
        return Check(name, level >= 1, words, {"level": level})
    words = (
        f"p = {significance['p']:.4f} of {significance['policies']} random policies of the same "
        f"budget, at most {level:g} is asked"
    )
    return Check(name, significance["p"] <= level, words, {"p": significance["p"], "level": level})


def compare_with_served(
    candidate: Path, served_bundle: Path, store: Any, margin: float
) -> List[Check]:
    """Checks of a candidate against the served version, both folders of bundles, on the label store
    `store`: targets, changes of policy, losses, speed and size on the disk.
    """
    from models.gates.noninferior import Pair, judge
    from models.gates.policy_changes import changed_ways, explained
    from serving.release.comparison import Bundle, batch_seconds, buildings, losses

    with Bundle.open(candidate) as new, Bundle.open(served_bundle) as old:
        # bundles of before there was a lineage have no policy to compare
        policies = old.lineage.get("policy", NO_POLICY), new.lineage["policy"]
        dropped_targets = sorted(old.targets - new.targets)
        checks = [
            Check(
                "no target is lost",
                not dropped_targets,
                f"version {served_bundle.name} answers {', '.join(dropped_targets)}, the "
                "candidate does not"
                if dropped_targets
                else f"all {len(old.targets)} of version {served_bundle.name} are answered",
            ),
            Check("changes of policy", True, "; ".join(explained(*policies)) or "none"),
        ]
        if old.size != new.size:
            words = (
                f"version {served_bundle.name} answers pictures of {old.size} pixels, the "
                f"candidate of {new.size}: their losses cannot be compared"
            )
            return [*checks, Check("compared with the served version", False, words)]
        shared = sorted(name for name in old.targets & new.targets if store.has(name))
        pairs = {
            # with buildings: differences are resampled by them
            name: Pair(losses(new, store, name), losses(old, store, name), buildings(store, name))
            for name in shared
        }
        now, before = batch_seconds([new, old], store)
        return [
            *checks,
            *judge(pairs, margin, changed_ways(*policies)),
            check_cost("as quick as the served version", "s a batch", now, before, SLOWER),
            check_cost(
                "as small as the served version", "MiB on the disk", new.mib, old.mib, LARGER
            ),
        ]


def check_cost(name: str, unit: str, now: float, before: float, limit: float) -> Check:
    """Check that a cost is at most `limit` times what it was."""
    words = (
        f"{now:.3g} {unit}, the served one {before:.3g}; at most {limit:g} times that is allowed"
    )
    return Check(name, now <= limit * before, words, {"candidate": now, "served": before})


def check_memory(figures: Dict[str, float], accepted: Path) -> Check:
    """Check of the server's memory, in `figures`, against that of the version that was pushed last,
    which lies in the folder `accepted`. It passes where either was not measured.
    """
    from components.accepted import FIGURES

    key, path = "server MiB after loading", accepted / FIGURES
    before = json.loads(path.read_text()).get(key) if path.exists() else None
    if key not in figures or before is None:
        return Check("server's memory", True, "not measured of both")
    return check_cost("server's memory", "MiB", figures[key], before, LARGER)
