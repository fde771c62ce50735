"""EncodeViews as a Beam job: a block of views of one encoder is a worker's, a source is joined of
its blocks.

Between the steps pass names of files: blocks lie in the ledger, each whole or not at all, so that a
killed job goes on with its command. The mean and deviation of a source's channels are taken where
its blocks are joined, over codes in their order: sums in another order are other numbers.
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
    """write the codes of `encode_views`' work into its ledger, which every worker sees. pipeline:
    unstarted. shared: the folder of all ledgers. views: of a block.
    """
    labels = Path(shared, "labels")
    if not same_views(labels, store):
        labels = store.directory
    blocks = [block for one in work for block in blocks_of(seen(one, Path(shared)), views)]
    with pipeline as started:
        (
            started
            | "Blocks" >> beam.Create(blocks)
            | "Spread" >> beam.Reshuffle()
            | "Encode" >> beam.ParDo(Encoding(labels))
            | "Gather" >> beam.GroupByKey()
            | "Join" >> beam.Map(joined)
        )


def seen(work: SourceWork, shared: Path) -> SourceWork:
    """the work with a network that other machines see, too: that of the ledger, where it is the one
    of the artifact.
    """
    network = shared / "networks" / work.network.name
    same = address_of(network) == address_of(work.network)
    return dataclasses.replace(work, network=network) if same else work


def same_views(labels: Path, store: LabelStore) -> bool:
    """has a folder a label store of the same views?"""
    try:
        return LabelStore(labels).views_address == store.views_address
    except FileNotFoundError:
        return False


def address_of(network: Path) -> str:
    """what a trained network was made of; "" where there is none."""
    described = network / "network.json"
    return str(json.loads(described.read_text())["address"]) if described.exists() else ""


class Encoding(beam.DoFn):
    """A block, encoded; an encoder is built once a worker and shape."""

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
    """the codes of a source, of all its blocks; a bundle that Beam runs again finds them there."""
    blocks = list(group[1])
    work = blocks[0].work
    if work.blocks.exists():
        join_blocks(work, blocks)
