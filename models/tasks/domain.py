"""How each label is written down in the published data set: one row a folder.

Source: data/README of StanfordVL/taskonomy and bit-level measurements on released frames
(docs/ARCHITECTURE.md, files of the published layout).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Domain:
    """What the files of one published folder hold.

    folder: directory inside a building. suffix: the word after `domain_` in the file name (differs
    from the folder in three cases). file: "png", "npy" or "json". dtype, channels: of the array
    that a reader returns ([H, W] if channels == 1). missing: the code that says "no value here", or
    None. ids: True if values are names, not quantities (nearest resize only). unit: what one step
    of the code means. low, high: the range of legal codes, missing code included.
    """

    folder: str
    suffix: str
    file: str
    dtype: str
    channels: int
    unit: str
    missing: int | None = None
    ids: bool = False
    low: float = 0
    high: float = 255
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.file not in ("png", "npy", "json"):
            raise ValueError(f"domain {self.folder}: file is png, npy or json, got {self.file!r}")
        if self.file == "png" and self.dtype not in ("uint8", "uint16"):
            raise ValueError(f"domain {self.folder}: a PNG holds uint8 or uint16, got {self.dtype}")

    @property
    def per_view(self) -> bool:
        return self.suffix_view != "all"

    @property
    def suffix_view(self) -> str:
        """The text `all` where one file describes every view of a point, else ``""``."""
        return "all" if self.folder == "nonfixated_matches" else ""


def _png16(folder: str, unit: str, missing: int | None = None) -> Domain:
    return Domain(folder, folder, "png", "uint16", 1, unit, missing, high=65535)


_ROWS = (
    Domain("rgb", "rgb", "png", "uint8", 3, "sRGB code"),
    Domain(
        "principal_curvature",
        "principal_curvature",
        "png",
        "uint8",
        3,
        "(code - 127) / 127 / 0.03 per metre; R the curvature of larger magnitude, G of "
        "smaller, B always 0; (0, 0, 0) no surface",
        0,
    ),
    _png16("edge_texture", "Sobel magnitude of smoothed luma, 1/65535"),
    _png16("edge_occlusion", "Sobel magnitude of sqrt(depth code)/256, 1/65535"),
    _png16("keypoints2d", "determinant of Hessian, 1/65535"),
    _png16("keypoints3d", "NARF interest, 1/65535"),
    Domain(
        "reshading", "reshading", "png", "uint8", 1, "brightness under a light at the camera, 1/255"
    ),
    _png16("depth_zbuffer", "1/512 metre along the optical axis", 65535),
    _png16("depth_euclidean", "1/512 metre along the ray", 65535),
    # two colours mean that nothing is seen, and `missing` is one code: `targets.normal` knows both
    Domain(
        "normal",
        "normal",
        "png",
        "uint8",
        3,
        "(code - 127.5)/127.5, camera frame x right, y down, z away; (128, 128, 128) or (0, "
        "0, 0) no surface",
    ),
    Domain("segment_unsup2d", "segment_unsup2d", "png", "uint8", 1, "segment id", ids=True),
    Domain("segment_unsup25d", "segment_unsup25d", "png", "uint8", 1, "segment id", ids=True),
    Domain(
        "segment_semantic",
        "segmentsemantic",
        "png",
        "uint8",
        1,
        "0 uncertain, 1 background, 2 to 17 object classes",
        0,
        ids=True,
        high=17,
        aliases=("segment_semantic",),
    ),
    Domain(
        "class_object",
        "class_object",
        "npy",
        "float32",
        1000,
        "logit of an ImageNet class",
        low=-float("inf"),
        high=float("inf"),
    ),
    Domain(
        "class_scene",
        "class_places",
        "npy",
        "float32",
        365,
        "probability of a Places365 class",
        high=1,
        aliases=("class_scene",),
    ),
    Domain(
        "point_info",
        "point_info",
        "json",
        "object",
        1,
        "metres and radians, keys as published",
        low=-float("inf"),
        high=float("inf"),
        # what the authors' older samples call it
        aliases=("fixatedpose",),
    ),
    Domain(
        "nonfixated_matches",
        "nonfixatedpose",
        "json",
        "object",
        1,
        "pixels of a 512 x 512 image",
        high=512,
        aliases=("nonfixated_matches",),
    ),
)
DOMAINS: dict[str, Domain] = {row.folder: row for row in _ROWS}


def label_domains() -> tuple[str, ...]:
    """Returns the folders that hold a file for every view, rgb first, point_info last."""
    return tuple(name for name, domain in DOMAINS.items() if domain.per_view)
