"""The representation store: every frozen encoder once over every view that transfers learn from or
are judged on, so that they never touch pixels.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.task_networks.code_blocks import (
    BLOCK,
    Encoders,
    SourceFacts,
    SourceWork,
    blocks_of,
    encode_block,
    join_blocks,
    sweep_blocks,
)
from models.networks.task_networks.records import read_record
from models.provenance.address import address_of
from models.provenance.atomic import write_json
from models.provenance.seals import whole
from models.tasks import TASKS
from models.tasks.addressing import rows_of, settings_of
from models.tasks.arrays import Floats

# Encodes some sources.
Writing = Callable[[Sequence[SourceWork]], None]


class RepresentationStore:
    """Representations of views: float16 maps [n, h, w, c] a source and split, standardised by the
    mean and deviation a channel of the split that transfers learn from.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        described = self.directory / "representations.json"
        if not described.exists():
            raise FileNotFoundError(
                f"no representation store at {directory}; encode_views writes one"
            )
        self.facts: dict[str, dict[str, SourceFacts]] = json.loads(described.read_text())

    @property
    def sources(self) -> list[str]:
        """Names of the sources, in the order in which sets of sources count them."""
        return list(self.facts["sources"])

    def address(self, source: str) -> str:
        """Returns 16 hex digits that change with the source's network, the views, and what encodes
        them.
        """
        return str(self.facts["sources"][source]["address"])

    def read(self, source: str, split: str) -> Floats:
        """Returns a float16 memmap [n, h, w, c] in the order of `LabelStore.images(split)`. Raises
        FileNotFoundError for a split that no transfer reads.
        """
        array: Floats = np.load(self.directory / source / f"{split}.npy", mmap_mode="r")
        return array

    def scale(self, source: str) -> tuple[Floats, Floats]:
        """Returns mean and deviation a channel, [c] each: raw = stored * deviation + mean."""
        facts = self.facts["sources"][source]
        return np.array(facts["mean"], "float32"), np.array(facts["deviation"], "float32")


def encode_views(
    networks: str | Path,
    store: LabelStore,
    directory: str | Path,
    names: Iterable[str],
    config: NetworkConfig,
    out: TextIO = sys.stderr,
    writing: Writing | None = None,
) -> RepresentationStore:
    """Runs the encoders of `names` over all views of `config.transfer_split` and of test; complete
    sources of the same network are kept. writing: encodes the sources that are lacking, by default
    `encode_here`; elsewhere a Beam job.
    """
    since = time.time()
    directory = Path(directory)
    task_names = list(names)
    splits = tuple(dict.fromkeys((config.transfer_split, "test")))
    work = [
        source_work(Path(networks) / name, store, directory / name, splits) for name in task_names
    ]
    lacking = [one for one in work if not is_stored(one)]
    for one in lacking:
        sweep_blocks(one)
    if lacking and writing is not None:
        writing(lacking)
    else:
        encode_here(lacking, store)
    described = [directory / name / "source.json" for name in task_names]
    facts = {name: json.loads(path.read_text()) for name, path in zip(task_names, described)}
    write_json(directory / "representations.json", {"sources": facts})
    views = sum(len(store.images(split)) for split in splits)
    print(
        f"  {len(task_names)} encoders over {views} views: {time.time() - since:.1f} s",
        file=out,
        flush=True,
    )
    return RepresentationStore(directory)


def source_work(
    network: Path, store: LabelStore, folder: Path, splits: tuple[str, ...]
) -> SourceWork:
    """Returns what encoding one source takes, with the address of what its codes are made of."""
    record = read_record(network)
    task = TASKS[record["task"]]
    address = address_of(
        encode_source,
        inputs=[record["address"], store.views_address, splits],
        settings=settings_of(task),
        choices=rows_of(task),
    )
    counts = tuple((split, len(store.images(split))) for split in splits)
    return SourceWork(network.absolute(), folder.absolute(), address, counts)


def is_stored(work: SourceWork) -> bool:
    """Returns whether the store holds a source with this very address, whole."""
    described = work.folder / "source.json"
    return whole(work.folder) and json.loads(described.read_text())["address"] == work.address


def encode_here(work: Sequence[SourceWork], store: LabelStore) -> None:
    """Encodes one source after the other in this process."""
    encoders = Encoders()
    for one in work:
        encode_source(one, store, encoders)


def encode_source(work: SourceWork, store: LabelStore, encoders: Encoders) -> None:
    """Encodes all views of a store by one encoder."""
    blocks = blocks_of(work, BLOCK)
    for block in blocks:
        encode_block(block, store, encoders)
    join_blocks(work, blocks)
