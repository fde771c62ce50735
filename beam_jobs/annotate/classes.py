"""Labels of classes for a procedural view: its objects, the kind of its room, and a semantic id for
every pixel. Only the generator knows them; a mesh does not tell.
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.buildings.scene import Scene
from beam_jobs.scenes.render.renderer import Surfaces
from models.tasks.arrays import Array, Bytes, Floats

# Index among ImageNet's 1000 classes of what the generator builds. Where ImageNet has no such
# thing, it is the class that comes nearest, whose word follows.
OBJECTS = {
    "ashcan": 412,
    "backpack": 414,
    "bag": 748,  # purse
    "banana": 954,
    "barrel": 756,  # rain barrel
    "basket": 588,  # hamper
    "basketball": 430,
    "bathtub": 435,
    "bed": 564,  # four-poster
    "beer bottle": 440,
    "binder": 446,
    "blind": 905,  # window shade
    "book": 921,  # book jacket
    "bookcase": 453,
    "bottle": 898,  # water bottle
    "bowl": 659,  # mixing bowl
    "box": 478,  # carton
    "broom": 462,
    "bucket": 463,
    "cabinet": 495,  # china cabinet
    "candle": 470,
    "chair": 559,  # folding chair
    "clock": 892,  # wall clock
    "clothes": 841,  # sweatshirt
    "coat": 869,  # trench coat
    "coffee table": 532,  # dining table
    "coffeepot": 505,
    "couch": 831,  # studio couch
    "crate": 519,
    "crib": 520,
    "cup": 968,
    "curtain": 905,  # window shade
    "cushion": 721,  # pillow
    "desk": 526,
    "digital clock": 530,
    "dining table": 532,
    "drum": 541,
    "dumbbell": 543,
    "electric fan": 545,
    "entertainment center": 548,
    "envelope": 549,
    "file cabinet": 553,
    "frying pan": 567,
    "goblet": 572,
    "guitar": 402,  # acoustic guitar
    "hourglass": 604,
    "iron": 606,
    "keyboard": 508,  # computer keyboard
    "lamp": 846,  # table lamp
    "laptop": 620,
    "lemon": 951,
    "lotion": 631,
    "loudspeaker": 632,
    "microwave": 651,
    "mirror": 648,  # medicine chest
    "monitor": 664,
    "mouse": 673,
    "orange": 950,
    "oven": 827,  # stove
    "paper": 922,  # menu
    "park bench": 703,
    "pencil box": 709,
    "piano": 881,  # upright
    "pitcher": 725,
    "plate": 923,
    "pool table": 736,
    "pot": 521,  # Crock Pot
    "potted plant": 738,  # pot
    "printer": 742,
    "quilt": 750,
    "radiator": 753,
    "radio": 754,
    "refrigerator": 760,
    "remote control": 761,
    "rocking chair": 765,
    "rug": 741,  # prayer rug
    "sewing machine": 786,
    "shoe": 770,  # running shoe
    "shower curtain": 794,
    "side table": 532,  # dining table
    "sink": 896,  # washbasin
    "soap dispenser": 804,
    "soccer ball": 805,
    "socket": 844,  # switch
    "space heater": 811,
    "stool": 559,  # folding chair
    "teapot": 849,
    "teddy bear": 850,
    "telephone": 528,  # dial telephone
    "toaster": 859,
    "toilet": 861,  # toilet seat
    "toilet paper": 999,
    "towel": 434,  # bath towel
    "tray": 868,
    "tricycle": 870,
    "tv": 851,
    "umbrella": 879,
    "vacuum": 882,
    "vase": 883,
    "wardrobe": 894,
    "washer": 897,
    "window": 904,  # window screen
    "wine bottle": 907,
}
# Index among the 365 classes of Places365.
PLACES = {
    "living_room": 215,
    "bedroom": 52,
    "kitchen": 203,
    "dining_room": 121,
    "home_office": 176,
    "bathroom": 45,
    "childs_room": 89,
    "nursery": 240,
    "utility_room": 343,
    "storage_room": 318,
    "conference_room": 102,
    "television_room": 328,
    "recreation_room": 281,
    "waiting_room": 352,
}


def classes(surfaces: Surfaces, scene: Scene, room: int) -> dict[str, Array]:
    """Returns {folder: label} of the class labels of a view taken from a room: ids [S, S] of
    pixels, a number a class [classes] of objects and of scenes. room: its index.
    """
    return {
        "segment_semantic": semantic_ids(surfaces, scene),
        "class_object": object_logits(surfaces, scene),
        "class_scene": scene_probabilities(scene.rooms[room].kind),
    }


def semantic_ids(surfaces: Surfaces, scene: Scene) -> Bytes:
    """Returns [S, S] uint8 class ids in 0 to 17; 0 where nothing is seen."""
    surface_mask = surfaces.instance >= 0
    # -1, where nothing is seen, would be read as the last instance
    ids = scene.semantic[np.maximum(surfaces.instance, 0)]
    return np.where(surface_mask, ids, 0).astype("uint8")


def object_logits(surfaces: Surfaces, scene: Scene) -> Floats:
    """Returns [1000] float32 logits: the log of each visible object's share of the pixels, with
    1e-4 added to every class's; a view without any such object is near uniform.
    """
    share = np.full(1000, 1e-4)
    counts = np.bincount(surfaces.instance[surfaces.instance >= 0])
    for instance, count in enumerate(counts):
        name = scene.names[instance]
        if count and name in OBJECTS:
            share[OBJECTS[name]] += count / surfaces.instance.size
    return np.log(share).astype("float32")


def scene_probabilities(kind: str) -> Floats:
    """Returns [365] float32 probabilities: 0.9 on the room's kind, the rest spread evenly, as a
    confident classifier would answer.
    """
    value = np.full(365, 0.1 / 364, "float32")
    value[PLACES[kind]] = 0.9
    return value
