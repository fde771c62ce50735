"""The kinds of output, as values: what every package needs to know of an answer before it looks at
the task.

A kind is one row here, and one row in each package's own table, which `by_kind` checks at import:
the head that answers, the layout that a linear readout fits, the judge, the forms that are served,
the picture and the words for a person. If a package does not know a kind, its import fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from models.tasks.tables import complete

Row = TypeVar("Row")


@dataclass(frozen=True)
class Kind:
    """One kind of output. Raises ValueError for facts that contradict each other."""

    # what entries call it
    name: str
    # names of the losses (`models.networks.losses`) that can judge such an answer
    losses: tuple[str, ...]
    # a map [S, S, channels]; otherwise [channels], one answer a sample
    dense: bool = False
    # whether there is a label at all
    trained: bool = True
    # quantities with a scale: short schedules learn them standardised
    numbers: bool = False
    # the mean of labels, or the logarithm of their shares, is an answer; segment ids have no mean
    averaged: bool = True
    # quantities of mixed units (metres, radians): the label store standardises them, element by
    # element, wherever the entry's range leaves [-1, 1]
    whitened: bool = False
    # channels are logits of classes
    classes: bool = False
    # logits, or distances, that a fixed factor sharpens after a linear readout
    sharpened: bool = False
    # the paper trains maps of numbers against a discriminator too
    adversarial: bool = False
    # the label is of the picture as a whole: it stays when the picture moves by a few pixels
    moves: bool = False
    # dtype of the targets in the label store; float16 does where a loss is a mean over a map
    stored: str = "float16"

    def __post_init__(self) -> None:
        if self.trained != bool(self.losses):
            raise ValueError(
                f"kind {self.name}: losses are named exactly where there is a label to judge by, "
                f"got trained={self.trained}, losses={self.losses}"
            )
        if self.dense and (self.whitened or self.moves):
            raise ValueError(
                f"kind {self.name}: whitened and moves are facts about one answer a sample, not "
                "about maps"
            )


_ROWS = (
    # regression of every pixel
    Kind("pixels", ("l1", "l2"), dense=True, numbers=True, adversarial=True),
    # logits of every pixel; labels are class ids [S, S, 1], or shares [S/scale, S/scale, channels]
    Kind(
        "pixel_classes",
        ("weighted_cross_entropy", "soft_cross_entropy"),
        dense=True,
        classes=True,
        sharpened=True,
    ),
    # learned by pairs of pixels: near for one segment, apart for two; labels are ids [S, S, 1]
    Kind("embedding", ("pair_metric",), dense=True, sharpened=True, averaged=False),
    # logits of the whole picture
    Kind("classes", ("soft_cross_entropy",), classes=True, sharpened=True, moves=True),
    # numbers about the whole picture. float32: a pose's error is its own loss, not a mean of many
    Kind(
        "vector",
        ("l2", "euclidean", "egomotion"),
        numbers=True,
        whitened=True,
        stored="float32",
    ),
    # the untrained control
    Kind("none", (), trained=False),
)
KINDS: dict[str, Kind] = {row.name: row for row in _ROWS}
# Kinds of which there are answers, and those whose answers are maps.
ANSWERED = tuple(name for name, kind in KINDS.items() if kind.trained)
DENSE = tuple(name for name, kind in KINDS.items() if kind.dense)


def by_kind(
    purpose: str, rows: Mapping[str, Row], kinds: Iterable[str] = ANSWERED
) -> dict[str, Row]:
    """Returns a package's table, kind -> row. Raises ValueError unless it has one row for each of
    `kinds`.
    """
    return complete(f"{purpose}, by kind of output", kinds, rows)
