"""Training targets of every task from labelled views.

`target(task, views, rng)` looks up the function that the entry names (`Task.make`); a function
takes the views of one sample and returns (target, mask): float32, mask [S, S, 1] for maps and []
for a sample. A view that lacks a needed label gives None. Constants: the released configs
(`config/<task>`), normalisation in `load_ops.resize_rescale_image` and neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.ndimage import gaussian_filter

from models.tasks.labels import cameras, colours
from models.tasks.task import Task
from models.tasks.view import View

Target = tuple[np.ndarray, np.ndarray]
SURFACE_LIMIT = (
    64500  # depth codes from here on mean "no surface" (mask_if_channel_ge of the original)
)
CURVATURE_MEAN, CURVATURE_STD = (123.572, 120.1), (31.922, 21.658)
INDOOR_PLACES = (
    3,
    23,
    25,
    26,
    28,
    37,
    43,
    45,
    51,
    52,
    56,
    61,
    63,
    88,
    89,
    93,
    95,
    100,
    102,
    106,
    121,
    124,
    126,
    129,
    131,
    133,
    135,
    156,
    165,
    176,
    177,
    179,
    182,
    203,
    208,
    215,
    217,
    228,
    240,
    241,
    244,
    246,
    248,
    253,
    255,
    264,
    269,
    280,
    281,
    282,
    285,
    298,
    303,
    311,
    317,
    318,
    328,
    332,
    343,
    346,
    352,
    358,
    363,
)
SEMANTIC_WEIGHTS = (
    0.542,
    9.167,
    7.331,
    7.162,
    8.723,
    7.613,
    8.237,
    9.149,
    8.822,
    9.086,
    8.914,
    9.177,
    9.035,
    8.604,
    9.170,
    9.147,
    9.137,
)
JIGSAW_PERMUTATIONS = 100


def target(task: Task, views: Sequence[View], rng: np.random.Generator) -> Target | None:
    """(target, mask) of one sample of `task`, or None if a view has no such label.

    views: as many as `task.images`. rng: draws the jigsaw permutation; nothing else is random.
    Vectors are not yet whitened.
    """
    if len(views) != task.images:
        raise ValueError(
            f"task {task.name}: a sample holds {task.images} view(s), got {len(views)}"
        )
    for view in views:
        if any(
            folder not in view.labels
            for folder in task.labels
            if folder not in ("rgb", "point_info")
        ):
            return None
        if "point_info" in task.labels and (
            view.camera is None or (task.name == "room_layout" and view.camera.room is None)
        ):
            return None
    value, mask = MAKERS[task.make](task, views, rng)
    if task.mask == "surface":
        mask = mask * surface(views[0])
    return np.asarray(value, "float32"), np.asarray(mask, "float32")


def surface(view: View) -> np.ndarray:
    """[S, S, 1] float32: 1 where the view sees a surface (depth code < 64500), from whichever depth
    is there; all 1 without depth.
    """
    for folder in ("depth_zbuffer", "depth_euclidean"):
        if folder in view.labels:
            return (view.labels[folder] < SURFACE_LIMIT).astype("float32")[..., None]
    return _all(view)


def _all(view: View) -> np.ndarray:
    return np.ones((view.size, view.size, 1), "float32")


def _sample() -> np.ndarray:
    return np.float32(1)


def _codes(view: View, task: Task) -> np.ndarray:
    return view.labels[task.labels[0]].astype("float32")


def image(task, views, rng) -> Target:
    """the clean image, [S, S, 3] in [-1, 1]."""
    return views[0].rgb.astype("float32") / 127.5 - 1, _all(views[0])


def scaled(high: float, *, clip: bool, blur: float = 0.0) -> Callable:
    """16-bit codes/65535 with [0, high] mapped to [-1, 1]; blur: sigma in pixels of a 256 x 256
    image, after the scaling.
    """

    def make(task, views, rng) -> Target:
        value = _codes(views[0], task) / 65535 / high
        value = (np.minimum(value, 1) if clip else value) * 2 - 1
        if blur:
            value = gaussian_filter(value, blur * views[0].size / 256, mode="nearest")
        return value[..., None], _all(views[0])

    return make


def reshading(task, views, rng) -> Target:
    """8-bit brightness, [S, S, 1] in [-1, 1]."""
    return _codes(views[0], task)[..., None] / 127.5 - 1, _all(views[0])


def curvature(task, views, rng) -> Target:
    """codes of the two curvatures whitened by the published constants, [S, S, 2]; pixels coded (0,
    0, 0) are masked.
    """
    codes = _codes(views[0], task)[..., :2]
    seen = (codes > 0).any(-1, keepdims=True).astype("float32")
    return (codes - CURVATURE_MEAN) / CURVATURE_STD, seen


def depth(task, views, rng) -> Target:
    """log(1 + code)/log(2^16), [S, S, 1] in [0, 1]; its own mask (code < 64500)."""
    codes = _codes(views[0], task)[..., None]
    return np.log1p(codes) / np.log(65536), (codes < SURFACE_LIMIT).astype("float32")


def normal(task, views, rng) -> Target:
    """unit normals in the OpenCV camera frame, [S, S, 3]; grey (128, 128, 128) and black pixels are
    masked.
    """
    codes = _codes(views[0], task)
    missing = (codes == 0).all(-1, keepdims=True) | (codes == 128).all(-1, keepdims=True)
    return codes / 127.5 - 1, 1 - missing.astype("float32")


def segments(task, views, rng) -> Target:
    """segment ids, [S, S, 1]; the loss compares pairs of pixels, so that only equality of ids
    matters.
    """
    return _codes(views[0], task)[..., None], _all(views[0])


def semantic(task, views, rng) -> Target:
    """class 0 (background) to 16, [S, S, 1]; id 0 (uncertain) is masked, the mask carries the
    published class weights.
    """
    ids = views[0].labels["segment_semantic"].astype("int64")[..., None]
    classes = np.maximum(ids - 1, 0)
    return classes, np.asarray(SEMANTIC_WEIGHTS)[np.minimum(classes, 16)] * (ids > 0)


def colours_of(task, views, rng) -> Target:
    """[S/4, S/4, 313]: weights of the ten nearest colour bins, Gaussian with sigma 5 (Zhang et al.
    2016), of the image averaged 4 x 4.
    """
    side = views[0].size // task.output.scale
    small = views[0].rgb[: side * 4, : side * 4].reshape(side, 4, side, 4, 3).mean((1, 3)) / 255
    return colours.soft_encoding(colours.rgb_to_lab(small)[..., 1:]), np.ones(
        (side, side, 1), "float32"
    )


def object_classes(task, views, rng) -> Target:
    """softmax of 1000 logits."""
    logits = views[0].labels["class_object"].astype("float64")
    exponentials = np.exp(logits - logits.max())
    return exponentials / exponentials.sum(), _sample()


def scene_classes(task, views, rng) -> Target:
    """63 indoor classes out of 365 probabilities, renormalised; a view without any indoor mass is
    masked.
    """
    kept = views[0].labels["class_scene"][list(INDOOR_PLACES)].astype("float64")
    total = kept.sum()
    return (
        (kept / total, _sample())
        if total > 0
        else (np.full(len(kept), 1 / len(kept)), np.float32(0))
    )


def room_layout(task, views, rng) -> Target:
    """centre of the room in the camera frame (m), Euler angles (rad), extents (m)."""
    return cameras.room_layout(views[0].camera), _sample()


def vanishing_points(task, views, rng) -> Target:
    """three orthonormal directions of the world axes in the camera frame."""
    return cameras.vanishing_points(views[0].camera), _sample()


def relative_pose(task, views, rng) -> Target:
    """pose of the first camera in the frame of the second."""
    return cameras.relative_pose(views[0].camera, views[1].camera), _sample()


def egomotion(task, views, rng) -> Target:
    """poses 1-2, 1-3, 2-3, 18 numbers."""
    return cameras.egomotion(*(view.camera for view in views)), _sample()


def same_point(task, views, rng) -> Target:
    """one-hot [2]: do both images fixate the same point of the same building?"""
    first, second = (view.key for view in views)
    return np.eye(2)[
        int(first.building == second.building and first.point == second.point)
    ], _sample()


def permutation(task, views, rng) -> Target:
    """one-hot [100]: which permutation of the tiles the input shows, uniform."""
    return np.eye(JIGSAW_PERMUTATIONS)[rng.integers(JIGSAW_PERMUTATIONS)], _sample()


MAKERS: dict[str, Callable] = {
    "image": image,
    "colours": colours_of,
    "curvature": curvature,
    "edge_texture": scaled(0.08, clip=True),
    "edge_occlusion": scaled(0.00625, clip=False, blur=4),
    "keypoints2d": scaled(0.005, clip=True),
    "keypoints3d": scaled(1.0, clip=True),
    "reshading": reshading,
    "depth": depth,
    "normal": normal,
    "segments": segments,
    "semantic": semantic,
    "object_classes": object_classes,
    "scene_classes": scene_classes,
    "room_layout": room_layout,
    "vanishing_points": vanishing_points,
    "relative_pose": relative_pose,
    "egomotion": egomotion,
    "same_point": same_point,
    "permutation": permutation,
}
