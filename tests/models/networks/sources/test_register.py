"""A file is tried before it is a source; what is none leaves nothing behind."""

import importlib.util

import keras
import numpy as np
import pytest
from outside_encoders import feature_file, keras_file, saved_model

from models.networks.sources.description import SourceError, outside_sources
from models.networks.sources.register import add_source


def vector_model(path):
    pictures = keras.Input((64, 64, 3))
    x = keras.layers.Conv2D(4, 3, name="maps")(pictures)
    keras.Model(pictures, keras.layers.GlobalAveragePooling2D()(x)).save(path)
    return path


def refused(folder, match, name="hed", **fields):
    with pytest.raises(SourceError, match=match) as caught:
        add_source(folder / "sources", name, **fields)
    assert "\n" not in str(caught.value)
    assert outside_sources(folder / "sources") == []


def test_what_is_no_encoder_is_refused_in_a_line(tmp_path):
    torch = tmp_path / "model.pt"
    torch.write_bytes(b"")
    refused(tmp_path, "no encoder", encoder=torch)
    torn = tmp_path / "torn.keras"
    torn.write_bytes(b"PK")
    refused(tmp_path, "Keras can read", encoder=torn)
    refused(tmp_path, "name of a task", name="normal", encoder=torn)
    refused(tmp_path, "unit, signed", encoder=torn, preprocess="tanh")


def test_the_rank_of_input_and_features_is_checked(tmp_path):
    vectors = vector_model(tmp_path / "vectors.keras")
    refused(tmp_path, "--layer", encoder=vectors)
    refused(tmp_path, "no layer 'nothing'", encoder=vectors, layer="nothing")
    add_source(tmp_path / "inner", "hed", vectors, layer="maps")
    flat = tmp_path / "flat.keras"
    keras.Sequential([keras.Input((9,)), keras.layers.Dense(2)]).save(flat)
    refused(tmp_path, r"takes \(None, 9\)", encoder=flat)


def test_an_encoder_without_weights_is_refused(tmp_path):
    empty = tmp_path / "empty.keras"
    keras.Sequential([keras.Input((64, 64, 3)), keras.layers.MaxPooling2D()]).save(empty)
    refused(tmp_path, "no weights", encoder=empty)


def test_an_encoder_without_a_size_is_tried_with_the_runs(tmp_path):
    file = keras_file(tmp_path / "hed.keras", side=32)
    [source] = add_source(tmp_path / "sources", "hed", file, run_size=32)
    assert source.size == 0
    refused(tmp_path / "other", "of side 48", encoder=file, run_size=48)


def test_pictures_of_another_size_are_said(tmp_path):
    file = keras_file(tmp_path / "hed.keras", side=32)
    refused(tmp_path, "--size", encoder=file)
    [source] = add_source(tmp_path / "sources", "hed", file, size=32)
    assert source.size == 32


def test_features_that_are_no_numbers_are_refused(tmp_path):
    broken = keras.models.load_model(keras_file(tmp_path / "hed.keras", 64))
    broken.layers[-1].bias.assign(np.full(12, np.nan))
    broken.save(tmp_path / "nan.keras")
    refused(tmp_path, "finite", encoder=tmp_path / "nan.keras")


def test_a_control_has_the_shape_and_other_weights(tmp_path):
    file = keras_file(tmp_path / "hed.keras", 64)
    real, control = add_source(tmp_path / "sources", "hed", file, random_control=True)
    assert (control.name, control.control_of) == ("hed_random", "hed")
    assert control.digest != real.digest
    models = [
        keras.models.load_model(tmp_path / "sources" / source.name / source.file)
        for source in (real, control)
    ]
    shapes = [[tuple(weight.shape) for weight in model.weights] for model in models]
    assert shapes[0] == shapes[1]
    assert np.abs(models[0].layers[1].kernel - models[1].layers[1].kernel).max() > 0.01
    assert sorted(row["name"] for row in outside_sources(tmp_path / "sources")) == [
        "hed",
        "hed_random",
    ]


def test_a_control_needs_a_model(tmp_path):
    file = feature_file(tmp_path / "features.npz", ["house/point_0/view_0"])
    refused(tmp_path, "random control", encoder=file, random_control=True)


def test_a_saved_model_is_a_source(tmp_path):
    exported = saved_model(tmp_path / "exported", keras_file(tmp_path / "hed.keras", 64))
    [source] = add_source(tmp_path / "sources", "hed", exported)
    assert source.form == "saved_model" and source.served
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "saved_model.pb").write_bytes(b"")
    refused(tmp_path / "other", "no SavedModel", encoder=tmp_path / "bad")


@pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is not None, reason="onnxruntime is installed"
)
def test_an_onnx_file_without_its_runtime_is_a_clear_line(tmp_path):
    file = tmp_path / "hed.onnx"
    file.write_bytes(b"onnx")
    refused(tmp_path, "pip install onnxruntime", encoder=file)
