"""CheckLabels as a Beam job: each worker checks shards of the examples, and a combiner joins what
is found in all of them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import apache_beam as beam

from models.examples.check import Findings, Shard, check_shard, concluded, shards_to_check
from models.provenance.atomic import write_json

# Findings by the number of their shard: workers end in any order.
Numbered = dict[int, Findings]


def check_by_beam(pipeline: Any, uri: str, work: str) -> Findings:
    """Returns what `check_examples` finds, computed by Beam's workers. pipeline: unstarted. work: a
    folder that every worker sees.
    """
    shards = shards_to_check(uri)
    Path(work).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work, prefix=".check-") as scratch:
        path = str(Path(scratch, "findings.json"))
        with pipeline as started:
            (
                started
                | "Shards" >> beam.Create(list(enumerate(shards)))
                | "Spread" >> beam.Reshuffle()
                | "Check" >> beam.Map(checked)
                | "Join" >> beam.CombineGlobally(Joined())
                | "Write" >> beam.Map(write, path=path)
            )
        return concluded(uri, Findings.read(path))


def checked(numbered: tuple[int, Shard]) -> Numbered:
    """Returns {number of the shard: what was found in it}."""
    number, shard = numbered
    return {number: check_shard(*shard)}


class Joined(beam.CombineFn):
    """A combiner that joins the findings of all shards in the shards' order; at most `NAMED`
    anomalies a shard are held.
    """

    def create_accumulator(self) -> Numbered:
        return {}

    def add_input(self, accumulator: Numbered, findings: Numbered) -> Numbered:
        return accumulator | findings

    def merge_accumulators(self, accumulators: Any) -> Numbered:
        joined: Numbered = {}
        for one in accumulators:
            joined |= one
        return joined

    def extract_output(self, accumulator: Numbered) -> Findings:
        findings = Findings()
        for number in sorted(accumulator):
            findings.join(accumulator[number])
        return findings


def write(findings: Findings, path: str) -> None:
    """Writes the findings as a JSON file."""
    write_json(path, vars(findings))
