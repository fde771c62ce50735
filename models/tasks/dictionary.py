"""The dictionary of the 26 tasks. A 27th is one entry here, and a row of `targets.MAKERS` if no
target function serves yet; a label that follows from cameras needs rows in `mirror.py` too.

Numbers: `taskbank/experiments/final/<task>/config.py` and `lib/data/load_ops.py` of the released
code; departures stand in docs/DEVIATIONS.md.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from models.tasks.domain import DOMAINS
from models.tasks.task import Output, PublishedRecipe, Task

_PAPER = "Zamir et al. 2018, supplementary 14"
_CODE = "StanfordVL/taskonomy load_ops"

_SEMANTIC = (
    "background", "bottle", "chair", "couch", "potted plant", "bed", "dining table", "toilet", "tv",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase",
)  # fmt: skip
_POSE = tuple(f"{part} {axis}" for part in ("turn, rad,", "move, m,") for axis in "xyz")
_POSES = tuple(f"views {pair}: {number}" for pair in ("1-2", "1-3", "2-3") for number in _POSE)
_LAYOUT = tuple(
    f"{part} {axis}" for part in ("centre, m,", "turn, rad,", "extent, m,") for axis in "xyz"
)
_DIRECTIONS = tuple(f"direction {i}, {axis}" for i in "123" for axis in "xyz")

_ENTRIES = (
    Task(
        "autoencoding",
        title="Autoencoding",
        output=Output("pixels", 3),
        loss="l1",
        unit="image in [-1, 1]",
        labels=("rgb",),
        make="image",
        reference=_PAPER,
        colours=True,
        published="autoencoder",
        family="2d",
        derivation="the picture itself",
    ),
    Task(
        "denoising",
        title="Denoising autoencoding",
        output=Output("pixels", 3),
        loss="l1",
        unit="clean image in [-1, 1]",
        labels=("rgb",),
        make="image",
        reference=f"{_CODE} add_gaussian_noise, variance 0.01",
        input="noisy",
        colours=True,
        published="denoise",
        family="2d",
        derivation="the picture itself, before noise was added",
    ),
    Task(
        "inpainting",
        title="In-painting",
        output=Output("pixels", 3),
        loss="l1",
        unit="whole image in [-1, 1]",
        labels=("rgb",),
        make="image",
        reference="Pathak et al. 2016; the central quarter is grey",
        input="holed",
        target=False,
        colours=True,
        published="impainting_whole",
        family="2d",
        derivation="the picture itself, before a quarter was hidden",
    ),
    Task(
        "colorization",
        title="Colorization",
        # the published decoder ends at 64 x 64 for a picture of 256
        output=Output("pixel_classes", 313, scale=4),
        loss="soft_cross_entropy",
        unit="share of 313 colour bins",
        labels=("rgb",),
        make="colours",
        reference="Zhang et al. 2016",
        low=0,
        input="lightness",
        target=False,
        shares=10,
        colours=True,
        published="colorization",
        family="2d",
        derivation="the picture's own colours",
    ),
    Task(
        "principal_curvature",
        title="Principal curvatures",
        output=Output("pixels", 2),
        loss="l2",
        unit="code whitened by the published constants",
        labels=("principal_curvature",),
        make="curvature",
        reference=f"{_CODE} curvature_preprocess",
        # the codes 0 to 255, whitened, span -5.5 to 6.2
        low=-6,
        high=7,
        mask="surface",
        published_recipe=PublishedRecipe(decay=0.5, constant_rate=True),
        published="curvature",
        family="3d",
    ),
    Task(
        "edge_texture",
        title="Texture edges (2D)",
        output=Output("pixels", 1),
        loss="l1",
        unit="magnitude, 0 to 0.08 as [-1, 1]",
        labels=("edge_texture",),
        make="edge_texture",
        reference="config edge2d",
        colours=True,
        published="edge2d",
        family="2d",
        derivation="an edge filter on the picture",
    ),
    Task(
        "edge_occlusion",
        title="Occlusion edges (3D)",
        output=Output("pixels", 1),
        loss="l1",
        unit="magnitude, 0 to 0.00625 as [-1, 1], blurred, unclipped above",
        labels=("edge_occlusion",),
        make="edge_occlusion",
        reference="config edge3d",
        # a code of 1 is 160 times the scale of 0.00625: 319 where [-1, 1] goes on
        high=320,
        mask="surface",
        published="edge3d",
        family="3d",
    ),
    Task(
        "keypoints2d",
        title="2D keypoints",
        output=Output("pixels", 1),
        loss="l1",
        unit="determinant of Hessian, 0 to 0.005 as [-1, 1]",
        labels=("keypoints2d",),
        make="keypoints2d",
        reference="config keypoint2d; SURF, Bay et al. 2006",
        colours=True,
        published="keypoint2d",
        family="2d",
        derivation="an interest point filter on the picture",
    ),
    Task(
        "keypoints3d",
        title="3D keypoints",
        output=Output("pixels", 1),
        loss="l1",
        unit="interest, 0 to 1 as [-1, 1]",
        labels=("keypoints3d",),
        make="keypoints3d",
        reference="config keypoint3d; NARF, Steder et al. 2011",
        mask="surface",
        published="keypoint3d",
        family="3d",
    ),
    Task(
        "reshading",
        title="Reshading",
        output=Output("pixels", 1),
        loss="l1",
        unit="brightness, 0 to 1 as [-1, 1]",
        labels=("reshading",),
        make="reshading",
        reference="config reshade",
        mask="surface",
        published="reshade",
        family="3d",
    ),
    Task(
        "depth_zbuffer",
        title="Z-buffer depth",
        output=Output("pixels", 1),
        loss="l1",
        unit="log(1 + code)/log(65536), code in 1/512 m",
        labels=("depth_zbuffer",),
        make="depth",
        reference="config rgb2depth",
        low=0,
        mask="surface",
        published="rgb2depth",
        family="3d",
    ),
    Task(
        "depth_euclidean",
        title="Euclidean distance",
        output=Output("pixels", 1),
        loss="l1",
        unit="log(1 + code)/log(65536), code in 1/512 m",
        labels=("depth_euclidean",),
        make="depth",
        reference="config rgb2mist",
        low=0,
        mask="surface",
        published="rgb2mist",
        family="3d",
    ),
    Task(
        "normal",
        title="Surface normals",
        output=Output("pixels", 3),
        loss="l1",
        unit="camera frame x right, y down, z away, in [-1, 1]",
        labels=("normal",),
        make="normal",
        reference="config rgb2sfnorm",
        mask="surface",
        flip="mirror, negate x",
        published="rgb2sfnorm",
        family="3d",
    ),
    Task(
        "segment_unsup2d",
        title="Unsupervised 2D segmentation",
        output=Output("embedding", 64),
        loss="pair_metric",
        unit="segment id",
        labels=("segment_unsup2d",),
        make="segments",
        reference="Shi and Malik 2000; loss after Fathi et al. 2017",
        low=0,
        high=255,
        colours=True,
        published="segment2d",
        family="2d",
        derivation="normalised cuts of the picture",
    ),
    Task(
        "segment_unsup25d",
        title="Unsupervised 2.5D segmentation",
        output=Output("embedding", 64),
        loss="pair_metric",
        unit="segment id",
        labels=("segment_unsup25d",),
        make="segments",
        reference="Shi and Malik 2000 on depth, normals and edges",
        low=0,
        high=255,
        published="segment25d",
        family="3d",
    ),
    Task(
        "segment_semantic",
        title="Semantic segmentation",
        output=Output("pixel_classes", 17),
        loss="weighted_cross_entropy",
        unit="class 0 (background) to 16",
        labels=("segment_semantic",),
        make="semantic",
        reference=f"{_CODE} semantic_segment_rebalanced",
        low=0,
        high=16,
        mask="label",
        names=_SEMANTIC,
        published="segmentsemantic_rb",
        family="semantic",
    ),
    Task(
        "class_object",
        title="Object classification",
        output=Output("classes", 1000),
        loss="soft_cross_entropy",
        unit="probability of an ImageNet class",
        labels=("class_object",),
        make="object_classes",
        reference=f"{_CODE} class_1000_softmax",
        low=0,
        mask="sample",
        vocabulary="imagenet.txt",
        published="class_1000",
        family="semantic",
    ),
    Task(
        "class_scene",
        title="Scene classification",
        output=Output("classes", 63),
        loss="soft_cross_entropy",
        unit="probability of an indoor Places class",
        labels=("class_scene",),
        make="scene_classes",
        reference=f"{_CODE} class_places_workspace_and_home",
        low=0,
        mask="sample",
        vocabulary="places_indoor.txt",
        published_recipe=PublishedRecipe(decay=5.0),
        published="class_places",
        family="semantic",
    ),
    Task(
        "room_layout",
        title="Room layout",
        output=Output("vector", 9),
        loss="l2",
        unit="centre m, Euler rad, extents m; whitened",
        labels=("point_info",),
        make="room_layout",
        reference=f"{_CODE} room_layout",
        low=-100,
        high=100,
        mask="sample",
        flip="mirror the cameras",
        names=_LAYOUT,
        published_recipe=PublishedRecipe(clipped=True),
        published="room_layout",
        family="geometric",
    ),
    Task(
        "vanishing_point",
        title="Vanishing points",
        output=Output("vector", 9),
        loss="l2",
        unit="three unit directions, camera frame",
        labels=("point_info",),
        make="vanishing_points",
        reference=f"{_CODE} vanishing_point_well_defined",
        mask="sample",
        flip="mirror the cameras",
        names=_DIRECTIONS,
        published_recipe=PublishedRecipe(head_decays_alike=True, clipped=True),
        published="vanishing_point_well_defined",
        family="geometric",
    ),
    Task(
        "fixated_pose",
        title="Camera pose (fixated)",
        output=Output("vector", 6),
        loss="euclidean",
        unit="Euler rad, translation m; whitened",
        labels=("point_info",),
        make="relative_pose",
        reference=f"{_CODE} get_camera_matrix",
        low=-100,
        high=100,
        images=2,
        mask="sample",
        flip="mirror the cameras",
        names=_POSE,
        published_recipe=PublishedRecipe(batch=1 / 2),
        published="fix_pose",
        family="geometric",
    ),
    Task(
        "nonfixated_pose",
        title="Camera pose (non-fixated)",
        output=Output("vector", 6),
        loss="euclidean",
        unit="Euler rad, translation m; whitened",
        labels=("point_info",),
        make="relative_pose",
        reference=f"{_CODE} generate_non_fixated",
        low=-100,
        high=100,
        images=2,
        sampling="line of sight",
        mask="sample",
        flip="mirror the cameras",
        names=_POSE,
        head_layers=2,
        published_recipe=PublishedRecipe(batch=1 / 4),
        published="non_fixated_pose",
        family="geometric",
    ),
    Task(
        "egomotion",
        title="Egomotion",
        output=Output("vector", 18),
        loss="egomotion",
        unit="poses 1-2, 1-3, 2-3; whitened",
        labels=("point_info",),
        make="egomotion",
        reference=f"{_CODE} triplet, cycle loss",
        low=-100,
        high=100,
        images=3,
        mask="sample",
        flip="mirror the cameras",
        names=_POSES,
        head_layers=2,
        published_recipe=PublishedRecipe(batch=1 / 4),
        published="ego_motion",
        family="geometric",
    ),
    Task(
        "point_matching",
        title="Point matching",
        output=Output("classes", 2),
        loss="soft_cross_entropy",
        unit="0 different, 1 the same point",
        labels=(),
        make="same_point",
        reference=f"{_CODE} point matching",
        low=0,
        images=2,
        sampling="matching",
        mask="sample",
        names=("different points", "the same point"),
        # the published head has 256 hidden units here, and 2,048 elsewhere
        head_narrowing=8,
        # the lean head does not learn it without: 0.52 of validation pairs beat the average, 0.74
        # with (docs/DEVIATIONS.md)
        compares=True,
        published="point_match",
        family="geometric",
    ),
    Task(
        "jigsaw",
        title="Jigsaw",
        output=Output("classes", 100),
        loss="soft_cross_entropy",
        unit="one of 100 permutations of 3 x 3 tiles",
        labels=(),
        make="permutation",
        reference="Noroozi and Favaro 2016",
        low=0,
        input="tiles",
        flip="none",
        target=False,
        head_layers=2,
        published_recipe=PublishedRecipe(batch=1 / 8),
        published="jigsaw",
        family="2d",
        derivation="the order in which we laid the tiles",
    ),
    Task(
        "random_projection",
        title="Random projection",
        output=Output("none", 0),
        loss="none",
        unit="no label",
        labels=(),
        make="nothing",
        reference="control: an untrained, frozen encoder",
        target=False,
        published="random",
        derivation="nothing is learned",
    ),
)

TASKS: dict[str, Task] = {entry.name: entry for entry in _ENTRIES}


def task(name: str) -> Task:
    """Returns the entry called `name`. Raises KeyError for an unknown name; it lists the possible
    ones, closest first.
    """
    if name not in TASKS:
        close = difflib.get_close_matches(name, TASKS, n=3, cutoff=0.4)
        rest = [other for other in TASKS if other not in close]
        raise KeyError(
            f"unknown task {name!r}; "
            + (f"did you mean {' or '.join(close)}? " if close else "")
            + f"all tasks: {', '.join(close + rest)}"
        )
    return TASKS[name]


def source_names() -> tuple[str, ...]:
    """Returns the names of tasks that transfers may start from."""
    return tuple(name for name, entry in TASKS.items() if entry.source)


def target_names() -> tuple[str, ...]:
    """Returns the names of tasks that transfers may end at."""
    return tuple(name for name, entry in TASKS.items() if entry.target)


def check_label_folders(tasks: Mapping[str, Task] = TASKS) -> None:
    """Raises ValueError for a task whose labels have no row in `domain.py`: its folder would be
    left out of every view, as one of no label. It is called before work begins, and not where a
    task is made: no network depends on the rows of other folders.
    """
    for name, entry in tasks.items():
        unknown = [folder for folder in entry.labels if folder not in DOMAINS]
        if unknown:
            raise ValueError(
                f"task {name}: labels name {', '.join(unknown)}, and no row of "
                "models/tasks/domain.py says how such a folder is written; add a Domain there "
                f"(CONTRIBUTING, A label folder), or use one of {', '.join(DOMAINS)}"
            )
