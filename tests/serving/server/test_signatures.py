"""A request's names against a signature's."""

import pytest
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from serving.errors import ServingError
from serving.server.signatures import check_inputs, check_outputs, kind_of, signatures_of


def signature() -> meta_graph_pb2.SignatureDef:
    made = meta_graph_pb2.SignatureDef(method_name="tensorflow/serving/predict")
    for name in ("x", "y"):
        made.inputs[name].name = f"feed_{name}:0"
    for name in ("a", "b"):
        made.outputs[name].name = f"{name}:0"
    return made


def saved(*graphs: tuple[str, ...]) -> saved_model_pb2.SavedModel:
    model = saved_model_pb2.SavedModel()
    for tags in graphs:
        graph = model.meta_graphs.add()
        graph.meta_info_def.tags.extend(tags)
        graph.signature_def["+".join(tags)].CopyFrom(signature())
    return model


def test_signatures_are_those_of_the_graph_with_the_tags(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(saved(("serve",), ("a", "b")).SerializeToString())
    assert signatures_of(tmp_path, ("serve",)) == {"serve": signature()}
    assert set(signatures_of(tmp_path, ("b", "a"))) == {"a+b"}
    with pytest.raises(ValueError, match="matching supplied tags: { a }"):
        signatures_of(tmp_path, ("a",))


def test_a_model_in_text_is_read_too_and_a_broken_one_is_refused(tmp_path):
    (tmp_path / "saved_model.pbtxt").write_text(str(saved(("serve",))))
    assert set(signatures_of(tmp_path, ("serve",))) == {"serve"}
    (tmp_path / "saved_model.pbtxt").write_text("broken {")
    with pytest.raises(ValueError, match="Can't parse the SavedModel"):
        signatures_of(tmp_path, ("serve",))
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff")
    with pytest.raises(ValueError, match="Can't parse the SavedModel"):
        signatures_of(tmp_path, ("serve",))


@pytest.mark.parametrize(
    "sent, words",
    [
        ([], "input size does not match signature: 0!=2 .*Missing but required: {x,y}"),
        (["x"], "1!=2 .*Sent extra: {}. Missing but required: {y}"),
        (["x", "y", "z"], "3!=2 .*Sent extra: {z}"),
        (["x", "z"], "input tensor alias not found in signature: y .feed feed_y:0."),
    ],
)
def test_names_that_do_not_fit_are_told_apart(sent, words):
    with pytest.raises(ServingError, match=words) as error:
        check_inputs(signature(), sent)
    assert error.value.code.name == "INVALID_ARGUMENT"


def test_all_inputs_fit_and_those_with_a_default_may_be_left_out():
    check_inputs(signature(), ["y", "x"])
    made = signature()
    if not hasattr(made, "defaults"):
        pytest.skip("this TensorFlow knows no defaults")
    made.defaults["y"].dtype = 1
    check_inputs(made, ["x"])


def test_a_stranger_in_place_of_an_input_with_a_default_is_refused():
    made = signature()
    if not hasattr(made, "defaults"):
        pytest.skip("this TensorFlow knows no defaults")
    made.defaults["y"].dtype = 1
    with pytest.raises(ServingError, match="signature: z.*set {x,y}.*Sent extra: {z}") as error:
        check_inputs(made, ["x", "z"])
    assert error.value.code.name == "INVALID_ARGUMENT"
    assert set(made.inputs) == {"x", "y"}


def test_outputs_are_those_of_the_filter_in_its_order_or_all():
    assert check_outputs(signature(), ["b", "a"]) == ["b", "a"]
    assert check_outputs(signature(), []) == ["a", "b"]
    for names, words in ((["c"], "not found in signature: c"), (["a", "a"], "duplicate .* a")):
        with pytest.raises(ServingError, match=words):
            check_outputs(signature(), names)


def test_types_are_named_as_cpp_names_them():
    import tensorflow as tf

    found = [kind_of(kind) for kind in (tf.float32, tf.float64, tf.int32, tf.string, tf.bool)]
    assert found == ["float", "double", "int32", "string", "bool"]
