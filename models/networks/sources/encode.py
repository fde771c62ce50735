"""Sources from outside in the representation store: features of every view, reduced by principal
components of the views that teach, standardised as the codes of our own encoders are.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO, TypedDict

import numpy as np

from models.examples.label_store import LabelStore
from models.examples.npy_writer import npy_writer
from models.networks.config import NetworkConfig
from models.networks.sources.description import (
    DESCRIBED,
    OutsideSource,
    SourceError,
    content_of,
    from_row,
)
from models.networks.sources.encoders import features_model, onnx_features
from models.networks.sources.feature_arrays import FeatureArrays, check_finite, check_rows
from models.networks.sources.reduction import deviation_along, principal_components
from models.networks.task_networks.code_blocks import (
    CHUNK,
    LIMIT,
    SourceFacts,
    channel_statistics,
)
from models.networks.task_networks.representations import RepresentationStore
from models.provenance.address import address_of
from models.provenance.atomic import write_json
from models.provenance.linked import linked
from models.provenance.seals import sealed_folder, whole
from models.tasks.arrays import Floats

BATCH = 32
# Deviation of features below which they have none: they are divided by it, in float32.
SMALLEST_UNIT = 1e-30
# [view, grid, grid, c] features, some views after the other.
Parts = Iterator[Floats]


class ReductionFacts(TypedDict):
    """What encoding a source from outside has found."""

    # A channel of the codes each: reduced features = stored * deviation + mean.
    mean: list[float]
    deviation: list[float]
    # Channels before the reduction.
    features: int
    # Share of their variance that the reduction keeps.
    variance: float


class OutsideFacts(ReductionFacts, SourceFacts):
    """source.json of a source from outside."""

    # True.
    outside: bool
    # Cells of a side.
    grid: int


def encode_outside(
    rows: Iterable[Mapping[str, Any]],
    representations: RepresentationStore,
    store: LabelStore,
    config: NetworkConfig,
    out: TextIO = sys.stderr,
) -> RepresentationStore:
    """Returns the store with the sources of `rows` (`description.outside_sources`) behind those of
    the tasks; sources that are encoded already are kept. Raises SourceError for an encoder that
    gives no features of these views.
    """
    directory = representations.directory
    facts = dict(representations.facts["sources"])
    grid = grid_of(representations)
    splits = splits_of(config)
    for row in rows:
        source, folder = from_row(row)
        facts[source.name] = encode_one(source, folder, store, directory, splits, grid, out)
    write_json(directory / "representations.json", {"sources": facts})
    return RepresentationStore(directory)


def splits_of(config: NetworkConfig) -> tuple[str, ...]:
    """Returns the splits that transfers read, the teaching one first, by which components and
    statistics are fitted.
    """
    return tuple(dict.fromkeys((config.transfer_split, "test")))


def views_of(labels: Path, config: NetworkConfig) -> list[str]:
    """Returns the keys of the views that a source must have features of, from the label store in a
    folder; [] if that is gone, or of an earlier layout.
    """
    try:
        store = LabelStore(labels)
    except FileNotFoundError:
        return []
    return [key for split in splits_of(config) for key in store.views(split)]


def grid_of(representations: RepresentationStore) -> int:
    """Returns the cells of a side of every code."""
    return int(representations.read(representations.sources[0], "test").shape[1])


def encode_one(
    source: OutsideSource,
    folder: Path,
    store: LabelStore,
    directory: Path,
    splits: tuple[str, ...],
    grid: int,
    out: TextIO,
) -> OutsideFacts:
    """Returns what source.json says of a source from outside, which is encoded unless the codes are
    there, whole and of this address.
    """
    goal = directory / source.name
    address = address_of(
        encode_features,
        inputs=[source.to_json(), store.views_address, splits, store.size, grid],
    )
    if whole(goal):
        facts: OutsideFacts = json.loads((goal / "source.json").read_text())
        if facts["address"] == address:
            return facts
    if content_of(folder / source.file) != source.digest:
        raise SourceError(
            f"{folder / source.file} is not the file that was added{way_out(source, folder)}"
        )
    since = time.time()
    with sealed_folder(goal) as scratch:
        try:
            features = encode_features(source, folder, store, scratch, splits, grid)
        except SourceError as error:
            # no cause: a run says the deepest one, which knows of no way out
            raise SourceError(f"{error}{way_out(source, folder)}") from None
        facts = {**features, "address": address, "outside": True, "grid": grid}
        write_json(scratch / "source.json", facts)
        write_json(scratch / DESCRIBED, source.to_json())
        if source.served:
            linked(folder / source.file, scratch / source.file)
    print(
        f"  {source.name}, from outside: {facts['features']} features, {source.channels} "
        f"components with {facts['variance']:.0%} of their variance: {time.time() - since:.1f} s",
        file=out,
        flush=True,
    )
    return facts


def way_out(source: OutsideSource, folder: Path) -> str:
    """Returns what to do in a run that met a source which it cannot encode."""
    return f"; add {source.name} again, or delete {folder} to go on without it"


def encode_features(
    source: OutsideSource,
    folder: Path,
    store: LabelStore,
    scratch: Path,
    splits: tuple[str, ...],
    grid: int,
) -> ReductionFacts:
    """Writes reduction.npz and the codes of each split, standardised by the first, on which the
    components are fitted; returns what was found. Raises SourceError.
    """
    features = {split: scratch / f"{split}.features.npy" for split in splits}
    for split, parts in feature_parts(source, folder, store, splits, grid):
        # how many features there are is known once the encoder has run
        first = next(parts)
        with npy_writer(features[split], "float32", first.shape[1:]) as file:
            file.extend(first)
            for part in parts:
                file.extend(part)
    taught = np.load(features[splits[0]], mmap_mode="r")
    mean, components, share = principal_components(chunks(taught), source.channels)
    # In the unit of the widest component: what counts as no deviation is then a share of it,
    # whatever unit somebody's features have.
    widest = deviation_along(chunks(taught), mean, components[:, 0])
    if widest < SMALLEST_UNIT:
        raise SourceError(
            f"{source.name} gives the same features in all places of all {len(taught)} views of "
            f"{splits[0]}; there is nothing to transfer from"
        )
    components = (components / widest).astype("float32")
    np.savez(scratch / "reduction.npz", mean=mean, components=components)
    for split, path in features.items():
        raw = np.load(path, mmap_mode="r")
        shape = (*raw.shape[1:3], source.channels)
        with npy_writer(raw_file(scratch, split), "float32", shape) as file:
            for part in chunks(raw):
                file.extend((part - mean) @ components)
        path.unlink()
    centre, deviation = channel_statistics([raw_file(scratch, splits[0])])
    for split in splits:
        codes = np.load(raw_file(scratch, split), mmap_mode="r")
        with npy_writer(scratch / f"{split}.npy", "float16", codes.shape[1:]) as file:
            for part in chunks(codes):
                file.extend(np.clip((part - centre) / deviation, -LIMIT, LIMIT))
        raw_file(scratch, split).unlink()
    return {
        "mean": centre.tolist(),
        "deviation": deviation.tolist(),
        "features": len(mean),
        "variance": share,
    }


def raw_file(folder: Path, split: str) -> Path:
    """Returns where codes lie until their statistics are known."""
    return folder / f"{split}.raw.npy"


def chunks(array: Floats) -> Iterator[Floats]:
    """Yields an array [n, ...] in order, `CHUNK` rows at a time."""
    for start in range(0, len(array), CHUNK):
        yield np.asarray(array[start : start + CHUNK])


def feature_parts(
    source: OutsideSource, folder: Path, store: LabelStore, splits: tuple[str, ...], grid: int
) -> Iterator[tuple[str, Parts]]:
    """Yields (split, features of its views) for every split, with the encoder loaded once."""
    if source.form == "arrays":
        arrays = FeatureArrays(folder / source.file)
        for split in splits:
            keys = store.views(split)
            # of all of them: of a part it would say how many lack there
            arrays.check_views(keys)
            yield split, arrays.parts(keys, grid)
        return
    if source.form == "onnx":
        run = onnx_features(source, folder / source.file, grid)
    else:
        model = features_model(source, folder, store.size, grid)
        run = model.predict_on_batch
    for split in splits:
        yield split, encoded_features(source.name, run, store, split)


def encoded_features(name: str, run: Any, store: LabelStore, split: str) -> Parts:
    """Yields the features of a split's pictures, in batches of one size: another size would be
    compiled for itself.
    """
    images, keys = store.images(split), store.views(split)
    for start in range(0, len(images), BATCH):
        pictures = np.asarray(images[start : start + BATCH], "float32") / 255
        count = len(pictures)
        whole_batch = np.pad(pictures, [(0, min(BATCH, len(images)) - count), *[(0, 0)] * 3])
        maps = np.asarray(run(whole_batch), "float32")
        check_rows(name, maps, len(whole_batch))
        check_finite(name, maps[:count], keys[start : start + BATCH])
        yield maps[:count]
