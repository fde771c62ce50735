"""A view as a tf.train.Example and back: maps as PNG, vectors as floats, one record a view."""

from __future__ import annotations

import numpy as np

from models.examples.published import decode_png, encode_png
from models.tasks import DOMAINS, Camera, View, ViewKey


def encode_view(view: View, split: str) -> bytes:
    """a serialised tf.train.Example; absent labels are absent features (docs/ARCHITECTURE.md,
    Examples artifact).
    """
    import tensorflow as tf

    text = lambda value: tf.train.Feature(
        bytes_list=tf.train.BytesList(value=[value if isinstance(value, bytes) else value.encode()])
    )
    number = lambda value: tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
    floats = lambda value: tf.train.Feature(
        float_list=tf.train.FloatList(value=np.asarray(value, "float32"))
    )
    features = {
        "key": text(str(view.key)),
        "building": text(view.key.building),
        "split": text(split),
        "point": number(view.key.point),
        "view": number(view.key.view),
        "rgb": text(encode_png(view.rgb)),
    }
    for folder, value in view.labels.items():
        features[folder] = (
            text(encode_png(value)) if DOMAINS[folder].file == "png" else floats(value)
        )
    if view.camera is not None:
        features["camera"] = floats(view.camera.to_floats())
        if view.camera.points_in_view is not None:
            features["points_in_view"] = tf.train.Feature(
                int64_list=tf.train.Int64List(value=sorted(view.camera.points_in_view))
            )
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(
        deterministic=True
    )


def parse_view(record: bytes) -> View:
    """the view in a record made by `encode_view`."""
    import tensorflow as tf

    features = tf.train.Example.FromString(record).features.feature
    labels = {}
    for folder, domain in DOMAINS.items():
        if folder in ("rgb", "point_info") or folder not in features:
            continue
        labels[folder] = (
            decode_png(features[folder].bytes_list.value[0], domain)
            if domain.file == "png"
            else np.array(features[folder].float_list.value, "float32")
        )
    seen = features["points_in_view"].int64_list.value if "points_in_view" in features else None
    camera = (
        Camera.from_floats(np.array(features["camera"].float_list.value), seen)
        if "camera" in features
        else None
    )
    return View(
        ViewKey.parse(features["key"].bytes_list.value[0].decode()),
        decode_png(features["rgb"].bytes_list.value[0], DOMAINS["rgb"]),
        camera,
        labels,
    )


def records(uri: str, split: str):
    """the serialised views of one split of an Examples artifact, shard by shard."""
    import tensorflow as tf

    files = sorted(tf.io.gfile.glob(f"{uri}/Split-{split}/*.tfrecord.gz"))
    yield from tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator()


def encoded_images(uri: str, split: str, count: int) -> list[bytes]:
    """the first `count` images of a split as PNG bytes."""
    import itertools

    import tensorflow as tf

    return [
        tf.train.Example.FromString(record).features.feature["rgb"].bytes_list.value[0]
        for record in itertools.islice(records(uri, split), count)
    ]
