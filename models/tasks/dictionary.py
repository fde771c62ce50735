"""The 26 tasks. Adding a 27th is one entry here, plus a target function in `targets.py` if no existing one serves.

Numbers: `taskbank/experiments/final/<task>/config.py` and `lib/data/load_ops.py` of the released code; departures stand in docs/DEVIATIONS.md.
"""
from __future__ import annotations

import difflib

from models.tasks.task import Output, Task

_PAPER = "Zamir et al. 2018, supplementary 14"
_CODE = "StanfordVL/taskonomy load_ops"

_ENTRIES = (
    Task("autoencoding", "Autoencoding", Output("pixels", 3), "l1", "image in [-1, 1]", ("rgb",), "image", _PAPER, published="autoencoder"),
    Task("denoising", "Denoising autoencoding", Output("pixels", 3), "l1", "clean image in [-1, 1]", ("rgb",), "image",
         f"{_CODE} add_gaussian_noise, variance 0.01", input="noisy", published="denoise"),
    Task("inpainting", "In-painting", Output("pixels", 3), "l1", "whole image in [-1, 1]", ("rgb",), "image",
         "Pathak et al. 2016; the central quarter is grey", input="holed", target=False, published="impainting_whole"),
    Task("colorization", "Colorization", Output("pixel_classes", 313, scale=4), "soft_cross_entropy", "share of 313 colour bins", ("rgb",), "colours",
         "Zhang et al. 2016", low=0, input="lightness", target=False, published="colorization"),
    Task("principal_curvature", "Principal curvatures", Output("pixels", 2), "l2", "code whitened by the published constants", ("principal_curvature",), "curvature",
         f"{_CODE} curvature_preprocess", low=-6, high=7, mask="surface", published="curvature"),
    Task("edge_texture", "Texture edges (2D)", Output("pixels", 1), "l1", "magnitude, 0 to 0.08 as [-1, 1]", ("edge_texture",), "edge_texture",
         "config edge2d", published="edge2d"),
    Task("edge_occlusion", "Occlusion edges (3D)", Output("pixels", 1), "l1", "magnitude, 0 to 0.00625 as [-1, 1], blurred, unclipped above", ("edge_occlusion",),
         "edge_occlusion", "config edge3d", high=320, mask="surface", published="edge3d"),
    Task("keypoints2d", "2D keypoints", Output("pixels", 1), "l1", "determinant of Hessian, 0 to 0.005 as [-1, 1]", ("keypoints2d",), "keypoints2d",
         "config keypoint2d; SURF, Bay et al. 2006", published="keypoint2d"),
    Task("keypoints3d", "3D keypoints", Output("pixels", 1), "l1", "interest, 0 to 1 as [-1, 1]", ("keypoints3d",), "keypoints3d",
         "config keypoint3d; NARF, Steder et al. 2011", mask="surface", published="keypoint3d"),
    Task("reshading", "Reshading", Output("pixels", 1), "l1", "brightness, 0 to 1 as [-1, 1]", ("reshading",), "reshading", "config reshade",
         mask="surface", published="reshade"),
    Task("depth_zbuffer", "Z-buffer depth", Output("pixels", 1), "l1", "log(1 + code)/log(65536), code in 1/512 m", ("depth_zbuffer",), "depth",
         "config rgb2depth", low=0, mask="surface", published="rgb2depth"),
    Task("depth_euclidean", "Euclidean distance", Output("pixels", 1), "l1", "log(1 + code)/log(65536), code in 1/512 m", ("depth_euclidean",), "depth",
         "config rgb2mist", low=0, mask="surface", published="rgb2mist"),
    Task("normal", "Surface normals", Output("pixels", 3), "l1", "camera frame x right, y down, z away, in [-1, 1]", ("normal",), "normal",
         "config rgb2sfnorm", mask="surface", flip="mirror, negate x", published="rgb2sfnorm"),
    Task("segment_unsup2d", "Unsupervised 2D segmentation", Output("embedding", 64), "pair_metric", "segment id", ("segment_unsup2d",), "segments",
         "Shi and Malik 2000; loss after Fathi et al. 2017", low=0, high=255, published="segment2d"),
    Task("segment_unsup25d", "Unsupervised 2.5D segmentation", Output("embedding", 64), "pair_metric", "segment id", ("segment_unsup25d",), "segments",
         "Shi and Malik 2000 on depth, normals and edges", low=0, high=255, published="segment25d"),
    Task("segment_semantic", "Semantic segmentation", Output("pixel_classes", 17), "weighted_cross_entropy", "class 0 (background) to 16", ("segment_semantic",), "semantic",
         f"{_CODE} semantic_segment_rebalanced", low=0, high=16, mask="label", published="segmentsemantic_rb"),
    Task("class_object", "Object classification", Output("classes", 1000), "soft_cross_entropy", "probability of an ImageNet class", ("class_object",), "object_classes",
         f"{_CODE} class_1000_softmax", low=0, mask="sample", published="class_1000"),
    Task("class_scene", "Scene classification", Output("classes", 63), "soft_cross_entropy", "probability of an indoor Places class", ("class_scene",), "scene_classes",
         f"{_CODE} class_places_workspace_and_home", low=0, mask="sample", published="class_places"),
    Task("room_layout", "Room layout", Output("vector", 9), "l2", "centre m, Euler rad, extents m; whitened", ("point_info",), "room_layout",
         f"{_CODE} room_layout", low=-100, high=100, mask="sample", flip="forbidden", published="room_layout"),
    Task("vanishing_point", "Vanishing points", Output("vector", 9), "l2", "three unit directions, camera frame", ("point_info",), "vanishing_points",
         f"{_CODE} vanishing_point_well_defined", mask="sample", flip="forbidden", published="vanishing_point_well_defined"),
    Task("fixated_pose", "Camera pose (fixated)", Output("vector", 6), "euclidean", "Euler rad, translation m; whitened", ("point_info",), "relative_pose",
         f"{_CODE} get_camera_matrix", low=-100, high=100, images=2, mask="sample", flip="forbidden", published="fix_pose"),
    Task("nonfixated_pose", "Camera pose (non-fixated)", Output("vector", 6), "euclidean", "Euler rad, translation m; whitened", ("point_info",), "relative_pose",
         f"{_CODE} generate_non_fixated", low=-100, high=100, images=2, mask="sample", flip="forbidden", published="non_fixated_pose"),
    Task("egomotion", "Egomotion", Output("vector", 18), "egomotion", "poses 1-2, 1-3, 2-3; whitened", ("point_info",), "egomotion",
         f"{_CODE} triplet, cycle loss", low=-100, high=100, images=3, mask="sample", flip="forbidden", published="ego_motion"),
    Task("point_matching", "Point matching", Output("classes", 2), "soft_cross_entropy", "0 different, 1 the same point", (), "same_point",
         f"{_CODE} point matching", low=0, images=2, mask="sample", published="point_match"),
    Task("jigsaw", "Jigsaw", Output("classes", 100), "soft_cross_entropy", "one of 100 permutations of 3 x 3 tiles", (), "permutation",
         "Noroozi and Favaro 2016", low=0, input="tiles", flip="none", target=False, published="jigsaw"),
    Task("random_projection", "Random projection", Output("none", 0), "none", "no label", (), "nothing",
         "control: an untrained, frozen encoder", target=False, published="random"),
)

TASKS: dict[str, Task] = {entry.name: entry for entry in _ENTRIES}


def task(name: str) -> Task:
    """the entry called `name`; an unknown name raises KeyError that lists the possible ones, closest first."""
    if name not in TASKS:
        close = difflib.get_close_matches(name, TASKS, n=3, cutoff=0.4)
        rest = [other for other in TASKS if other not in close]
        raise KeyError(f"unknown task {name!r}; " + (f"did you mean {' or '.join(close)}? " if close else "") + f"all tasks: {', '.join(close + rest)}")
    return TASKS[name]


def source_names() -> tuple[str, ...]:
    """names of tasks that transfers may start from."""
    return tuple(name for name, entry in TASKS.items() if entry.source)


def target_names() -> tuple[str, ...]:
    """names of tasks that transfers may end at."""
    return tuple(name for name, entry in TASKS.items() if entry.target)
