"""A new source: its file looked at, copied beside the run, described. A row in a folder, which the
next run reads.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from models.networks.sources.description import (
    DESCRIBED,
    PREPROCESSING,
    OutsideSource,
    SourceError,
    check_name,
    content_of,
    keys_file,
    outside_sources,
)
from models.networks.sources.encoders import Preprocessed, features_model, onnx_features
from models.networks.sources.feature_arrays import FeatureArrays, check_finite, check_rows
from models.networks.sources.several_scales import made_up_pictures
from models.provenance.atomic import write_json
from models.provenance.seals import sealed_folder
from models.tasks.arrays import Floats

CONTROL = "{}_random"
# Side of the pictures that an encoder is tried with where no run says its own, and of the grid.
TRIED = 64
GRID = 8


def add_source(
    folder: str | Path,
    name: str,
    encoder: str | Path,
    *,
    preprocess: str = "unit",
    random_control: bool = False,
    seed: int = 0,
    run_size: int = TRIED,
    views: Sequence[str] = (),
    **fields: Any,
) -> list[OutsideSource]:
    """Writes `folder`/NAME for an encoder's file, after a trial on made-up pictures; with
    random_control a second one, NAME_random, of the same shape with weights drawn anew. Both are
    written, or neither.

    run_size: side of the run's pictures, which a source without a size of its own takes. views:
    keys of the run's views, of which arrays must have features; (): not known. fields: of
    `OutsideSource` (size, mean, deviation, layer, channels), which go before those of
    `preprocess`, a row of `PREPROCESSING`. Raises SourceError in one line for what cannot be a
    source.
    """
    check_name(name)
    control = CONTROL.format(name)
    if random_control:
        check_name(control)
    folder, encoder = Path(folder), Path(encoder)
    if preprocess not in PREPROCESSING:
        raise SourceError(
            f"a preprocessing is one of {', '.join(PREPROCESSING)}; got {preprocess!r}"
        )
    mean, deviation, blue_first = PREPROCESSING[preprocess]
    description = {"mean": mean, "deviation": deviation, "blue_first": blue_first, **fields}
    form = form_of(encoder)
    check_form(encoder, form, preprocess, fields)
    file = f"encoder{encoder.suffix}" if encoder.is_file() else "encoder"
    source = OutsideSource(name, form, file, content_of(encoder), **description)
    if random_control and form != "keras":
        raise SourceError(
            f"a random control is drawn of a .keras model; {encoder} is of the form {form}"
        )
    try_encoder(source, encoder, run_size, views)
    if not random_control:
        write_source(folder, source, encoder)
        return [source]
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / f".{control}.keras"
    try:
        drawn_anew(encoder, source, seed, run_size).save(scratch)
        random = OutsideSource(
            control, form, file, content_of(scratch), **description, control_of=name
        )
        try_encoder(random, scratch, run_size)
        write_source(folder, source, encoder)
        write_source(folder, random, scratch)
    finally:
        scratch.unlink(missing_ok=True)
    return [source, random]


def check_form(encoder: Path, form: str, preprocess: str, fields: Mapping[str, Any]) -> None:
    """Raises SourceError for what would be left unread of an encoder of that form."""
    if fields.get("layer") and form != "keras":
        raise SourceError(
            f"--layer names a layer of a .keras model; {encoder} is of the form {form}: export it "
            "up to that layer"
        )
    preprocessing = {
        "--size": fields.get("size"),
        "--preprocess": preprocess != "unit",
        "--mean": "mean" in fields,
        "--std": "deviation" in fields,
    }
    if form == "arrays" and any(preprocessing.values()):
        names = ", ".join(name for name, value in preprocessing.items() if value)
        raise SourceError(
            f"{names}: of pictures, and {encoder} has features that are computed already; leave "
            "that out"
        )


def form_of(encoder: Path) -> str:
    """Returns the form of an encoder, one of `description.FORMS`. Raises SourceError."""
    if encoder.is_dir() and (encoder / "saved_model.pb").exists():
        return "saved_model"
    forms = {".keras": "keras", ".onnx": "onnx", ".npy": "arrays", ".npz": "arrays"}
    if not encoder.is_file() or encoder.suffix not in forms:
        raise SourceError(
            f"{encoder} is no encoder; expected a .keras or .onnx file, the folder of a "
            "SavedModel, or .npy or .npz arrays of features"
        )
    return forms[encoder.suffix]


def write_source(folder: Path, source: OutsideSource, encoder: Path) -> None:
    """Writes the source's folder, from an encoder that was tried."""
    with sealed_folder(folder / source.name) as scratch:
        goal = scratch / source.file
        if encoder.is_dir():
            shutil.copytree(encoder, goal)
        else:
            shutil.copy2(encoder, goal)
            if encoder.suffix == ".npy":
                shutil.copy2(keys_file(encoder), keys_file(goal))
        write_json(scratch / DESCRIBED, source.to_json())


def try_encoder(source: OutsideSource, encoder: Path, side: int, views: Sequence[str] = ()) -> None:
    """Raises SourceError for an encoder that gives no maps of two made-up pictures of that side,
    and for arrays that lack views, or that features cannot be.
    """
    if source.form == "arrays":
        arrays = FeatureArrays(encoder)
        arrays.check_views(views)
        check_varied(str(encoder), arrays.parts(arrays.keys, GRID))
        return
    pictures = np.random.default_rng(0).random((2, side, side, 3)).astype("float32")
    # where the encoder lies, so that it is called what its owner calls it
    source = dataclasses.replace(source, file=encoder.name)
    if source.form == "onnx":
        maps = onnx_features(source, encoder, GRID)(pictures)
    else:
        try:
            model = features_model(source, encoder.parent, side, GRID)
            maps = np.asarray(model.predict_on_batch(pictures))
        except SourceError:
            raise
        except Exception as error:
            # Whatever Keras or TensorFlow raises for shapes that do not fit.
            raise SourceError(
                f"{source.name} cannot encode pictures of side {source.size or side} (--size): "
                f"{reason_in(error)}"
            ) from error
    check_rows(source.name, maps, len(pictures))
    check_finite(source.name, maps, ["a made-up picture"] * len(maps))
    check_varied(source.name, [maps])


def reason_in(error: Exception) -> str:
    """Returns the line of a message of Keras or TensorFlow that says what is wrong, not where."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    where = lines[0].startswith(("Exception encountered", "Graph execution error"))
    return lines[1 if where and len(lines) > 1 else 0].strip()


def check_varied(name: str, parts: Iterable[Floats]) -> None:
    """Raises SourceError for features [view, h, w, c] in parts that are the same everywhere."""
    ranges = [(part.min((0, 1, 2)), part.max((0, 1, 2))) for part in parts]
    lowest, highest = (np.stack(ends) for ends in zip(*ranges))
    if (lowest.min(0) == highest.max(0)).all():
        raise SourceError(
            f"{name} gives the same features of every place and picture; there is nothing to "
            "transfer from"
        )


def drawn_anew(
    encoder: Path, source: OutsideSource, seed: int, run_size: int = TRIED
) -> keras.Model:
    """Returns the model of a file with its first weights, as the seed draws them, and batch norm
    with the statistics of made-up pictures: a random network whose maps are of a size that can be
    seen. What `Normalization` was adapted to stays: it is of pictures, and not learned.
    """
    keras.utils.set_random_seed(seed)
    original = keras.models.load_model(encoder, compile=False)
    # a clone has the layers, and weights of its own
    model = keras.models.clone_model(original)
    # of models and layers inside it, too
    for layer, before in zip(model._flatten_layers(), original._flatten_layers(), strict=True):
        if isinstance(layer, keras.layers.Normalization) and before.weights:
            layer.set_weights(before.get_weights())
            layer.finalize_state()
    norms = [
        each
        for each in model._flatten_layers()
        if isinstance(each, keras.layers.BatchNormalization)
    ]
    if not norms:
        return model
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
        # a frozen one takes no statistics; a source is never trained, whatever its layers say
        norm.trainable = True
    side = source.size or model.input_shape[1] or run_size
    model(Preprocessed(source)(made_up_pictures(16, side, seed)), training=True)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    return model


def remove_source(folder: str | Path, name: str) -> list[str]:
    """Removes `folder`/NAME, and the random control that was drawn of it; returns the names that
    were removed. Raises SourceError where there is no such source.
    """
    folder = Path(folder)
    rows = outside_sources(folder)
    names = [row["name"] for row in rows if name in (row["name"], row["control_of"])]
    if name not in names:
        there = ", ".join(row["name"] for row in rows) or "none"
        raise SourceError(f"no source from outside is called {name} in {folder}; there: {there}")
    for each in names:
        # a leading point: no run reads it any more, however far the next line comes
        aside = Path(tempfile.mkdtemp(prefix=f".{each}.", dir=folder))
        os.replace(folder / each, aside)
        shutil.rmtree(aside)
    return names
