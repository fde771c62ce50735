"""A new source: its file looked at, copied beside the run, described. A row in a folder, which the
next run reads.
"""

from __future__ import annotations

import shutil
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
)
from models.networks.sources.encoders import Preprocessed, features_model, onnx_features
from models.networks.sources.feature_arrays import FeatureArrays, check_finite
from models.networks.sources.several_scales import made_up_pictures
from models.provenance.atomic import write_json
from models.provenance.seals import sealed_folder

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
    **fields: Any,
) -> list[OutsideSource]:
    """write `folder`/NAME for an encoder's file, after a trial on made-up pictures; with
    random_control a second one, NAME_random, of the same shape with weights drawn anew.

    run_size: side of the run's pictures, which a source without a size of its own takes. fields: of
    `OutsideSource` (size, mean, deviation, layer, channels), which go before those of
    `preprocess`, a row of `PREPROCESSING`. Raises SourceError in one line for what cannot be a
    source.
    """
    check_name(name)
    folder, encoder = Path(folder), Path(encoder)
    if preprocess not in PREPROCESSING:
        raise SourceError(
            f"a preprocessing is one of {', '.join(PREPROCESSING)}; got {preprocess!r}"
        )
    mean, deviation, blue_first = PREPROCESSING[preprocess]
    told = {"mean": mean, "deviation": deviation, "blue_first": blue_first, **fields}
    form = form_of(encoder)
    file = f"encoder{encoder.suffix}" if encoder.is_file() else "encoder"
    source = OutsideSource(name, form, file, content_of(encoder), **told)
    if random_control and form != "keras":
        raise SourceError(
            f"a random control is drawn of a .keras model; {encoder} is of the form {form}"
        )
    write(folder, source, encoder, run_size)
    if not random_control:
        return [source]
    control = CONTROL.format(name)
    scratch = folder / f".{control}.keras"
    try:
        drawn_anew(encoder, source, seed, run_size).save(scratch)
        random = OutsideSource(control, form, file, content_of(scratch), **told, control_of=name)
        write(folder, random, scratch, run_size)
    finally:
        scratch.unlink(missing_ok=True)
    return [source, random]


def form_of(encoder: Path) -> str:
    """one of `description.FORMS`. Raises SourceError."""
    if encoder.is_dir() and (encoder / "saved_model.pb").exists():
        return "saved_model"
    forms = {".keras": "keras", ".onnx": "onnx", ".npy": "arrays", ".npz": "arrays"}
    if not encoder.is_file() or encoder.suffix not in forms:
        raise SourceError(
            f"{encoder} is no encoder; expected a .keras or .onnx file, the folder of a "
            "SavedModel, or .npy or .npz arrays of features"
        )
    return forms[encoder.suffix]


def write(folder: Path, source: OutsideSource, encoder: Path, run_size: int) -> None:
    """the source's folder, after its encoder was tried."""
    with sealed_folder(folder / source.name) as scratch:
        goal = scratch / source.file
        if encoder.is_dir():
            shutil.copytree(encoder, goal)
        else:
            shutil.copy2(encoder, goal)
            beside = encoder.with_suffix(".txt")
            if encoder.suffix == ".npy" and beside.exists():
                shutil.copy2(beside, goal.with_suffix(".txt"))
        tried(source, scratch, run_size)
        write_json(scratch / DESCRIBED, source.to_json())


def tried(source: OutsideSource, folder: Path, side: int) -> None:
    """Raises SourceError for an encoder that gives no maps of two made-up pictures of that side."""
    if source.form == "arrays":
        arrays = FeatureArrays(folder / source.file)
        arrays.of(arrays.keys, GRID)
        return
    pictures = np.random.default_rng(0).random((2, side, side, 3)).astype("float32")
    if source.form == "onnx":
        maps = onnx_features(source, folder / source.file, GRID)(pictures)
    else:
        try:
            model = features_model(source, folder, side, GRID)
            maps = np.asarray(model.predict_on_batch(pictures))
        except SourceError:
            raise
        except Exception as error:
            # Whatever Keras or TensorFlow raises for shapes that do not fit.
            raise SourceError(
                f"{source.name} cannot encode pictures of side {source.size or side} (--size): "
                f"{str(error).strip().splitlines()[0]}"
            ) from error
    check_finite(source.name, maps, ["a made-up picture"] * len(maps))


def drawn_anew(
    encoder: Path, source: OutsideSource, seed: int, run_size: int = TRIED
) -> keras.Model:
    """the model of a file with its first weights, as the seed draws them, and batch norm with the
    statistics of made-up pictures: a random network whose maps are of a size that can be seen.
    """
    keras.utils.set_random_seed(seed)
    # a clone has the layers, and weights of its own
    model = keras.models.clone_model(keras.models.load_model(encoder, compile=False))
    norms = [each for each in model.layers if isinstance(each, keras.layers.BatchNormalization)]
    if not norms:
        return model
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    side = source.size or model.input_shape[1] or run_size
    model(Preprocessed(source)(made_up_pictures(16, side, seed)), training=True)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    return model
