"""Makes the training targets of every task from labelled views.

`target(task, views, draws)` looks up the function that the entry names (`Task.make`); a
function takes the views of one sample and returns (value, mask), or None where a view says too
little. A map that follows from its codes alone is returned as `Coded`, one of colours as
`SoftColours`, so that halves can be written at once.
Constants: the released configs (`config/<task>`), normalisation in `load_ops.resize_rescale_image`
and neighbours.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from models.tasks.arrays import Bytes, Floats, Integers
from models.tasks.code_tables import Coded, CodeTable, every_code
from models.tasks.labels import cameras
from models.tasks.labels.permutations import JIGSAW_PERMUTATIONS
from models.tasks.labels.soft_colours import SoftColours
from models.tasks.task import Task
from models.tasks.view import Camera, View

# (value, mask): value as `Task.target_shape` says; mask [S, S, 1] for maps, [] for a sample.
Target = tuple[Floats, Floats]
# The same, of maps perhaps by what they are made of; what target functions return.
Made = tuple[Floats | Coded | SoftColours, Floats | Coded]
# Makes the generator of a sample's random numbers. Only where one is asked for, since it takes some
# 0.06 ms, as long as many a target.
Draws = Callable[[], np.random.Generator]
Maker = Callable[[Task, Sequence[View], Draws], Made | None]
# Depth codes from here on mean "no surface" (mask_if_channel_ge of the original).
SURFACE_LIMIT = 64500
# Mean and deviation of the codes of the two curvatures, as the released configuration has them.
CURVATURE_MEAN = (123.572, 120.1)
CURVATURE_STD = (31.922, 21.658)
# Their whitened values, a table of the 256 codes for each.
CURVATURES = CodeTable(
    *(
        ((every_code(8) - mean) / deviation).astype("float32")
        for mean, deviation in zip(CURVATURE_MEAN, CURVATURE_STD)
    )
)
# log(1 + code)/log(2^16) of every depth code.
LOG_DEPTHS = CodeTable(
    (np.log1p(every_code(16).astype("float32")) / np.log(65536)).astype("float32")
)
# 8-bit codes as [-1, 1], and as numbers.
SIGNED = CodeTable(every_code(8).astype("float32") / np.float32(127.5) - 1)
IDS = CodeTable(every_code(8).astype("float32"))
# Masks: of codes that are not 0, and of depths that are a surface's.
NONZERO = CodeTable((every_code(8) > 0).astype("float32"))
SEEN = CodeTable((every_code(16) < SURFACE_LIMIT).astype("float32"))
# Numbers, in Places365, of the indoor classes that the released code keeps.
INDOOR_PLACES = (
    3, 23, 25, 26, 28, 37, 43, 45, 51, 52, 56, 61, 63, 88, 89, 93, 95, 100,
    102, 106, 121, 124, 126, 129, 131, 133, 135, 156, 165, 176, 177, 179, 182, 203, 208, 215,
    217, 228, 240, 241, 244, 246, 248, 253, 255, 264, 269, 280, 281, 282, 285, 298, 303, 311,
    317, 318, 328, 332, 343, 346, 352, 358, 363,
)  # fmt: skip
# Weights of background and the 16 object classes: rare ones weigh more.
SEMANTIC_WEIGHTS = (
    0.542, 9.167, 7.331, 7.162, 8.723, 7.613, 8.237, 9.149, 8.822, 9.086,
    8.914, 9.177, 9.035, 8.604, 9.170, 9.147, 9.137,
)  # fmt: skip
# For each of a pixel's 256 ids its class, where uncertain (0) counts as background, and its weight,
# which masks uncertain ones.
SEMANTIC_CLASSES = CodeTable(np.maximum(every_code(8).astype("float32"), 1) - 1)
SEMANTIC_MASK = CodeTable(
    np.concatenate(
        [[0], SEMANTIC_WEIGHTS, np.full(255 - len(SEMANTIC_WEIGHTS), SEMANTIC_WEIGHTS[-1])]
    ).astype("float32")
)


def target(task: Task, views: Sequence[View], draws: Draws) -> Target | None:
    """Returns (value, mask) of one sample of `task`, float32, or None if a view has no such label.

    views: as many as `task.images`. draws: for the jigsaw permutation; nothing else is random.
    Vectors are not yet whitened. Raises ValueError for another number of views, and for an entry
    that names no target function.
    """
    parts = made_target(task, views, draws)
    if parts is None:
        return None
    value, mask = (part if isinstance(part, np.ndarray) else part.single() for part in parts)
    if task.mask == "surface":
        surface_mask = surface(views[0])
        mask = surface_mask if mask is everywhere(views[0].size) else mask * surface_mask
    return np.asarray(value, "float32"), np.asarray(mask, "float32")


def made_target(task: Task, views: Sequence[View], draws: Draws) -> Made | None:
    """Returns what the task's target function makes of its views: what `target` says, but for the
    mask of what sees no surface.
    """
    if len(views) != task.images:
        raise ValueError(
            f"task {task.name}: a sample holds {task.images} view(s), got {len(views)}"
        )
    if task.make not in MAKERS:
        raise ValueError(
            f"task {task.name}: no target function is called {task.make!r}; there are "
            f"{', '.join(MAKERS)}"
        )
    if not all(labelled(view, task) for view in views):
        return None
    return MAKERS[task.make](task, views, draws)


def labelled(view: View, task: Task) -> bool:
    """Returns whether the view carries every label that the target is made of."""
    if "point_info" in task.labels and view.camera is None:
        return False
    beside = ("rgb", "point_info")  # every view has the one, the other is its camera
    return all(folder in view.labels for folder in task.labels if folder not in beside)


def surface(view: View) -> Floats:
    """Returns [S, S, 1] float32: 1 where the view sees a surface (depth code < 64500), from
    whichever depth is there; all 1 without depth.
    """
    depth = depth_codes(view)
    if depth is None:
        return _all(view)
    return np.asarray(depth < SURFACE_LIMIT, "float32")[..., None]


def depth_codes(view: View) -> Integers | None:
    """Returns the codes [S, S] uint16 of whichever depth is there, None without."""
    for folder in ("depth_zbuffer", "depth_euclidean"):
        if folder in view.labels:
            return view.labels[folder]
    return None


@functools.lru_cache(maxsize=8)
def everywhere(size: int) -> Floats:
    """Returns [S, S, 1] float32, the mask of a map that counts everywhere: one array for each size,
    which nobody may write into.
    """
    mask = np.ones((size, size, 1), "float32")
    mask.flags.writeable = False
    return mask


def _all(view: View) -> Floats:
    return everywhere(view.size)


def _sample() -> Floats:
    """Returns the mask of a sample that counts."""
    return np.ones((), "float32")


def _codes(view: View, task: Task) -> Integers:
    """Returns the codes of the task's first label."""
    return view.labels[task.labels[0]]


def _camera(view: View) -> Camera:
    """Returns the camera, which `labelled` has made sure of."""
    assert view.camera is not None
    return view.camera


def image(task: Task, views: Sequence[View], draws: Draws) -> Made:
    """Returns the clean image, [S, S, 3] in [-1, 1]."""
    return Coded(views[0].rgb, SIGNED), _all(views[0])


def scaled(high: float, *, clip: bool, blur: float = 0.0) -> Maker:
    """Returns a target function that makes 16-bit codes/65535 with [0, high] mapped to [-1, 1].
    clip: whether larger values become 1; blur: sigma in pixels of a 256 x 256 image, after the
    scaling.
    """

    scale = every_code(16).astype("float32")
    scale /= 65535
    scale /= high
    if clip:
        np.minimum(scale, 1, out=scale)
    table = CodeTable(scale * 2 - 1)

    def make(task: Task, views: Sequence[View], draws: Draws) -> Made:
        value = Coded(_codes(views[0], task), table)
        if not blur:
            return value, _all(views[0])
        smooth = smoothed(value.single()[..., 0], blur * views[0].size / 256)
        return smooth[..., None], _all(views[0])

    return make


def smoothed(values: Floats, sigma: float) -> Floats:
    """Returns float32 [S, S] under a Gaussian that is cut off at four sigma (pixels), edges
    repeated: what SciPy's filter gives in float64, to 1e-6, in a quarter of its time.
    """
    side = 2 * int(4 * sigma + 0.5) + 1
    return cv2.GaussianBlur(values, (side, side), sigma, borderType=cv2.BORDER_REPLICATE)


def reshading(task: Task, views: Sequence[View], draws: Draws) -> Made:
    """Returns 8-bit brightness as [S, S, 1] in [-1, 1]."""
    return Coded(_codes(views[0], task), SIGNED), _all(views[0])


def curvature(task: Task, views: Sequence[View], draws: Draws) -> Made:
    """Returns codes of the two curvatures whitened by the published constants, [S, S, 2]; pixels
    coded (0, 0, 0) are masked.
    """
    codes = _codes(views[0], task)
    # channel by channel: numpy goes through a last axis of two or three numbers in twenty times the
    # time
    return Coded(codes, CURVATURES), Coded(cv2.max(*cv2.split(codes)[:2]), NONZERO)


def depth(task: Task, views: Sequence[View], draws: Draws) -> Made:
    """Returns log(1 + code)/log(2^16), [S, S, 1] in [0, 1], with its own mask (code < 64500)."""
    codes = _codes(views[0], task)
    return Coded(codes, LOG_DEPTHS), Coded(codes, SEEN)


def normal(task: Task, views: Sequence[View], draws: Draws) -> Made:
    """Returns unit normals in the OpenCV camera frame, [S, S, 3]; grey (128, 128, 128) and black
    pixels are masked.
    """
    from models.tasks.labels.code_kernels import known_normals  # here: numba

    codes = _codes(views[0], task)
    mask: Bytes = np.empty(codes.shape[:2], "uint8")
    known_normals(codes, mask)
    return Coded(codes, SIGNED), Coded(mask, NONZERO)


def segments(task: Task, views: Sequence[View], draws: Draws) -> Made:
    """Returns segment ids, [S, S, 1]; the loss compares pairs of pixels, so only equality of ids
    matters.
    """
    return Coded(_codes(views[0], task), IDS), _all(views[0])


def semantic(task: Task, views: Sequence[View], draws: Draws) -> Made:
    """Returns class 0 (background) to 16, [S, S, 1]; id 0 (uncertain) is masked, the mask carries
    the published class weights.
    """
    ids = _codes(views[0], task)
    return Coded(ids, SEMANTIC_CLASSES), Coded(ids, SEMANTIC_MASK)


def colours_of(task: Task, views: Sequence[View], draws: Draws) -> Made:
    """Returns [S/4, S/4, 313]: weights of the ten nearest colour bins, Gaussian with sigma 5 (Zhang
    et al. 2016), of the image averaged 4 x 4.
    """
    side = views[0].size // task.output.scale
    return SoftColours(views[0].rgb, side), everywhere(side)


def one_hot(place: int, count: int) -> Floats:
    """Returns [count] float64, 1 at a place and 0 elsewhere."""
    values = np.zeros(count)
    values[place] = 1
    return values


def object_classes(task: Task, views: Sequence[View], draws: Draws) -> Target:
    """Returns the softmax of 1000 logits."""
    logits = views[0].labels[task.labels[0]].astype("float64")
    exponentials = np.exp(logits - logits.max())
    return exponentials / exponentials.sum(), _sample()


def scene_classes(task: Task, views: Sequence[View], draws: Draws) -> Target:
    """Returns 63 indoor classes out of 365 probabilities, renormalised; a view without any indoor
    mass is masked.
    """
    indoor = views[0].labels[task.labels[0]][list(INDOOR_PLACES)].astype("float64")
    total = indoor.sum()
    if total > 0:
        return indoor / total, _sample()
    return np.full(len(indoor), 1 / len(indoor)), np.zeros((), "float32")


def room_layout(task: Task, views: Sequence[View], draws: Draws) -> Target | None:
    """Returns the centre of the room in the camera frame (m), Euler angles (rad), extents (m); None
    where the room is unknown.
    """
    camera = _camera(views[0])
    if camera.room is None:
        return None
    return cameras.room_layout(camera), _sample()


def vanishing_points(task: Task, views: Sequence[View], draws: Draws) -> Target:
    """Returns three orthonormal directions of the world axes in the camera frame."""
    return cameras.vanishing_points(_camera(views[0])), _sample()


def relative_pose(task: Task, views: Sequence[View], draws: Draws) -> Target:
    """Returns the pose of the first camera in the frame of the second."""
    return cameras.relative_pose(*map(_camera, views)), _sample()


def egomotion(task: Task, views: Sequence[View], draws: Draws) -> Target:
    """Returns poses 1-2, 1-3, 2-3, 18 numbers."""
    return cameras.egomotion(*map(_camera, views)), _sample()


def same_point(task: Task, views: Sequence[View], draws: Draws) -> Target:
    """Returns one-hot [2]: whether both images fixate the same point of the same building."""
    first, second = (view.key for view in views)
    same = first.building == second.building and first.point == second.point
    return one_hot(int(same), 2), _sample()


def permutation(task: Task, views: Sequence[View], draws: Draws) -> Target:
    """Returns one-hot [100]: which permutation of the tiles the input shows, drawn uniformly."""
    drawn = int(draws().integers(JIGSAW_PERMUTATIONS))
    return one_hot(drawn, JIGSAW_PERMUTATIONS), _sample()


MAKERS: dict[str, Maker] = {
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
