"""Which model a request names, read and written."""

import pytest
from tensorflow_serving.apis import (
    model_pb2,
)

from serving.wire.model_spec import ModelSpec, model_spec_bytes, model_spec_of


def test_an_answers_model_is_what_protobuf_reads():
    spec = model_pb2.ModelSpec.FromString(model_spec_bytes("m", 7, "s"))
    assert (spec.name, spec.version.value, spec.signature_name) == ("m", 7, "s")
    assert model_spec_of(model_spec_bytes("m", 7, "s")) == ModelSpec("m", 7, signature="s")


def test_servables_are_named_as_the_original_names_them():
    assert ModelSpec("m").servable == "Latest(m)"
    assert ModelSpec("m", 7).servable == "Specific(m, 7)"
    assert ModelSpec("m", 0).servable == "Specific(m, 0)", "0 is a version, not none"


def test_a_version_of_zero_and_no_version_differ():
    spec = model_pb2.ModelSpec(name="m")
    assert model_spec_of(spec.SerializeToString()).version is None
    spec.version.value = 0
    assert model_spec_of(spec.SerializeToString()).version == 0
    spec = model_pb2.ModelSpec(name="m", version_label="stable")
    assert model_spec_of(spec.SerializeToString()) == ModelSpec("m", label="stable")


def test_bytes_that_are_no_spec_are_refused():
    with pytest.raises(ValueError, match="expected a ModelSpec"):
        model_spec_of(b"\xff\xff")
