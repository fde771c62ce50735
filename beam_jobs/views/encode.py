"""EncodeViews as a Beam job: a worker takes a block of views of one encoder, and the blocks of a
source are joined.

Only names of files pass between the steps: blocks lie in the ledger, each whole or not at all, so
that a killed job goes on when its command is run again. The mean and deviation of a source's
channels are taken where its blocks are joined, over codes in their order: sums in another order
would be other numbers.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import apache_beam as beam

from models.examples.label_store import LabelStore
from models.networks.task_networks.code_blocks import (
    BLOCK,
    Block,
    Encoders,
    SourceWork,
    blocks_of,
    encode_block,
    join_blocks,
)


def encode_by_beam(
    pipeline: beam.Pipeline,
    store: LabelStore,
    shared: str,
    work: Sequence[SourceWork],
    views: int = BLOCK,
) -> None:
    """Writes the codes of `encode_views`' work into its ledger, which every worker sees. pipeline:
    unstarted. shared: the folder of all ledgers. views: how many a block holds.
    """
    labels = Path(shared, "labels")
    if not same_views(labels, store):
        labels = store.directory
    blocks = [block for one in work for block in blocks_of(reachable(one, Path(shared)), views)]
    with pipeline as started:
        (
            started
            | "Blocks" >> beam.Create(blocks)
            | "Spread" >> beam.Reshuffle()
            | "Encode" >> beam.ParDo(Encoding(labels))
            | "Gather" >> beam.GroupByKey()
            | "Join" >> beam.Map(joined)
        )


def reachable(work: SourceWork, shared: Path) -> SourceWork:
    """Returns the work with a network that other machines see too: the one in the ledger, where it
    is the same as the artifact's; else the work as it was.
    """
    network = shared / "networks" / work.network.name
    same = address_of(network) == address_of(work.network)
    return dataclasses.replace(work, network=network) if same else work


def same_views(labels: Path, store: LabelStore) -> bool:
    """Returns whether a folder holds a label store of the same views."""
    try:
        return LabelStore(labels).views_address == store.views_address
    except FileNotFoundError:
        return False


def address_of(network: Path) -> str:
    """Returns the address of what a trained network was made of, "" where there is no network."""
    described = network / "network.json"
    return str(json.loads(described.read_text())["address"]) if described.exists() else ""


class Encoding(beam.DoFn):
    """A Beam function that encodes a block of views; an encoder is built once for each worker and
    shape.
    """

    def __init__(self, labels: Path) -> None:
        super().__init__()
        self.labels = labels

    def setup(self) -> None:
        self.encoders = Encoders()
        self.store = LabelStore(self.labels)

    def process(self, block: Block) -> Iterator[tuple[str, Block]]:
        encode_block(block, self.store, self.encoders)
        yield block.work.folder.name, block


def joined(group: tuple[str, Iterable[Block]]) -> None:
    """Joins the blocks of a source into its codes. If Beam runs a bundle again that had finished,
    the blocks are gone and nothing is done.
    """
    blocks = list(group[1])
    work = blocks[0].work
    if work.blocks.exists():
        join_blocks(work, blocks)
