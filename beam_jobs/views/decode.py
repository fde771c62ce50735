"""DecodeLabels as a Beam job: candidates are drawn task by task and split by split, labelled part
by part, and joined task by task.

Between the steps pass names of files: candidates and parts lie in the ledger, each whole or not at
all, so that a killed job goes on with its command. Whitening takes its mean and deviation where a
task's parts are joined, over numbers in their order: sums in another order are other numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam

from models.examples import label_writer
from models.examples.label_writer import PART, LabelPart, LabelWork
from models.examples.splits import SPLITS

# A split's candidates: (task, (split, how many)), and with them what the task's work is.
Drawn = tuple[str, tuple[LabelWork, str, int]]


def decode_by_beam(pipeline: Any, work: Sequence[LabelWork], part: int = PART) -> None:
    """write the labels of `build_label_store`'s work into its ledger, which every worker sees.
    pipeline: unstarted. part: candidates of a part.
    """
    splits = [(one, split) for one in work for split in SPLITS]
    with pipeline as started:
        (
            started
            | "Tasks" >> beam.Create(splits)
            | "SpreadTasks" >> beam.Reshuffle()
            | "Draw" >> beam.Map(drawn)
            | "ByTask" >> beam.GroupByKey()
            | "Plan" >> beam.FlatMap(planned, most=part)
            | "SpreadParts" >> beam.Reshuffle()
            | "Label" >> beam.Map(labelled)
            | "Gather" >> beam.GroupByKey()
            | "Join" >> beam.Map(joined)
        )


def drawn(item: tuple[LabelWork, str]) -> Drawn:
    """the candidates of a task and split, written."""
    work, split = item
    return work.entry.name, (work, split, label_writer.draw(work, split))


def planned(
    group: tuple[str, Iterable[tuple[LabelWork, str, int]]], most: int
) -> Iterator[LabelPart]:
    """the parts of a task."""
    rows = list(group[1])
    counts = {split: count for _, split, count in rows}
    yield from label_writer.parts_of(rows[0][0], counts, most)


def labelled(part: LabelPart) -> tuple[str, LabelPart]:
    """a part, written."""
    label_writer.write_part(part)
    return part.work.entry.name, part


def joined(group: tuple[str, Iterable[LabelPart]]) -> None:
    """the labels of a task, of all its parts; a bundle that Beam runs again finds them there."""
    parts = list(group[1])
    work = parts[0].work
    if work.parts.exists():
        label_writer.join_parts(work, parts)
