"""A view as a tf.train.Example and back: maps as PNG, vectors as floats, one record a view.

TensorFlow is imported where it is used: reading published files must not cost its seconds.
"""

from __future__ import annotations

import errno
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from models.examples.published import decode_png, encode_png
from models.examples.shards import DamagedRecord
from models.tasks import DOMAINS, Camera, Domain, View, ViewKey
from models.tasks.arrays import Array, Floats


def encode_view(view: View, split: str) -> bytes:
    """a serialised tf.train.Example; absent labels are absent features (docs/ARCHITECTURE.md,
    Examples artifact).
    """
    import tensorflow as tf

    features = {
        "key": text_feature(str(view.key)),
        "building": text_feature(view.key.building),
        "split": text_feature(split),
        "point": whole_feature([view.key.point]),
        "view": whole_feature([view.key.view]),
        "rgb": bytes_feature(encode_png(view.rgb)),
    }
    for folder, value in view.labels.items():
        png = DOMAINS[folder].file == "png"
        features[folder] = bytes_feature(encode_png(value)) if png else float_feature(value)
    if view.camera is not None:
        features["camera"] = float_feature(view.camera.to_floats())
        if view.camera.points_in_view is not None:
            features["points_in_view"] = whole_feature(sorted(view.camera.points_in_view))
    example = tf.train.Example(features=tf.train.Features(feature=features))
    record: bytes = example.SerializeToString(deterministic=True)
    return record


def bytes_feature(value: bytes) -> Any:
    import tensorflow as tf

    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def text_feature(value: str) -> Any:
    return bytes_feature(value.encode())


def whole_feature(values: Iterable[int]) -> Any:
    import tensorflow as tf

    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def float_feature(values: Floats) -> Any:
    """float32, as every float of a tf.train.Example is."""
    import tensorflow as tf

    return tf.train.Feature(float_list=tf.train.FloatList(value=np.asarray(values, "float32")))


def parse_view(record: bytes) -> View:
    """the view in a record made by `encode_view`."""
    import tensorflow as tf

    features = tf.train.Example.FromString(record).features.feature
    labels = {
        folder: parse_label(features[folder], domain)
        for folder, domain in DOMAINS.items()
        if folder not in ("rgb", "point_info") and folder in features
    }
    return View(
        ViewKey.parse(features["key"].bytes_list.value[0].decode()),
        decode_png(features["rgb"].bytes_list.value[0], DOMAINS["rgb"]),
        parse_camera(features),
        labels,
    )


def parse_label(feature: Any, domain: Domain) -> Array:
    """the label in a feature, in the published encoding."""
    if domain.file == "png":
        return decode_png(feature.bytes_list.value[0], domain)
    return np.array(feature.float_list.value, "float32")


def parse_camera(features: Any) -> Camera | None:
    """the camera among the features of a record, if the view has one."""
    if "camera" not in features:
        return None
    listed = features["points_in_view"].int64_list.value if "points_in_view" in features else None
    return Camera.from_floats(np.array(features["camera"].float_list.value), listed)


def records(uri: str, split: str) -> Iterator[bytes]:
    """the serialised views of one split of an Examples artifact, shard by shard. Raises
    DamagedRecord, which names the shard.
    """
    import tensorflow as tf

    for path in sorted(tf.io.gfile.glob(f"{uri}/Split-{split}/*.tfrecord.gz")):
        yield from records_of(path)


def records_of(path: str) -> Iterator[bytes]:
    """the serialised views of one shard. Raises DamagedRecord, which names it, FileNotFoundError
    for one that is not there.
    """
    import tensorflow as tf

    if not tf.io.gfile.exists(path):
        raise FileNotFoundError(errno.ENOENT, "the shard is missing", path)
    count = 0
    try:
        for record in tf.data.TFRecordDataset([path], "GZIP").as_numpy_iterator():
            count += 1
            yield record
    except (tf.errors.DataLossError, tf.errors.OutOfRangeError) as error:
        raise DamagedRecord(
            f"{path}: damaged after record {count} ({error.message.splitlines()[0]}); "
            "copy the shard anew, or ingest again"
        ) from error


def encoded_images(uri: str, split: str, count: int) -> list[bytes]:
    """the first `count` images of a split as PNG bytes."""
    import tensorflow as tf

    return [
        tf.train.Example.FromString(record).features.feature["rgb"].bytes_list.value[0]
        for record in itertools.islice(records(uri, split), count)
    ]
