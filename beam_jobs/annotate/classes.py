"""Classes of what a procedural view shows: objects, the kind of room, semantic ids. Only the
generator knows them; a mesh does not say.
"""

from __future__ import annotations

import numpy as np

# ImageNet indices and Places365 indices of what the generator can build.
OBJECTS = {
    "bottle": 898,
    "chair": 559,
    "couch": 831,
    "potted plant": 738,
    "bed": 564,
    "dining table": 532,
    "toilet": 861,
    "tv": 851,
    "microwave": 651,
    "oven": 827,
    "toaster": 859,
    "sink": 896,
    "refrigerator": 760,
    "book": 921,
    "clock": 892,
    "vase": 883,
    "bookcase": 453,
    "cabinet": 495,
    "wardrobe": 894,
    "desk": 526,
    "bathtub": 435,
    "curtain": 905,
    "lamp": 846,
    "window": 904,
    "bowl": 659,
    "coffee table": 736,
}
PLACES = {
    "living_room": 215,
    "bedroom": 52,
    "kitchen": 203,
    "dining_room": 121,
    "home_office": 176,
    "bathroom": 45,
}


def classes(surfaces, scene, room: int) -> dict[str, np.ndarray]:
    """folder -> label."""
    semantic = np.where(
        surfaces.instance >= 0, scene.semantic[np.maximum(surfaces.instance, 0)], 0
    ).astype("uint8")
    return {
        "segment_semantic": semantic,
        "class_object": object_logits(surfaces, scene),
        "class_scene": scene_probabilities(scene.rooms[room].kind),
    }


def object_logits(surfaces, scene) -> np.ndarray:
    """[1000] logits: log of each visible object's share of the pixels, floored at 1e-4; a view
    without any such object is near uniform.
    """
    share = np.full(1000, 1e-4)
    counts = np.bincount(surfaces.instance[surfaces.instance >= 0])
    for instance, count in enumerate(counts):
        if count and scene.names[instance] in OBJECTS:
            share[OBJECTS[scene.names[instance]]] += count / surfaces.instance.size
    return np.log(share).astype("float32")


def scene_probabilities(kind: str) -> np.ndarray:
    """[365] probabilities: 0.9 on the room's kind, the rest spread evenly, as a confident
    classifier would answer.
    """
    value = np.full(365, 0.1 / 364, "float32")
    value[PLACES[kind]] = 0.9
    return value
