"""Our message of field numbers has TensorFlow's bytes, and a process that reads records goes
without TensorFlow.
"""

import subprocess
import sys

import pytest
import tensorflow as tf
from published_set import write_set

from beam_jobs.ingest.job import ingest
from models.examples import records
from models.examples.message import example_class, features_of
from models.provenance.sources import REPOSITORY


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    place = tmp_path_factory.mktemp("set")
    ingest(str(write_set(place / "data", points=1)), str(place / "out"), size=16, shards=1)
    return str(place / "out")


def filled(message):
    """a message with every kind of feature."""
    feature = message.features.feature
    feature["text"].bytes_list.value.extend([b"\xff\x00", b""])
    feature["numbers"].float_list.value.extend([0.5, -1e30])
    feature["wholes"].int64_list.value.extend([-1, 2**40])
    feature["none"].int64_list.SetInParent()
    return message


def test_its_bytes_are_tensorflows():
    ours = filled(example_class()()).SerializeToString(deterministic=True)
    assert ours == filled(tf.train.Example()).SerializeToString(deterministic=True)


def test_what_tensorflow_wrote_is_read(examples):
    for record in records(examples, "train"):
        theirs = tf.train.Example.FromString(record).features.feature
        ours = features_of(record)
        assert sorted(ours) == sorted(theirs)
        assert all(
            ours[name].SerializeToString() == theirs[name].SerializeToString() for name in ours
        )


def test_reading_and_checking_records_imports_no_tensorflow(examples):
    code = (
        "import sys; from models.examples.check import check_contract; "
        f"print(check_contract({examples!r}), 'tensorflow' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert ran.stdout.strip() == "[] False", ran.stderr
