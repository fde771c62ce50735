"""A task as data: what a network must answer about one, two or three views."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("pixels", "pixel_classes", "embedding", "classes", "vector", "none")
INPUTS = ("image", "noisy", "holed", "lightness", "tiles")
MASKS = ("none", "surface", "label", "sample")
FAMILIES = ("2d", "3d", "geometric", "semantic")
FLIPS = ("mirror", "mirror, negate x", "mirror the cameras", "none")


@dataclass(frozen=True)
class Output:
    """What a network of the task gives back.

    kind: `pixels` regression [S, S, channels]; `pixel_classes` logits [S, S, channels]
    (colorization: [S/4, S/4, channels]); `embedding` [S, S, channels] learned by pairs of pixels;
    `classes` logits [channels]; `vector` [channels]; `none` for the untrained control. scale: side
    of the input image over the side of the output map (4 for colorization, else 1).
    """

    kind: str
    channels: int
    scale: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"output kind is one of {', '.join(KINDS)}; got {self.kind!r}")
        if self.channels < (0 if self.kind == "none" else 1):
            raise ValueError(
                f"output of kind {self.kind} needs at least one channel, got {self.channels}"
            )

    @property
    def dense(self) -> bool:
        return self.kind in ("pixels", "pixel_classes", "embedding")

    def shape(self, size: int) -> tuple[int, ...]:
        """shape of one answer for an input image of size x size."""
        return (
            (size // self.scale, size // self.scale, self.channels)
            if self.dense
            else (self.channels,)
        )


@dataclass(frozen=True)
class Task:
    """One entry of the task dictionary (paper, section 3.1; supplementary material, section 14).

    name: the published label folder where there is one. title: for a person. output: shape and kind
    of the answer. loss: a function of `models.networks.losses`. unit: of the training target.
    labels: the published folders that the target is computed from. make: name of the target
    function in `models.tasks.targets`. low, high: range of the target's values. images: views a
    sample. input: how the task's own training input is made from the image. mask: which pixels or
    samples count (`surface`: depth code < 64500). flip: what mirroring the image does to the label
    (`mirror.py`; "none": it has no label then). colours: does the label follow from the image's
    colours, so that other light gives another label? source, target: may transfers start from, end
    at it? published: the spelling in the released affinities. family: one of FAMILIES (paper, figure
    3), "" for none; it foretells transfers before any is measured. derivation: how an algorithm
    makes the label from the picture alone, so that it costs nobody anything; "" where a person, a
    scan or another labelled network must give it. reference: where the definition stands.
    """

    name: str
    title: str
    output: Output
    loss: str
    unit: str
    labels: tuple[str, ...]
    make: str
    reference: str
    low: float = -1.0
    high: float = 1.0
    images: int = 1
    input: str = "image"
    mask: str = "none"
    flip: str = "mirror"
    colours: bool = False
    source: bool = True
    target: bool = True
    published: str = ""
    family: str = ""
    derivation: str = ""

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(
                "a task's name is an identifier (it names folders and signatures); got "
                f"{self.name!r}"
            )
        if self.images not in (1, 2, 3):
            raise ValueError(f"task {self.name}: a sample holds 1, 2 or 3 views, got {self.images}")
        for field, allowed in (("input", INPUTS), ("mask", MASKS), ("flip", FLIPS)):
            if getattr(self, field) not in allowed:
                raise ValueError(
                    f"task {self.name}: {field} is one of {', '.join(allowed)}; got "
                    f"{getattr(self, field)!r}"
                )
        if self.family not in ("", *FAMILIES):
            raise ValueError(
                f"task {self.name}: the family is one of {', '.join(FAMILIES)}; got {self.family!r}"
            )
        if not (self.source or self.target):
            raise ValueError(
                f"task {self.name} is neither source nor target: it would never be used"
            )
        if self.images > 1 and self.output.dense:
            raise ValueError(f"task {self.name}: several views give a vector or classes, not a map")
        if not self.low < self.high:
            raise ValueError(f"task {self.name}: range [{self.low}, {self.high}] is empty")

    @property
    def trained(self) -> bool:
        """False for the untrained control alone."""
        return self.output.kind != "none"

    @property
    def input_channels(self) -> int:
        return 1 if self.input == "lightness" else 3

    @property
    def whitened(self) -> bool:
        """vectors of mixed units are standardised with the training split's own statistics (the
        published constants are implausible).
        """
        return self.output.kind == "vector" and self.name != "vanishing_point"
