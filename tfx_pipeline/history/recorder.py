"""Keeps the history while the pipeline runs: whatever ends a run, its line is written; of a run
that was killed, the next one writes it.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components.verdicts import Verdict, latest_verdicts
from models.provenance.atomic import write_json
from serving.release.push import versions
from tfx_pipeline.config import Config
from tfx_pipeline.faults import RESUMES
from tfx_pipeline.history import configurations, journal
from tfx_pipeline.history.account import data_of, metrics_of, policy_of
from tfx_pipeline.history.beside import dependency_digests
from tfx_pipeline.history.code import code_addresses
from tfx_pipeline.history.journal import Entry
from tfx_pipeline.history.ledgers import (
    Ledgers,
    ledgers_of,
    measured_since,
    trained_since,
    warm_among,
)
from tfx_pipeline.history.metadata import METADATA, RAN, RunGraph, count_runs, run_graphs
from tfx_pipeline.history.software import software, software_note

# There while a run goes on: what its line will say of how it began.
RUNNING = ".running.json"
# How PushBundle's message begins where it refuses a bundle (`components/push_bundle.py`).
NOT_PUSHED = "not pushed"


class Recorder:
    """What is known of a run while it goes on, for its line in the history."""

    def __init__(self, run: Path, config: Config, data: str) -> None:
        self.run = run
        self.began = time.time()
        # before the run: the line that is written at its end is this one's
        self.number = journal.next_number(run)
        self.data: dict[str, Any] = {"place": data}
        self.config = configurations.keep(run, config)
        # now, not at the end: a file may be edited while the run goes on
        self.code = code_addresses()
        self.beside = dependency_digests(run, config)
        self.software = software()
        self.before = ledgers_of(run)
        self.served = newest_version(run)
        # how many there were: what comes after is this run
        self.runs = count_runs(run)
        self.note()

    def saw(self, fingerprint: str) -> None:
        """Notes the fingerprint of the data, as the run found them."""
        self.data["fingerprint"] = fingerprint
        self.note()

    def note(self) -> None:
        """Writes what the next run will say of this one, should it be killed."""
        before = {
            "networks": self.before.networks,
            "segments": sorted(self.before.segments),
        }
        begun = {
            "number": self.number,
            "began": self.began,
            "data": self.data,
            "config": self.config,
            "code": self.code,
            "beside": self.beside,
            "software": self.software,
            "before": before,
        }
        # there while the run goes on, and removed with its line: whoever finds it was killed
        write_json(self.run / RUNNING, begun)

    def entry(self, error: BaseException | None) -> Entry:
        """Returns the run's line, made of what there is. error: what ended the run, None if it
        ended well.
        """
        graph = self.graph()
        artifacts = graph.artifacts if graph else {}
        verdicts = self.verdicts(graph)
        after = ledgers_of(self.run)
        version = version_pushed(graph)
        # The very bundle that is served is blessed, but not pushed again.
        version = None if version == self.served else version
        trained = trained_since(self.before, after)
        return Entry(
            number=self.number,
            began=self.began,
            seconds=round(time.time() - self.began, 1),
            outcome=outcome_of(error, verdicts, version),
            # the history says that a run may be resumed by its outcome
            reason="" if error is None else str(error).removesuffix(RESUMES),
            data={**self.data, **data_of(artifacts)},
            code=self.code,
            config=self.config,
            beside=self.beside,
            software=self.software,
            metrics=metrics_of(artifacts),
            policy=policy_of(artifacts),
            verdicts=tuple(asdict(verdict) for verdict in verdicts),
            version=version,
            serves=newest_version(self.run),
            ran={
                each.node: round(each.seconds, 1)
                for each in (graph.executions if graph else ())
                if each.state == RAN
            },
            networks=trained,
            warm=warm_among(self.run, trained),
            transfers=measured_since(self.run, self.before, after),
            artifacts={
                # below the run, so that the folder may be moved
                name: str(Path("artifacts", *Path(folder).parts[-3:]))
                for name, folder in artifacts.items()
            },
        )

    def graph(self) -> RunGraph | None:
        """Returns this run's part of the metadata; None if it did not come that far."""
        graphs = run_graphs(self.run)
        # a run that was stopped before its first node has no part of its own
        return graphs[-1] if len(graphs) > self.runs else None

    def verdicts(self, graph: RunGraph | None) -> list[Verdict]:
        """Returns the verdicts of the gates that this run reached."""
        # verdicts of gates that this run did not reach lie there from an earlier one
        reached = {each.node for each in graph.executions} if graph else set()
        return [verdict for verdict in latest_verdicts(self.run) if verdict.gate in reached]


def outcome_of(error: BaseException | None, verdicts: list[Verdict], version: int | None) -> str:
    if isinstance(error, KeyboardInterrupt):
        return journal.STOPPED
    if error is not None:
        # the push refuses in words of its own, after gates that let it pass
        refused = not all(verdict.goes_on for verdict in verdicts) or NOT_PUSHED in str(error)
        return journal.REFUSED if refused else journal.FAILED
    return journal.UNCHANGED if version is None else journal.PUSHED


def version_pushed(graph: RunGraph | None) -> int | None:
    """Returns the version that this very run pushed; None where it pushed none."""
    nodes = [each for each in graph.executions if each.node == "Pusher"] if graph else []
    # a push from the cache pushed nothing now
    if graph is None or graph.pushed is None or not nodes or nodes[-1].state != RAN:
        return None
    name = Path(graph.pushed).name
    return int(name) if name.isdigit() else None


def newest_version(run: Path) -> int | None:
    """Returns the version that a server on the run's folder answers with; None for none."""
    with contextlib.suppress(ValueError):
        return max(versions(run / "serving" / "taxonomy"), default=None)
    return None


@contextlib.contextmanager
def record_run(run: Path, config: Config, data: str) -> Iterator[Recorder]:
    """Context of a run, whose line is written however it ends. The folder's lock is the caller's.
    data: place of the data.
    """
    # first: numbers must follow each other
    record_killed_run(run)
    recorder = Recorder(run, config, data)
    print_software_note(recorder)
    try:
        yield recorder
    # of any kind: Ctrl-C ends a run, too
    except BaseException as error:
        write_line(recorder, error)
        raise
    write_line(recorder, None)


def print_software_note(recorder: Recorder) -> None:
    """Prints a line where the packages are not those of the run before."""
    # those of earlier code noted none
    noted = [entry.software for entry in journal.read(recorder.run) if entry.software]
    line = software_note(recorder.run, noted[-1], recorder.software) if noted else ""
    if line:
        print(line, file=sys.stderr, flush=True)


def write_line(recorder: Recorder, error: BaseException | None) -> None:
    """Writes the run's line; an error in doing so is printed, and hides no other."""
    try:
        journal.append(recorder.run, recorder.entry(error))
        (recorder.run / RUNNING).unlink(missing_ok=True)
    # a history that cannot be written must not turn a good run into a failed one
    except Exception as trouble:
        print(
            f"warning: {recorder.run / journal.HISTORY} got no line of this run: {trouble}",
            file=sys.stderr,
        )


def record_killed_run(run: Path) -> None:
    """Write the line of an earlier run that was killed before it could write its own.

    Raises OSError where the line cannot be written; the note of that run stays then, so that the
    next run writes it.
    """
    path = run / RUNNING
    if not path.exists():
        return
    try:
        entry = entry_of_killed(run, json.loads(path.read_text(encoding="utf-8")))
    # the machine went down while the note was written: of that run nothing is known
    except (ValueError, TypeError, KeyError):
        entry = None
    if entry is not None:
        journal.append(run, entry)
    path.unlink(missing_ok=True)


def entry_of_killed(run: Path, begun: dict[str, Any]) -> Entry:
    """Returns the line of a run that was killed; its end is the last time that it wrote metadata.
    begun: what it noted when it began. Raises ValueError, TypeError, KeyError for half a note.
    """
    before = Ledgers(begun["before"]["networks"], frozenset(begun["before"]["segments"]))
    after = ledgers_of(run)
    # the last moment at which it wrote anything
    places = [place for place in (run / METADATA, run / RUNNING) if place.exists()]
    last = max(place.stat().st_mtime for place in places)
    trained = trained_since(before, after)
    return Entry(
        number=begun["number"],
        began=begun["began"],
        seconds=round(max(0.0, last - begun["began"]), 1),
        outcome=journal.KILLED,
        reason="it ended without a word: killed, or the machine went down",
        data=begun["data"],
        code=begun["code"],
        config=begun["config"],
        # noted by this code alone: a run of an earlier one may have been killed
        beside=begun.get("beside", {}),
        software=begun.get("software", {}),
        serves=newest_version(run),
        networks=trained,
        warm=warm_among(run, trained),
        transfers=measured_since(run, before, after),
    )
