"""What a bundle holds: every encoder once, a signature for every question, forms that agree, papers
beside the graph.
"""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from bare_model import BareModel
from synthetic import SIZE, view
from synthetic_policy import WHITENING
from tiny_bundle import SUPERVISED, TARGETS, tiny_bundle, tiny_folder

from models.examples.published import encode_png
from models.tasks import TASKS
from models.tasks.targets import INDOOR_PLACES
from serving.bundle.assets import read_extras
from serving.bundle.build import build_bundle, build_servables
from serving.bundle.class_names import class_names
from serving.bundle.forms import code_of, codes

PICTURES = [encode_png(view(i).rgb) for i in range(3)]
SINGLE = [name for name in TARGETS if TASKS[name].images == 1]


@pytest.fixture(scope="module")
def version():
    return BareModel(tiny_bundle())


def ask(version, signature: str, expected=(), value=None, feed: str = "image_bytes") -> dict:
    return version.run(
        signature, {feed: np.array(PICTURES[:1], object) if value is None else value}, expected
    )


def question(name: str, batch: int = 1) -> np.ndarray:
    return np.array(
        [PICTURES[:1][0] if TASKS[name].images == 1 else PICTURES[: TASKS[name].images]] * batch,
        object,
    )


def test_every_encoder_stands_once_and_none_is_there_for_nothing(version):
    nodes = version.graph.as_graph_def().node
    shape = (3, 3, 4, 8)  # the last convolution of each tiny encoder, to 8 channels
    last = [
        node
        for node in nodes
        if node.op == "Const"
        and tuple(d.size for d in node.attr["value"].tensor.tensor_shape.dim) == shape
    ]
    assert (
        len({node.attr["value"].tensor.tensor_content for node in last})
        == len(last)
        == len(SUPERVISED)
    )


@pytest.mark.parametrize("name", TARGETS)
def test_a_task_answers_from_bytes_and_floats_alone_and_among_all(version, name):
    images = TASKS[name].images
    alone = ask(version, name, [name], question(name, 2))[name]
    assert (
        alone.shape == (2, *read_extras(tiny_bundle())[0]["tasks"][name]["shape"])
        and np.isfinite(alone).all()
    )
    together = ask(
        version,
        "image_bytes" if images == 1 else f"image_bytes_{images}",
        [name],
        question(name, 2),
    )[name]
    floats = np.stack([view(i).rgb for i in range(images)]).astype("float32") / 255
    floats = floats if images == 1 else floats[None]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(
        ask(version, f"{name}_images", [name], floats, "images")[name], alone[:1], atol=1e-4
    )


@pytest.mark.parametrize("name", [name for name in TARGETS if code_of(TASKS[name])])
def test_png_codes_and_floats_are_the_same_map(version, name):
    answers = ask(version, name)
    png = tf.io.decode_png(
        answers[f"{name}_png_bytes"][0], dtype=answers[f"{name}_codes"].dtype
    ).numpy()
    np.testing.assert_array_equal(png, answers[f"{name}_codes"][0])
    if (
        code_of(TASKS[name]).kind != "directions"
    ):  # signs and order of nearly equal directions may turn
        expected = np.asarray(codes(TASKS[name], answers[name]))
        assert np.abs(expected - answers[f"{name}_codes"].astype("float32")).max() <= 1


def test_a_filter_returns_only_what_was_asked_for(version):
    assert set(ask(version, "image_bytes", ["reshading_png_bytes", "class_scene_top_names"])) == {
        "reshading_png_bytes",
        "class_scene_top_names",
    }


def test_the_default_answers_in_small_forms_and_images_in_every_form(version):
    outputs = {name: set(one.outputs) for name, one in version.signatures.items()}
    assert outputs["serving_default"] == outputs["compact"] < outputs["images"]
    assert outputs["images"] == outputs["image_bytes"]
    assert set(version.signatures["serving_default"].inputs) == {"images"}


def test_an_unasked_head_is_not_run(version):
    """all weights of another head are poisoned; the answer that is asked for does not change."""
    from tensorflow.core.protobuf import config_pb2

    options, facts = (
        config_pb2.RunOptions(trace_level=config_pb2.RunOptions.FULL_TRACE),
        config_pb2.RunMetadata(),
    )
    signature = version.signatures["image_bytes"]
    feed = {signature.inputs["image_bytes"].name: np.array(PICTURES[:1], object)}

    def operations(expected) -> int:
        version.session.run(
            [signature.outputs[name].name for name in expected],
            feed,
            options=options,
            run_metadata=facts,
        )
        return sum(len(device.node_stats) for device in facts.step_stats.dev_stats)

    assert operations(["normal"]) < 0.5 * operations(SINGLE)


def test_class_names_come_with_their_scores(version):
    answers = ask(version, "class_scene")
    shares = np.exp(answers["class_scene"] - answers["class_scene"].max())
    shares /= shares.sum()
    ids = answers["class_scene_top_ids"][0]
    np.testing.assert_allclose(answers["class_scene_top_scores"][0], shares[0][ids], rtol=1e-4)
    assert [name.decode() for name in answers["class_scene_top_names"][0]] == [
        class_names("class_scene")[i] for i in ids
    ]


def test_every_class_has_a_name_in_the_published_order():
    for name, entry in TASKS.items():
        if class_names(name):
            assert len(class_names(name)) == entry.output.channels and all(class_names(name))
    from pathlib import Path

    import serving.bundle.class_names

    lines = (
        (Path(serving.bundle.class_names.__file__).parent / "vocabularies" / "places_indoor.txt")
        .read_text()
        .splitlines()
    )
    assert [int(line.split()[0]) for line in lines] == list(INDOOR_PLACES)
    assert (
        class_names("class_scene")[INDOOR_PLACES.index(203)] == "kitchen"
        and class_names("class_object")[559] == "folding chair"
    )


def test_poses_come_in_metres_and_radians_too(version):
    answers = ask(version, "fixated_pose", value=question("fixated_pose"))
    mean, deviation = WHITENING["fixated_pose"]
    np.testing.assert_allclose(
        answers["fixated_pose_metric"], answers["fixated_pose"] * deviation + mean, rtol=1e-5
    )


def test_representations_can_be_kept_and_decoded_later(version):
    representations = ask(version, "encode")
    assert set(representations) == {f"code_{name}" for name in SUPERVISED}
    feeds = {name: representations[name] for name in version.signatures["decode_reshading"].inputs}
    np.testing.assert_allclose(
        version.run("decode_reshading", feeds, ["reshading"])["reshading"],
        ask(version, "reshading")["reshading"],
        atol=1e-5,
    )


def test_the_small_forms_are_small(version):
    for name in TARGETS:
        outputs = set(version.signatures[f"{name}_compact"].outputs)
        assert outputs and (name not in outputs or TASKS[name].output.kind == "vector")


def narrowed(policy: dict, *targets: str) -> dict:
    """the policy of some of its targets."""
    return {**policy, "edges": [edge for edge in policy["edges"] if edge["target"] in targets]}


def test_large_weights_are_variables_that_answers_share(version, tmp_path, monkeypatch):
    """every weight above 200 bytes as a variable, as those above LARGE are at full size: the same
    answers, equal weights stored once.
    """
    folder, (_, lineage) = tiny_folder(), read_extras(tiny_bundle())
    monkeypatch.setattr("serving.bundle.build.LARGE", 200)
    names = ("normal", "reshading", "fixated_pose")
    made = build_bundle(
        narrowed(lineage["policy"], *names),
        folder / "networks",
        folder / "transfers",
        tmp_path / "bundle",
        lineage={},
        image_size=SIZE,
    )
    large = BareModel(made)
    for name in names:
        np.testing.assert_allclose(
            ask(large, name, [name], question(name))[name],
            ask(version, name, [name], question(name))[name],
            atol=1e-4,
        )
    constants = [
        node
        for node in large.graph.as_graph_def().node
        if node.op == "Const" and node.attr["dtype"].type == tf.float32.as_datatype_enum
    ]
    assert max(node.ByteSize() for node in constants) < 1000
    stored = tf.train.list_variables(str(made / "variables" / "variables"))
    values = [
        tf.train.load_variable(str(made / "variables" / "variables"), name).tobytes()
        for name, _ in stored
    ]
    assert len(stored) > 10 and len(set(values)) == len(values)


def test_a_graph_beyond_two_gigabytes_is_refused_in_words(tmp_path, monkeypatch):
    folder, (_, lineage) = tiny_folder(), read_extras(tiny_bundle())
    monkeypatch.setattr("serving.bundle.build.LARGEST_GRAPH", 1000)
    with pytest.raises(
        ValueError, match="without its large weights, at most 0; use build_servables"
    ):
        build_bundle(
            narrowed(lineage["policy"], "normal"),
            folder / "networks",
            folder / "transfers",
            tmp_path / "bundle",
            lineage={},
            image_size=SIZE,
        )
    assert not list(tmp_path.iterdir())


def test_one_servable_a_task_gives_the_bundles_answers(version, tmp_path):
    folder, (_, lineage) = tiny_folder(), read_extras(tiny_bundle())
    policy = narrowed(lineage["policy"], "reshading", "fixated_pose")
    made = build_servables(
        policy,
        folder / "networks",
        folder / "transfers",
        tmp_path,
        lineage={"run": "apart"},
        image_size=SIZE,
    )
    assert set(made) == {"reshading", "fixated_pose"}
    for name, place in made.items():
        alone = ask(BareModel(place), name, [name], question(name))[name]
        np.testing.assert_allclose(
            alone, ask(version, name, [name], question(name))[name], atol=1e-5
        )
        assert [edge["target"] for edge in read_extras(place)[1]["policy"]["edges"]] == [name]


def test_saved_model_cli_reads_it():
    command = [
        sys.executable,
        "-m",
        "tensorflow.python.tools.saved_model_cli",
        "show",
        "--dir",
        str(tiny_bundle()),
        "--tag_set",
        "serve",
        "--signature_def",
        "normal",
    ]
    process = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert (
        "inputs['image_bytes'] tensor_info" in process
        and "outputs['normal_png_bytes'] tensor_info" in process
        and "tensorflow/serving/predict" in process
    )
    assert "shape: (-1, 32, 32, 3)" in process
