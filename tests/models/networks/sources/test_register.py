"""A file is tried before it is a source; what is none leaves nothing behind."""

import importlib.machinery
import importlib.util
import sys
import types
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from outside_encoders import feature_file, folded, graph_folder, keras_file, saved_model

from models.networks.sources.description import SourceError, outside_sources
from models.networks.sources.encoders import features_model, onnx_features
from models.networks.sources.register import add_source

VIEWS = ["house/point_0/view_0", "house/point_0/view_1"]


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
    refused(tmp_path / "other", "given 48 x 48", encoder=file, run_size=48)


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


def nested_file(path, frozen=False):
    """a classifier of pictures of 64 pixels around a model called backbone, as is transferred."""
    pictures = keras.Input((64, 64, 3))
    x = layers.BatchNormalization(name="norm")(layers.Conv2D(6, 3, 8, "same")(pictures))
    backbone = keras.Model(pictures, layers.ReLU(name="last")(x), name="backbone")
    outer = keras.Input((64, 64, 3))
    model = keras.Model(outer, layers.Dense(3)(layers.Flatten()(backbone(outer * 2))))
    model.trainable = not frozen
    model.save(path)
    return path


def added_model(folder, name):
    return keras.models.load_model(folder / "sources" / name / "encoder.keras", compile=False)


def test_keys_that_are_corrected_are_another_source(tmp_path):
    file = tmp_path / "clip.npy"
    np.save(file, np.random.default_rng(0).random((2, 4, 4, 3)))
    digests = []
    for keys in (VIEWS, VIEWS[::-1]):
        file.with_suffix(".txt").write_text("\n".join(keys))
        [source] = add_source(tmp_path / "sources", "clip", file)
        digests.append(source.digest)
    assert digests[0] != digests[1]


def test_maps_of_another_number_than_pictures_are_refused(tmp_path):
    def mixed(pictures, kernel):
        return tf.reshape(folded(pictures, kernel), (-1, 4, 4, 8))

    refused(tmp_path, "8 maps of 2 pictures", encoder=graph_folder(tmp_path / "mixed", mixed))


def test_a_saved_model_takes_the_side_of_its_signature(tmp_path):
    fixed = graph_folder(tmp_path / "fixed", folded, (None, 128, 128, 3))
    refused(tmp_path, "128 x 128, and is given 64 x 64; resize them with --size 128", encoder=fixed)
    [source] = add_source(tmp_path / "sources", "hed", fixed, size=128)
    assert source.size == 128


def test_a_saved_model_of_constants_has_weights(tmp_path):
    frozen = graph_folder(tmp_path / "frozen", folded, constant=True)
    [source] = add_source(tmp_path / "sources", "hed", frozen)
    assert source.served
    empty = graph_folder(
        tmp_path / "empty", lambda x, _: tf.nn.avg_pool2d(x, 4, 4, "SAME"), constant=True
    )
    refused(tmp_path / "other", "no weights", encoder=empty)


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_pictures_come_in_the_dtype_that_a_saved_model_takes(tmp_path, dtype):
    file = graph_folder(tmp_path / "graph", folded, dtype=dtype)
    plain = graph_folder(tmp_path / "plain", folded)
    pictures = (np.arange(2 * 64 * 64 * 3).reshape(2, 64, 64, 3) % 256 / 255).astype("float32")
    maps = []
    for name, encoder in (("hed", file), ("plain", plain)):
        [source] = add_source(tmp_path / "sources", name, encoder, preprocess="bytes")
        model = features_model(source, tmp_path / "sources" / name, 64, 8)
        maps.append(np.asarray(model(pictures)))
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-2)


def test_whole_numbers_are_rounded_and_asked_for_as_bytes(tmp_path):
    pictures = keras.Input((64, 64, 3), dtype="uint8")
    ones = layers.Conv2D(1, 1, 8, kernel_initializer="ones")
    keras.Model(pictures, ones(layers.Rescaling(1.0)(pictures))).save(tmp_path / "whole.keras")
    refused(tmp_path, "--preprocess bytes", encoder=tmp_path / "whole.keras")
    [source] = add_source(tmp_path / "sources", "hed", tmp_path / "whole.keras", preprocess="bytes")
    model = features_model(source, tmp_path / "sources" / "hed", 64, 8)
    levels = np.arange(256, dtype="float32")
    given = np.broadcast_to((levels / 255)[:, None, None, None], (256, 64, 64, 3))
    np.testing.assert_array_equal(np.asarray(model(given))[:, 0, 0, 0], 3 * levels)


def test_layers_inside_a_model_inside_are_offered_and_taken(tmp_path):
    file = nested_file(tmp_path / "nested.keras")
    refused(tmp_path, "backbone, .*backbone/norm, backbone/last", encoder=file, layer="last")
    pictures = np.random.default_rng(1).random((2, 64, 64, 3)).astype("float32")
    backbone = keras.models.load_model(file).get_layer("backbone")
    for layer in ("backbone", "backbone/last"):
        [source] = add_source(tmp_path / "sources", "hed", file, layer=layer)
        model = features_model(source, tmp_path / "sources" / "hed", 64, 8)
        np.testing.assert_allclose(model(pictures), backbone(pictures * 2), atol=1e-5)


def test_what_would_be_left_unread_is_refused(tmp_path):
    graph = graph_folder(tmp_path / "graph", folded)
    refused(tmp_path, "--layer names a layer of a .keras model", encoder=graph, layer="inner")
    arrays = feature_file(tmp_path / "clip.npz", VIEWS)
    refused(tmp_path, "--size: of pictures", encoder=arrays, size=64)
    refused(tmp_path, "--preprocess: of pictures", encoder=arrays, preprocess="caffe")
    refused(tmp_path, "--mean, --std", encoder=arrays, mean=(0, 0, 0), deviation=(1, 1, 1))
    refused(tmp_path, "--layer", encoder=arrays, layer="inner")


def test_features_that_tell_nothing_are_refused(tmp_path):
    constant = graph_folder(tmp_path / "constant", lambda x, kernel: folded(0 * x, kernel) + 1)
    refused(tmp_path, "same features of every place", encoder=constant)
    np.savez(tmp_path / "flat.npz", keys=VIEWS, features=np.ones((2, 4, 4, 3)))
    refused(tmp_path, "same features of every place", encoder=tmp_path / "flat.npz")


def test_channels_that_come_first_are_refused(tmp_path):
    first = graph_folder(
        tmp_path / "first",
        lambda x, kernel: tf.transpose(folded(x, kernel, 16), (0, 3, 1, 2)),
        (None, 64, 64, 3),
    )
    refused(tmp_path, "channels seem to come first", encoder=first)


def test_arrays_that_lack_a_view_of_the_run_are_refused(tmp_path):
    file = feature_file(tmp_path / "clip.npz", VIEWS[:1])
    refused(tmp_path, f"1 of 2 views, such as {VIEWS[1]}", encoder=file, views=VIEWS)
    [source] = add_source(tmp_path / "sources", "clip", file, views=VIEWS[:1])
    assert source.form == "arrays"


def test_a_message_names_the_file_that_was_given(tmp_path):
    torn = tmp_path / "mine.npz"
    with zipfile.ZipFile(torn, "w") as archive:
        archive.writestr("a.npy", b"")
    refused(tmp_path, "mine.npz", encoder=torn)
    refused(
        tmp_path,
        "vectors.keras has no layer",
        encoder=vector_model(tmp_path / "vectors.keras"),
        layer="nothing",
    )


def test_a_control_whose_name_is_too_long_leaves_nothing(tmp_path):
    file = keras_file(tmp_path / "hed.keras", 64)
    refused(tmp_path, "cannot name a source", name="a" * 34, encoder=file, random_control=True)
    [source] = add_source(tmp_path / "sources", "a" * 34, file)
    assert source.name == "a" * 34


@pytest.mark.parametrize("frozen", [False, True])
def test_a_control_takes_statistics_inside_frozen_and_nested_models(tmp_path, frozen):
    file = nested_file(tmp_path / "nested.keras", frozen)
    add_source(tmp_path / "sources", "hed", file, layer="backbone", random_control=True)
    norm = added_model(tmp_path, "hed_random").get_layer("backbone").get_layer("norm")
    assert np.abs(norm.moving_mean).max() > 0.01 and np.asarray(norm.moving_variance).max() < 0.9


def test_a_control_keeps_what_normalization_was_adapted_to(tmp_path):
    adapted = layers.Normalization(name="adapted")
    adapted.adapt(np.random.default_rng(0).normal(100, 50, (4, 8, 8, 3)))
    pictures = keras.Input((64, 64, 3))
    keras.Model(pictures, layers.Conv2D(4, 3, 8)(adapted(pictures))).save(tmp_path / "a.keras")
    add_source(
        tmp_path / "sources", "hed", tmp_path / "a.keras", preprocess="bytes", random_control=True
    )
    control = added_model(tmp_path, "hed_random").get_layer("adapted")
    np.testing.assert_allclose(control.mean, adapted.mean, rtol=1e-6)
    np.testing.assert_allclose(control.variance, adapted.variance, rtol=1e-6)


@pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is not None, reason="onnxruntime is installed"
)
def test_an_onnx_file_without_its_runtime_is_a_clear_line(tmp_path):
    file = tmp_path / "hed.onnx"
    file.write_bytes(b"onnx")
    refused(tmp_path, "pip install onnxruntime", encoder=file)


class Session:
    """Stands for onnxruntime's session of an encoder that averages blocks of 8 x 8 pixels. shape,
    kind: of its input, as onnxruntime says them. Notes the shape and dtype of what it is given.
    """

    def __init__(self, shape, kind="tensor(float)", inputs=1, fault=None):
        self.shape, self.kind, self.inputs, self.fault = shape, kind, inputs, fault
        self.given = []

    def get_inputs(self):
        named = types.SimpleNamespace(name="pictures", shape=self.shape, type=self.kind)
        return [named] * self.inputs

    def run(self, _, feed):
        if self.fault:
            raise RuntimeError(self.fault)
        (value,) = feed.values()
        self.given.append((value.shape, str(value.dtype)))
        first = self.shape[1] == 3
        for size, said in zip(value.shape, self.shape, strict=True):
            assert said == size or not isinstance(said, int), "onnxruntime would refuse it"
        value = value.astype("float32").transpose(0, 2, 3, 1) if first else value
        b, h, w, c = value.shape
        maps = value.reshape(b, h // 8, 8, w // 8, 8, c).mean((2, 4), dtype="float32")
        return [maps.transpose(0, 3, 1, 2) if first else maps]


@pytest.fixture
def onnx(tmp_path, monkeypatch):
    """`onnx(session)`: an ONNX file, which the runtime opens as that session; raises an error."""

    def file(session):
        def opened(path, providers):
            if isinstance(session, Exception):
                raise session
            return session

        runtime = types.ModuleType("onnxruntime")
        runtime.__spec__ = importlib.machinery.ModuleSpec("onnxruntime", None)
        runtime.InferenceSession = opened
        monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
        (tmp_path / "hed.onnx").write_bytes(b"onnx")
        return tmp_path / "hed.onnx"

    return file


@pytest.mark.parametrize(
    "shape, kind, preprocess, given",
    [
        (["batch", 3, "h", "w"], "float", "unit", [((5, 3, 64, 64), "float32")]),
        ([None, 3, 64, 64], "float", "unit", [((5, 3, 64, 64), "float32")]),
        ([1, 3, 64, 64], "float", "unit", [((1, 3, 64, 64), "float32")] * 5),
        ([2, 3, 32, 32], "float", "unit", [((2, 3, 32, 32), "float32")] * 3),
        ([1, 32, 32, 3], "uint8", "bytes", [((1, 32, 32, 3), "uint8")] * 5),
        (["n", 3, 64, 64], "float16", "unit", [((5, 3, 64, 64), "float16")]),
        (["n", 3, 64, 64], "double", "unit", [((5, 3, 64, 64), "float64")]),
    ],
)
def test_an_onnx_encoder_gets_what_it_takes_and_answers_every_picture(
    tmp_path, onnx, shape, kind, preprocess, given
):
    session = Session(shape, f"tensor({kind})")
    (source,) = add_source(tmp_path / "sources", "hed", onnx(session), preprocess=preprocess)
    session.given.clear()
    pictures = np.random.default_rng(1).integers(0, 256, (5, 64, 64, 3)) / np.float32(255)
    features = onnx_features(source, tmp_path / "hed.onnx", 4)(pictures)
    assert session.given == given
    scale = 255 if preprocess == "bytes" else 1
    expected = pictures.reshape(5, 4, 16, 4, 16, 3).mean((2, 4)) * scale
    # smaller pictures are means of these, rounded to whole numbers or halves
    np.testing.assert_allclose(features, expected, atol=0.03 * scale)


@pytest.mark.parametrize(
    "session, match, fields",
    [
        (
            RuntimeError("INVALID_PROTOBUF\nload failed"),
            "cannot read .*: INVALID_PROTOBUF load",
            {},
        ),
        (Session([1, 3, 32, 64]), "takes pictures of 32 x 64; expected square ones", {}),
        (Session([1, 1, 64, 64]), r"takes \[1, 1, 64, 64\]; expected pictures", {}),
        (Session([1, 3]), r"takes \[1, 3\]; expected pictures", {}),
        (Session([1, 3, 32, 32]), "32 x 32, and --size says 64", {"size": 64}),
        (Session([1, 3, 64, 64], "tensor(string)"), r"takes tensor\(string\)", {}),
        (Session([1, 3, 64, 64], "tensor(uint8)"), "give --preprocess bytes", {}),
        (Session([1, 3, 64, 64], inputs=2), "expected pictures alone", {}),
        (Session([1, 3, 64, 64], fault="Conv:\n 3 != 4"), "cannot encode .*: Conv: 3 != 4", {}),
    ],
)
def test_an_onnx_file_that_cannot_be_served_is_refused_in_a_line(
    tmp_path, onnx, session, match, fields
):
    refused(tmp_path, match, encoder=onnx(session), **fields)
