"""A task as data: what a network must answer about one, two or three views.

Everything that the packages need to know of a task is a field here or follows from one; no list of
names elsewhere has to be edited for one more task.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.tasks.kinds import KINDS, Kind

# What a network is shown of the picture: itself, with noise, with a hole, its lightness alone, or
# tiles of it.
INPUTS = ("image", "noisy", "holed", "lightness", "tiles")
# Tiles that a picture is cut into, 3 x 3; each has its own representation.
TILES = 9
# What counts: everything; pixels that see a surface; pixels with a label; samples with one.
MASKS = ("none", "surface", "label", "sample")
# Which views make a sample (`models.tasks.samples`).
SAMPLINGS = ("one point", "line of sight", "matching")
# Families of the paper's figure 3.
FAMILIES = ("2d", "3d", "geometric", "semantic")
# What mirroring the picture does to the label (`models.tasks.mirror`).
FLIPS = ("mirror", "mirror, negate x", "mirror the cameras", "none")


@dataclass(frozen=True)
class Output:
    """What a network of the task gives back. Raises ValueError for an unknown kind.

    kind: a name in `KINDS`. channels: of one answer, or of each pixel. scale: side of the input
    image over the side of the output map (4 for colorization, else 1).
    """

    kind: str
    channels: int
    scale: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(
                f"output kind is one of {', '.join(KINDS)}; got {self.kind!r}. A new kind is a row "
                "of models.tasks.kinds, and one of each table that names the kinds"
            )
        if self.channels < int(self.facts.trained):
            raise ValueError(
                f"output of kind {self.kind} needs at least one channel, got {self.channels}"
            )

    @property
    def facts(self) -> Kind:
        """What holds for every answer of this kind."""
        return KINDS[self.kind]

    @property
    def dense(self) -> bool:
        """Whether the answer is a map."""
        return self.facts.dense

    def shape(self, size: int) -> tuple[int, ...]:
        """Returns the shape of one answer for an input image of size x size."""
        if not self.dense:
            return (self.channels,)
        side = size // self.scale
        return (side, side, self.channels)


@dataclass(frozen=True)
class PublishedRecipe:
    """What the released configuration of a task (`taskbank/experiments/final/<task>/config.py`)
    says of its training; the defaults are what most of them say. `paper()` trains by it
    (`models/networks/training/recipes.py`).
    """

    # The batch as a share of 32.
    batch: float = 1.0
    # The weight decay as a multiple of 2e-6.
    decay: float = 1.0
    # Whether the kernels of a dense head decay as all others do, and not by the head's own 1e-4.
    head_decays_alike: bool = False
    # Whether each variable's gradient is clipped to a norm of 1.
    clipped: bool = False
    # Whether the learning rate never falls: the configuration names no schedule.
    constant_rate: bool = False

    def __post_init__(self) -> None:
        if not (0 < self.batch <= 1 and self.decay >= 0):
            raise ValueError(
                "a published recipe has a batch that is a share of 32 in (0, 1], and a decay of at "
                f"least 0; got {self.batch} and {self.decay}"
            )


@dataclass(frozen=True)
class Task:
    """One entry of the task dictionary (paper, section 3.1; supplementary material, section 14).

    Raises ValueError for an entry that contradicts itself.
    """

    # The published label folder where there is one; it names files, folders and signatures.
    name: str
    # For a person.
    title: str
    # Shape and kind of the answer.
    output: Output
    # A function of `models.networks.losses.losses`, among those of the output's kind.
    loss: str
    # Unit of the training target.
    unit: str
    # The published folders that the target is computed from.
    labels: tuple[str, ...]
    # The target function, a row of `models.tasks.targets.MAKERS`.
    make: str
    # Where the definition stands.
    reference: str
    # Range of the target's values.
    low: float = -1.0
    high: float = 1.0
    # Views a sample, and which views of a building make one.
    images: int = 1
    sampling: str = "one point"
    # How the task's own training input is made from the picture.
    input: str = "image"
    mask: str = "none"
    # "none": a mirrored picture has no label.
    flip: str = "mirror"
    # Of how many channels at most a pixel of a map has a share, where batches that train carry
    # these alone (`labels/sparse_shares.py`); 0: batches carry all channels.
    shares: int = 0
    # Whether the label follows from the picture's colours, so that other light gives another label.
    colours: bool = False
    # Whether transfers may start from the task, and end at it.
    source: bool = True
    target: bool = True
    # What its classes, or the numbers of its vector, are called, channel by channel; (): unnamed.
    names: tuple[str, ...] = ()
    # Instead of `names`: the file of `serving/bundle/vocabularies` that lists the classes.
    vocabulary: str = ""
    # The published head: hidden layers, and how many times narrower they are than other tasks'.
    head_layers: int = 1
    head_narrowing: int = 1
    # How `paper()` trains its network, where that is not as most of the 26.
    published_recipe: PublishedRecipe = PublishedRecipe()
    # Whether the lean head reads the differences of the views' representations too.
    compares: bool = False
    # The spelling in the released affinities.
    published: str = ""
    # One of FAMILIES, "" for none; it foretells transfers before any is measured.
    family: str = ""
    # How an algorithm makes the label from the picture alone, so that it costs nobody anything; ""
    # where a person, a scan or another labelled network must give it.
    derivation: str = ""

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(
                "a task's name is an identifier (it names folders and signatures); got "
                f"{self.name!r}"
            )
        self._check_choices()
        self._check_output()
        self._check_views()
        if not (self.source or self.target):
            raise ValueError(
                f"task {self.name} is neither source nor target: it would never be used"
            )
        if not self.low < self.high:
            raise ValueError(f"task {self.name}: range [{self.low}, {self.high}] is empty")

    def _check_choices(self) -> None:
        losses = self.output.facts.losses or ("none",)
        choices = {
            "input": INPUTS,
            "mask": MASKS,
            "flip": FLIPS,
            "sampling": SAMPLINGS,
            "loss": losses,
            "family": ("", *FAMILIES),
        }
        for field, allowed in choices.items():
            if getattr(self, field) not in allowed:
                raise ValueError(
                    f"task {self.name}: {field} is one of {', '.join(filter(None, allowed))}; got "
                    f"{getattr(self, field)!r}"
                )

    def _check_output(self) -> None:
        output = self.output
        if self.names and self.vocabulary:
            raise ValueError(f"task {self.name}: give names or a vocabulary, not both")
        if self.names and len(self.names) != output.channels:
            raise ValueError(
                f"task {self.name}: {output.channels} channels, got {len(self.names)} names"
            )
        if output.kind == "vector" and not self.names:
            raise ValueError(
                f"task {self.name}: the numbers of a vector need names, each with its unit"
            )
        if self.shares and not (output.dense and 0 < 2 * self.shares < output.channels):
            raise ValueError(
                f"task {self.name}: shares of a pixel are fewer than half of a map's channels, got "
                f"{self.shares} of {output.channels}"
            )
        if self.flip == "mirror the cameras" and output.dense:
            raise ValueError(
                f"task {self.name}: a map is mirrored itself, not by its cameras (flip)"
            )
        if self.flip == "mirror, negate x" and output.shape(1)[-1] != 3:
            raise ValueError(
                f"task {self.name}: flip negates x of three channels, got {output.channels}"
            )

    def _check_views(self) -> None:
        if self.images not in (1, 2, 3):
            raise ValueError(f"task {self.name}: a sample holds 1, 2 or 3 views, got {self.images}")
        if self.images > 1 and self.output.dense:
            raise ValueError(f"task {self.name}: several views give a vector or classes, not a map")
        if self.sampling != "one point" and self.images != 2:
            raise ValueError(
                f"task {self.name}: sampling {self.sampling!r} gives pairs of views, got images "
                f"{self.images}"
            )

    @property
    def trained(self) -> bool:
        """Whether the task is trained; False for the untrained control alone."""
        return self.output.facts.trained

    @property
    def input_channels(self) -> int:
        return 1 if self.input == "lightness" else 3

    @property
    def representations(self) -> int:
        """Number of encoded pictures of a sample: its views, or the tiles of its one view."""
        return TILES if self.input == "tiles" else self.images

    @property
    def labelled_by_ids(self) -> bool:
        """Whether a pixel's label is one number that names a class or segment, whatever the
        channels.
        """
        return self.loss in ("weighted_cross_entropy", "pair_metric")

    @property
    def whitened(self) -> bool:
        """Whether targets are standardised with the training split's own statistics. Vectors of
        mixed units are (the published constants are implausible); numbers within [-1, 1], as the
        directions of vanishing points, need none.
        """
        unbounded = self.low < -1 or self.high > 1
        return self.output.facts.whitened and unbounded

    def target_shape(self, size: int) -> tuple[int, ...]:
        """Returns the shape of one target for an image of size x size."""
        shape = self.output.shape(size)
        return (*shape[:-1], 1) if self.labelled_by_ids else shape
