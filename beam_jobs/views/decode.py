"""DecodeLabels as a Beam job: candidates are drawn for each task and split, labelled part by part,
and joined task by task.

Only names of files pass between the steps: candidates and parts lie in the ledger, each whole or
not at all, so that a killed job goes on when its command is run again. The mean and deviation for
whitening are taken where a task's parts are joined, over the numbers in their order: sums in
another order would be other numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam

from models.examples import label_writer
from models.examples.label_writer import PART, LabelPart, LabelWork
from models.examples.splits import SPLITS

# A split's candidates: (task, (the task's work, split, how many)).
Drawn = tuple[str, tuple[LabelWork, str, int]]


def decode_by_beam(pipeline: Any, work: Sequence[LabelWork], part: int = PART) -> None:
    """Writes the labels of `build_label_store`'s work into its ledger, which every worker sees.
    pipeline: unstarted. part: how many candidates a part holds.
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
    """Writes the candidates of a task and split, and returns (task, (work, split, how many))."""
    work, split = item
    return work.entry.name, (work, split, label_writer.draw(work, split))


def planned(
    group: tuple[str, Iterable[tuple[LabelWork, str, int]]], most: int
) -> Iterator[LabelPart]:
    """Yields the parts that a task's candidates are divided into. most: candidates of a part."""
    rows = list(group[1])
    counts = {split: count for _, split, count in rows}
    yield from label_writer.parts_of(rows[0][0], counts, most)


def labelled(part: LabelPart) -> tuple[str, LabelPart]:
    """Writes the labels of a part and returns (task, part)."""
    label_writer.write_part(part)
    return part.work.entry.name, part


def joined(group: tuple[str, Iterable[LabelPart]]) -> None:
    """Joins the parts of a task into its labels. If Beam runs a bundle again that had finished, the
    parts are gone and nothing is done.
    """
    parts = list(group[1])
    work = parts[0].work
    if work.parts.exists():
        label_writer.join_parts(work, parts)
