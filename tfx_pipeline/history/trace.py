"""Where the answers of a version come from: the bundle's own story, the artifacts of the run that
pushed it (by ML metadata), and the history's line, as one page.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.provenance.atomic import write_text
from models.reports.trace import Answer, Network, Trace, render_trace
from serving.bundle.manifest import MANIFEST, SIGNATURE
from serving.console.lineage import PLACE
from serving.release.push import WITHDRAWN, versions
from tfx_pipeline.faults import RunError
from tfx_pipeline.history.account import Artifacts, facts_in
from tfx_pipeline.history.journal import Entry, read
from tfx_pipeline.history.metadata import RAN, RunGraph, run_graphs
from tfx_pipeline.history.waste import SERVED, version_of

STORE = "DecodeLabels/labels"


def trace(run: Path, version: int | None, out: Path | None = None) -> Path:
    """Writes the page of a version (default: the newest that serves), and returns its path. Raises
    RunError for a version that is not there.
    """
    there = bundles(run)
    # withdrawn versions have hidden names
    version_numbers = [number for number, folder in there.items() if folder.name == str(number)]
    number = version if version is not None else max(version_numbers, default=None)
    if number is None or number not in there:
        names = ", ".join(map(str, sorted(there))) or "none"
        raise RunError(f"no version {number or ''} in {run / SERVED}; there are: {names}")
    path = out or run / f"trace-{number}.html"
    write_text(path, render_trace(trace_of(run, number, there[number])))
    return path


def bundles(run: Path) -> dict[int, Path]:
    """Returns version -> its folder, withdrawn ones too."""
    folder = run / SERVED
    if not folder.is_dir():
        return {}
    hidden = {
        int(name[1]): path
        for path in folder.iterdir()
        if (name := WITHDRAWN.fullmatch(path.name)) is not None
    }
    # a version that serves comes before one of the same number that was withdrawn
    return {**hidden, **{number: folder / str(number) for number in versions(folder)}}


def version_with(run: Path, lineage: Path) -> int:
    """Returns the version that a lineage.json belongs to, be it a bundle's or from a server's
    folder. Raises RunError.
    """
    try:
        facts = json.loads(lineage.read_text(encoding="utf-8"))
        identity = (facts["artifact"], facts["policy"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{lineage} is no lineage.json of a bundle (VERSION/{PLACE}): {error!r}"
        ) from error
    # from the newest: a story that two versions tell is the later one's
    for number, folder in sorted(bundles(run).items(), reverse=True):
        story = story_of(folder)
        if (story.get("artifact"), story.get("policy")) == identity:
            return number
    raise RunError(f"no version in {run / SERVED} has the story of {lineage}; was it pruned?")


def story_of(bundle: Path) -> dict[str, Any]:
    """Returns lineage.json of a bundle; {} where it cannot be read."""
    return facts_in({"bundle": str(bundle)}, "bundle", str(PLACE))


def trace_of(run: Path, version: int, bundle: Path) -> Trace:
    """Returns all that is known of a version."""
    story = story_of(bundle)
    graph = graph_of(run, version)
    entry = entry_of(run, version)
    artifacts = graph.artifacts if graph else {}
    policy = story.get("policy") or {"edges": [], "supervised": []}
    answers = [answer_of(edge, story, artifacts) for edge in policy["edges"]]
    return Trace(
        version=version,
        state=state_of(run, version, bundle),
        # the time of the folder: a bundle does not say when it was pushed
        pushed=time.strftime("%Y-%m-%d %H:%M", time.localtime(bundle.stat().st_mtime)),
        bundle=bundle_facts(bundle, story),
        answers=answers,
        networks=networks_of(answers, story, artifacts),
        data=data_facts(graph, story, entry, artifacts),
        code=code_of(graph, story),
        config=config_of(run, graph, entry, story),
        artifacts=[
            (name, below_run(run, folder), Path(folder).is_dir())
            for name, folder in artifacts.items()
        ],
        verdicts=entry.verdicts if entry else (),
        unknown=missing_facts(graph, entry, artifacts),
    )


def graph_of(run: Path, version: int) -> RunGraph | None:
    """Returns the run that pushed a version; None where the metadata know none."""
    graphs = [graph for graph in run_graphs(run) if version_of(graph) == version]
    # of runs that name a version, the one that pushed it; others found it served already
    pushes = [graph for graph in graphs if graph.executions[-1].state == RAN]
    return next(iter(pushes or graphs), None)


def entry_of(run: Path, version: int) -> Entry | None:
    entries = [entry for entry in read(run) if entry.version == version]
    return entries[-1] if entries else None


def state_of(run: Path, version: int, bundle: Path) -> str:
    if bundle.name != str(version):
        return "withdrawn"
    return "serves" if version == max(versions(run / SERVED)) else "older"


def answer_of(edge: Mapping[str, Any], story: Mapping[str, Any], artifacts: Artifacts) -> Answer:
    # an edge without a control is a transfer
    target, control = edge["target"], edge.get("control")
    way = {"scratch": "scratch", "supervised": "supervised"}.get(control or "", "transfer")
    head = {
        "transfer": facts_in(artifacts, "TrainPolicy/transfers", target, "transfer.json"),
        # a network from scratch lies where a transfer would
        "scratch": facts_in(artifacts, "TrainPolicy/transfers", target, "network.json"),
        "supervised": (story.get("metrics") or {}).get(target, {}),
    }[way]
    return Answer(
        target=target,
        way=way,
        sources=tuple(edge["sources"]),
        address=head.get("address") or "",
        learner=str(head.get("learner") or "").replace("_", " "),
        quality=edge.get("quality"),
        gain=edge.get("gain"),
        labels=labels_of(artifacts, target).get("address", ""),
    )


def networks_of(
    answers: list[Answer], story: Mapping[str, Any], artifacts: Artifacts
) -> list[Network]:
    """Returns every network that an answer is read from, once, in the order of the answers."""
    names = list(dict.fromkeys(name for answer in answers for name in answer.networks))
    metrics = story.get("metrics") or {}
    networks = []
    for name in names:
        # "TASK from scratch" is called after its task
        task = name.partition(" ")[0]
        if name == task:
            # what the bundle says, then what the artifact says, where it is still there
            record = {**metrics.get(task, {}), **trained_record(artifacts, task)}
        else:
            record = facts_in(artifacts, "TrainPolicy/transfers", task, "network.json")
        labels = labels_of(artifacts, task)
        networks.append(
            Network(
                name=name,
                task=task,
                address=record.get("address") or "",
                record=record,
                labels=labels.get("address", ""),
                samples=labels.get("samples", {}),
            )
        )
    return networks


def trained_record(artifacts: Artifacts, task: str) -> dict[str, Any]:
    """Returns network.json of a task, of the stage or of the shard that trained it; {} where it is
    gone.
    """
    for name in artifacts:
        if re.fullmatch(r"TrainTasks(-\d+)?/networks", name):
            record = facts_in(artifacts, name, task, "network.json")
            if record:
                return record
    return {}


def labels_of(artifacts: Artifacts, task: str) -> dict[str, Any]:
    return facts_in(artifacts, STORE, "store", task, "labels.json")


def bundle_facts(bundle: Path, story: Mapping[str, Any]) -> dict[str, Any]:
    manifest = bundle / MANIFEST
    size = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
    digest = (
        hashlib.sha256(manifest.read_bytes()).hexdigest()
        if manifest.exists()
        else "it has no manifest"
    )
    return {
        "folder": str(bundle),
        "built as": story.get("artifact", "not known"),
        "SHA-256 of its manifest": digest,
        "signed": "yes" if (bundle / SIGNATURE).exists() else "no",
        "size": f"{size / 2**20:.1f} MiB",
    }


def data_facts(
    graph: RunGraph | None, story: Mapping[str, Any], entry: Entry | None, artifacts: Artifacts
) -> dict[str, Any]:
    """Returns what is known of the data, by the names that the page shows; count and hash are in
    the picture too.
    """
    index = facts_in(artifacts, "ExampleGen/examples", "index", "index.json")
    counts = facts_in(artifacts, "ExampleGen/examples", "counts.json")
    manifest = facts_in(artifacts, "ExampleGen/examples", "manifest.json")
    nodes = {each.node: each for each in graph.executions} if graph else {}
    parameters = nodes["ExampleGen"].parameters if "ExampleGen" in nodes else {}
    views = index.get("views") or {}
    facts = {
        "hash": index.get("hash") or story.get("data") or story.get("manifest"),
        "count": sum(views.values()) if views else None,
        "views a split": ", ".join(f"{split} {number}" for split, number in views.items()),
        "buildings": ", ".join(index.get("buildings", [])),
        "place": (entry.data.get("place") if entry else None) or parameters.get("root"),
        "span": manifest.get("span"),
        "fingerprint of the files": parameters.get("fingerprint"),
        "left out by ingest": counts.get("quarantined"),
    }
    return {name: value for name, value in facts.items() if value not in (None, "")}


def code_of(graph: RunGraph | None, story: Mapping[str, Any]) -> dict[str, str]:
    """Returns node -> digest of all that it ran."""
    if graph is None:
        # without metadata the bundle knows its own code
        return {"BuildBundle": str(story["code"])} if "code" in story else {}
    return {
        each.node: str(each.parameters["code"])
        for each in graph.executions
        if "code" in each.parameters
    }


def config_of(
    run: Path, graph: RunGraph | None, entry: Entry | None, story: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the whole configuration: as the history keeps it, else as the report's node was told
    it.
    """
    from tfx_pipeline.history.configurations import fields_of

    fields = fields_of(run, entry.config.get("digest", "")) if entry else {}
    if fields:
        return fields
    for each in graph.executions if graph else ():
        if "config" in each.parameters and each.node == "WriteReport":
            return dict(json.loads(str(each.parameters["config"])))
    return {"name": story["config"]} if "config" in story else {}


def below_run(run: Path, folder: str) -> str:
    """Returns a folder's path below the run where it lies there, else as it is."""
    path = Path(folder)
    # by absolute paths: a run may have been started from another folder
    return str(path.relative_to(run.absolute())) if path.is_relative_to(run.absolute()) else folder


def missing_facts(graph: RunGraph | None, entry: Entry | None, artifacts: Artifacts) -> list[str]:
    """Returns lines on what the page cannot say."""
    lines = []
    if graph is None:
        lines.append(
            "ML metadata of this folder know no run that pushed it: only the bundle's own story "
            "is told."
        )
    names = [name for name, folder in artifacts.items() if not Path(folder).is_dir()]
    if names:
        lines.append(f"Removed since, so that details are missing: {', '.join(names)}.")
    if entry is None:
        lines.append("The history has no line of its push: it is older than the history.")
    return lines
