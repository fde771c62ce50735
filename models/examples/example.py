"""Writes a view as a tf.train.Example and reads it back: maps as PNG, vectors as floats, one record
a view.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from models.examples.message import bytes_of, example_class, features_of, floats_of
from models.examples.published import decode_recorded, encode_png
from models.examples.shards import records_of, shards_below
from models.tasks import DOMAINS, Camera, Domain, View, ViewKey
from models.tasks.arrays import Array, Floats


def encode_view(view: View, split: str) -> bytes:
    """Returns a view as a serialised tf.train.Example; absent labels are absent features
    (docs/ARCHITECTURE.md, Examples artifact).
    """
    example = example_class()()
    # Filled in place: a Feature that is handed to another message is copied with all its pixels.
    features = example.features.feature
    add_text(features["key"], str(view.key))
    add_text(features["building"], view.key.building)
    add_text(features["split"], split)
    add_wholes(features["point"], [view.key.point])
    add_wholes(features["view"], [view.key.view])
    add_picture(features["rgb"], view.rgb)
    for folder, value in view.labels.items():
        add_label = add_picture if DOMAINS[folder].file == "png" else add_floats
        add_label(features[folder], value)
    if view.camera is not None:
        add_floats(features["camera"], view.camera.to_floats())
        if view.camera.points_in_view is not None:
            add_wholes(features["points_in_view"], sorted(view.camera.points_in_view))
    # the order of a map's entries is free otherwise, and records are compared by their bytes
    record: bytes = example.SerializeToString(deterministic=True)
    return record


def add_picture(feature: Any, pixels: Array) -> None:
    """Writes pixels, [H, W] or [H, W, C] of uint8 or uint16, as PNG bytes into an empty
    tf.train.Feature.
    """
    feature.bytes_list.value.append(encode_png(pixels))


def add_text(feature: Any, text: str) -> None:
    feature.bytes_list.value.append(text.encode())


def add_wholes(feature: Any, values: Iterable[int]) -> None:
    """Writes int64 values into an empty feature, which is there even if the list is empty."""
    feature.int64_list.SetInParent()
    feature.int64_list.value.extend(values)


def add_floats(feature: Any, values: Floats) -> None:
    """Writes values [n] into an empty feature as float32, as all floats of a
    tf.train.Example are.
    """
    feature.float_list.SetInParent()
    feature.float_list.value.extend(np.asarray(values, "float32"))


def parse_view(record: bytes) -> View:
    """Returns the view in a record made by `encode_view`."""
    features = features_of(record)
    labels = {
        folder: parse_label(features[folder], domain)
        for folder, domain in DOMAINS.items()
        if folder not in ("rgb", "point_info") and folder in features
    }
    return View(
        ViewKey.parse(features["key"].bytes_list.value[0].decode()),
        decode_recorded(features["rgb"].bytes_list.value[0], DOMAINS["rgb"]),
        parse_camera(features),
        labels,
    )


def parse_label(feature: Any, domain: Domain) -> Array:
    """Returns the label in a feature, in the published encoding: [H, W] or [H, W, 3] in the
    domain's dtype of a picture, else [n] float32.
    """
    if domain.file == "png":
        return decode_recorded(bytes_of(feature), domain)
    return floats_of(feature)


def parse_camera(features: Any) -> Camera | None:
    """Returns the camera among the features of a record, None if the view has none."""
    if "camera" not in features:
        return None
    points = features["points_in_view"].int64_list.value if "points_in_view" in features else None
    return Camera.from_floats(floats_of(features["camera"]), points)


def records(uri: str, split: str) -> Iterator[bytes]:
    """Yields the serialised views of one split of an Examples artifact, shard by shard. Raises
    DamagedRecord, which names the shard.
    """
    for path in shards_below(f"{uri}/Split-{split}"):
        yield from records_of(path)


def encoded_images(uri: str, split: str, count: int) -> list[bytes]:
    """Returns the first `count` images of a split as PNG bytes."""
    return [
        features_of(record)["rgb"].bytes_list.value[0]
        for record in itertools.islice(records(uri, split), count)
    ]
