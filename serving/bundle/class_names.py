"""What the classes of a task are called: ImageNet's and Places365's own names, COCO's for the
semantic maps, words for point matching.

Text files in class_names/: ImageNet in the order of the 1000 logits, indoor Places with their
Places365 index.
"""

from __future__ import annotations

import functools
from pathlib import Path

SEMANTIC = (
    "background", "bottle", "chair", "couch", "potted plant", "bed", "dining table", "toilet", "tv", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase",
)  # fmt: skip
_POSE = tuple(f"{kind} {axis}" for kind in ("turn, rad,", "move, m,") for axis in "xyz")
VECTORS = {
    "room_layout": tuple(
        f"{kind} {axis}" for kind in ("centre, m,", "turn, rad,", "extent, m,") for axis in "xyz"
    ),
    "vanishing_point": tuple(f"direction {i}, {axis}" for i in "123" for axis in "xyz"),
    "fixated_pose": _POSE,
    "nonfixated_pose": _POSE,
    "egomotion": tuple(f"views {pair}: {name}" for pair in ("1-2", "1-3", "2-3") for name in _POSE),
}


@functools.cache
def class_names(task: str) -> tuple[str, ...]:
    """a name for every class of `task`, in the order of its channels; () for tasks without classes
    that a person could name.
    """
    if task == "segment_semantic":
        return SEMANTIC
    if task == "point_matching":
        return ("different points", "the same point")
    if task in ("class_object", "class_scene"):
        file = {"class_object": "imagenet.txt", "class_scene": "places_indoor.txt"}[task]
        lines = (Path(__file__).parent / "vocabularies" / file).read_text().splitlines()
        return (
            tuple(lines)
            if task == "class_object"
            else tuple(line.partition(" ")[2] for line in lines)
        )
    return ()
