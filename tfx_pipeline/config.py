"""One configuration for the whole pipeline: `paper()` written out with the source of each number;
`laptop()` and `smoke()` replace parts of it.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from models.arguments.command import UserError
from models.networks.architecture.sides import nearest_sides, reaches_labels
from models.networks.config import NetworkConfig, without_lists
from models.tasks import TASKS, check_label_folders, target_names
from models.taxonomy.evidence.proxies import FEWEST

COSTS = ("equal", "derived")
# Fields of which 0 would be an empty run, or a gate that asks nothing.
AT_LEAST_1 = (
    "buildings",
    "held_out",
    "views_per_building",
    "render_size",
    "processes",
    "image_size",
    "example_shards",
    "task_shards",
    "transfer_shards",
    "max_samples",
    "random_policies",
    "resamples",
    "replayed_records",
    "replays",
    "seeds",
)
# 0 bytes have a meaning: no label is kept, all are made when they are used.
AT_LEAST_0 = ("seed", "cache_bytes")
# Type of a list's first entry -> types that the entries of its replacement may have.
NUMBERS: dict[type, tuple[type, ...]] = {int: (int,), float: (int, float)}
# The networks' generators take 32 bits: 1,000 times the seed, and a task's number below 1,000.
LARGEST_SEED = 2**32 // 1000 - 1
# Pixels; the published images have 512. Larger is a slip of the finger, said before a disk is full.
LARGEST_SIDE = 4096


class ConfigError(UserError, ValueError):
    """A field or value that no configuration has; the message lists what there is."""


@dataclass(frozen=True)
class Config:
    """Everything that a run is told. Raises ConfigError where its fields contradict each other.

    The fields up to `processes` are about the procedural data set, and unused with your own data.
    """

    # Name of the preset that it was made from.
    name: str
    # Buildings that are made, and how many of them validate; as many test.
    buildings: int
    held_out: int
    # Views of a building, roughly: they come in whole points.
    views_per_building: int
    # Side of the rendered images, in pixels.
    render_size: int
    # Processes that render at the same time.
    processes: int

    # Side of the training images, in pixels.
    image_size: int
    # Files that the examples of a split are written to.
    example_shards: int
    # How many parallel nodes TrainTasks, and TrainTransfers, are split into.
    task_shards: int
    transfer_shards: int
    # Most pairs or triplets of views that a task has in a split.
    max_samples: int
    # Taxonomies are solved for every budget (labelled tasks) with every order (sources an edge).
    budgets: tuple[int, ...]
    orders: tuple[int, ...]
    # May a target be answered by its network from scratch on the transfers' little data?
    scratch: bool
    # What labels cost: "equal", the same for every task, or "derived", nothing where an algorithm
    # makes the label from the picture.
    costs: str
    # Budget and order of the taxonomy that is trained, bundled and served.
    default_budget: int
    default_order: int
    # Random policies that this taxonomy is compared with.
    random_policies: int
    # Resamples of the test buildings behind every interval.
    resamples: int
    # Samples of a target that cheap predictions of its transfers look at.
    proxy_images: int
    # Share of the transfers that are measured at all: the most promising by these predictions.
    measured_share: float
    # Images that the check before a push asks a server of the new bundle about.
    replayed_records: int
    # A bundle is pushed if its p against random policies is at most that.
    significance: float
    # Share by which a bundle's losses may exceed those of the served version.
    margin: float
    # Seed of every random draw; `--set seed=` sets the networks' seed too.
    seed: int
    # Most bytes that a task's decoded labels, or the images, may take. What would take more is
    # decoded from the examples whenever it is used: slower, without a copy, the same numbers.
    cache_bytes: int = 4 << 30
    # Answers about the replayed records that this check times.
    replays: int = 100
    # Does this check also start a server without warm-up records, to show what these are worth?
    cold_start: bool = True
    # Does a run go on without views whose records cannot be read (a damaged or missing shard)?
    skip_damaged: bool = False
    # Folder of the released affinities (all_affinities_16k, _1k) that the run's are compared with;
    # "" for no comparison.
    published: str = ""
    # How many times networks, codes and transfers are made, with seeds seed, seed + 1, ...; the
    # first are the run's own, the others say how much of its result is luck of training.
    seeds: int = 1
    # Does a task's network begin from that of the version that serves, where shapes agree? Networks
    # of further seeds and from scratch never do. Off, because with it the same data give other
    # networks after another history; it is part of a network's address.
    warm_start: bool = False
    # Sizes and schedules of networks and transfers.
    network: NetworkConfig = field(default_factory=NetworkConfig)

    # what would fail hours later, in a node, is said before the first
    def __post_init__(self) -> None:
        check_policies(self)
        check_costs(self)
        check_thresholds(self)
        check_counts(self)
        check_sides(self)
        check_scratch_steps(self)
        check_proxy_images(self)
        check_seeds(self)

    def network_fields(self) -> dict[str, Any]:
        """Returns the fields of `network`, as components are given them."""
        return asdict(self.network)

    def to_json(self) -> dict[str, Any]:
        """Returns all fields by name; `network` is a dict of its own."""
        return asdict(self)


def check_policies(config: Config) -> None:
    """Raises ConfigError unless all budgets and orders can be solved, and those of the policy that
    is served are among them.
    """
    if config.default_budget not in config.budgets or config.default_order not in config.orders:
        raise ConfigError(
            f"default_budget {config.default_budget} is one of budgets {list(config.budgets)}, "
            f"default_order {config.default_order} is one of orders {list(config.orders)}"
        )
    if min(config.budgets) < 1 or max(config.budgets) > len(TASKS):
        raise ConfigError(
            f"budgets lie between 1 and {len(TASKS)} labelled tasks, got {list(config.budgets)}"
        )
    if min(config.orders) < 1:
        raise ConfigError(f"orders are 1 source an edge or more, got {list(config.orders)}")
    # a policy cannot use what was never measured
    if max(config.orders) > config.network.transfer_order:
        raise ConfigError(
            f"orders up to {max(config.orders)} are asked for, transfers are measured up to "
            f"transfer_order {config.network.transfer_order}"
        )


def check_costs(config: Config) -> None:
    if config.costs not in COSTS:
        raise ConfigError(f"costs is one of {', '.join(COSTS)}; got {config.costs!r}")


def check_thresholds(config: Config) -> None:
    """Raises ConfigError for shares and probabilities that no measurement or gate can mean."""
    if not 0 < config.measured_share <= 1:
        raise ConfigError(f"measured_share is a share in (0, 1], got {config.measured_share}")
    if not 0 < config.significance <= 1 or not 0 < config.margin < math.inf:
        raise ConfigError(
            f"significance is a probability in (0, 1], margin a share above 0; got "
            f"{config.significance} and {config.margin}"
        )


def check_counts(config: Config) -> None:
    for name in AT_LEAST_1:
        if getattr(config, name) < 1:
            raise ConfigError(f"{name} is at least 1, got {getattr(config, name)}")
    for name in AT_LEAST_0:
        if getattr(config, name) < 0:
            raise ConfigError(f"{name} is at least 0, got {getattr(config, name)}")


def check_sides(config: Config) -> None:
    """Raises ConfigError for sides of pictures that no disk holds, or no decoder answers."""
    for name in ("image_size", "render_size"):
        if getattr(config, name) > LARGEST_SIDE:
            raise ConfigError(
                f"{name} is a side of at most {LARGEST_SIDE} pixels, got {getattr(config, name)}"
            )
    if not reaches_labels(config.network, config.image_size):
        sides = nearest_sides(config.network, config.image_size)
        raise ConfigError(
            f"image_size {config.image_size} is no side that these decoders answer: their maps "
            "would be of another size than the labels; the nearest that they do: "
            f"{' and '.join(map(str, sides)) or 'none'}"
        )


def check_scratch_steps(config: Config) -> None:
    if config.network.scratch_steps < 1:
        raise ConfigError(
            "scratch_steps is at least 1: what labels save is counted against training from "
            f"scratch; got {config.network.scratch_steps}"
        )


def check_proxy_images(config: Config) -> None:
    if config.proxy_images < FEWEST:
        raise ConfigError(
            f"proxy_images is at least {FEWEST}: fewer predict nothing; got {config.proxy_images}"
        )


def check_seeds(config: Config) -> None:
    # further seeds follow the first
    if config.seed + config.seeds - 1 > LARGEST_SEED:
        raise ConfigError(
            f"seeds go up to {LARGEST_SEED:,}; got seed {config.seed} and {config.seeds} in all"
        )


def paper() -> Config:
    """Returns the published study. Numbers come from the released code (sections of its description
    in brackets), section 4 of the paper, and the data set's README.
    """
    return Config(
        name="paper",
        buildings=537,
        held_out=54,  # ours: a tenth
        views_per_building=8_000,
        render_size=512,  # fullplus: 537 buildings, 4.5 M images of 512 x 512 (data/README)
        processes=8,
        image_size=256,  # every network's input (load_ops, 1.1)
        example_shards=1024,
        # one node a network, one a target: 26 and 22 in the published study
        task_shards=len(TASKS),
        transfer_shards=len(target_names()),
        max_samples=129_380,  # training images of the released networks (extract_losses.py)
        budgets=tuple(range(1, len(TASKS) + 1)),  # the paper solves all of them
        # ours: the paper's program knows transfers alone
        scratch=True,
        costs="equal",
        orders=(1, 2),  # orders above 2 follow from the paper's beam rule
        default_budget=6,
        default_order=2,  # the authors' web solver opens at 6
        random_policies=1000,  # section 4.3
        resamples=1000,
        measured_share=1.0,
        proxy_images=500,  # ours: the paper gives no intervals and no predictions
        replayed_records=64,
        significance=0.01,
        margin=0.1,  # ours, as the gate is
        seed=0,
        network=NetworkConfig(
            encoder="resnet50",  # 16 x 16 x 8 out (resnet_v1_50_16x16)
            representation_channels=8,
            head_width=2048,  # encoder_multilayers_fc_bn
            steps=121_300,
            batch=32,  # 30 epochs of 129,380 images (2.5)
            learning_rate=1e-4,
            weight_decay=2e-6,  # Adam; the config files of the task bank (2.4)
            recipe="published",
            schedule="step",  # a tenth after step 80,000 (2.4)
            adversarial=True,
            precision="mixed_bfloat16",  # ours: the published networks were trained in float32
            feeders=7,  # with the trainer, the eight cores that a node of TrainTasks asks for
            tile_size=256,  # jigsaw crops are resized to the input (1.7)
            random_features=512,
            output_stride=1,
            ridges=(1e-3, 1e-2, 1e-1, 1.0),  # ours: closed-form readout
            transfer_split="val",
            transfer_images=16_000,  # transfers learn from 16k validation images (TP, 3)
            transfer_order=2,
            regimes=(1_000,),  # and, for comparison, from 1k of them (TP, 3)
            regime_order=2,
            regime_epochs=200,  # of 1k images (3)
            learner="gradient",
            transfer_function=True,  # two streams, clipped and normalised (3)
            transfer_rate=1e-4,
            vector_rate=1e-4,
            transfer_batch=32,
            # of 16k images; the target's own decoder (3). Ours: the rate falls as a cosine, not to
            # a tenth after 5,000 steps
            transfer_epochs=30,
            scratch_steps=15_000,
            scratch_batch=32,  # as many epochs of 16k images
            seed=0,
        ),
    )


# Steps of a task as a share of `steps`, on the laptop: what is learned early gives its time to what
# is not, and a step without a decoder costs less. By hand, from what networks of a few runs reached
# on validation and test buildings: those buildings are no longer unseen, docs/TRAINING.md gives
# others.
LAPTOP_SHARES = (
    ("autoencoding", 0.4),
    ("denoising", 0.4),
    ("inpainting", 0.6),
    ("colorization", 1.2),
    ("principal_curvature", 1.2),
    ("edge_texture", 0.4),
    ("edge_occlusion", 1.0),
    ("keypoints2d", 0.4),
    ("keypoints3d", 0.6),
    ("reshading", 2.8),
    ("depth_zbuffer", 2.4),
    ("depth_euclidean", 2.4),
    ("normal", 1.4),
    ("segment_unsup2d", 0.4),
    ("segment_unsup25d", 0.4),
    ("class_object", 2.6),
    ("class_scene", 2.4),
    ("room_layout", 2.0),
    ("vanishing_point", 1.8),
    ("fixated_pose", 2.6),
    ("nonfixated_pose", 1.6),
    ("egomotion", 1.8),
    ("point_matching", 2.0),
    ("jigsaw", 2.2),
)


def laptop() -> Config:
    """Returns what `make demo` runs: minutes on two cores."""
    network = dataclasses.replace(
        paper().network,
        encoder="lean",
        encoder_widths=(16, 32, 48, 64),
        decoder_widths=(48, 32, 16),
        head_width=128,
        steps=520,
        shares=LAPTOP_SHARES,
        augment=True,
        trainers=2,
        batch=16,
        learning_rate=6e-3,
        weight_decay=0.0,
        recipe="shared",
        schedule="cosine",
        adversarial=False,
        precision="float32",
        feeders=1,
        tile_size=24,  # a third of the image is 21 pixels, of which 18 are cut out
        learner="closed_form",
        regimes=(48, 96, 192),  # an eighth, a quarter and half of about 400 views; first order
        regime_order=1,
        transfer_widths=(48, 48),
        transfer_function=False,
        transfer_rate=3e-3,
        # at 3e-3 the dense heads are past their best after an epoch or two, and two seeds rank
        # sources differently
        vector_rate=5e-4,
        transfer_batch=16,
        # about three epochs of 400 views; half as wide, since wider ones took longer and learned
        # vectors and classes of these few views by heart. In each smaller regime they would
        # cost as much again.
        scratch_steps=160,
        scratch_regimes=False,
        scratch_batch=8,
        scratch_width=0.5,
        policy_epochs=20,
        calibration_targets=4,  # maps, classes, vectors in turn
        calibration_sources=12,
        calibration_epochs=30,
        random_features=128,
        output_stride=2,
        # 0.001 won 2 % of the map transfers, whose test losses were no better for it; vectors take
        # 1 and would gain nothing from 10.
        ridges=(1e-2, 1e-1, 1.0),
    )
    return dataclasses.replace(
        paper(),
        name="laptop",
        buildings=200,
        held_out=20,
        views_per_building=18,
        render_size=128,
        processes=2,
        image_size=64,
        example_shards=2,
        task_shards=1,
        transfer_shards=1,
        max_samples=12_000,
        resamples=200,
        proxy_images=128,
        replayed_records=16,
        network=network,
    )


def smoke() -> Config:
    """Returns what tests run: the laptop's run, only smaller."""
    network = dataclasses.replace(
        laptop().network,
        encoder_widths=(8, 8, 8, 8),
        decoder_widths=(8, 8, 8),
        head_width=16,
        steps=2,
        shares=(),
        scratch_steps=1,
        batch=8,
        tile_size=16,
        policy_epochs=0,
        calibration_targets=1,
        calibration_sources=2,
        calibration_epochs=2,
        regimes=(8,),
        random_features=8,
        output_stride=4,
        ridges=(0.1,),
    )
    return dataclasses.replace(
        laptop(),
        name="smoke",
        buildings=4,
        held_out=1,
        views_per_building=20,  # fewer give no pair of views with a line of sight to one point
        render_size=64,
        image_size=32,
        example_shards=1,
        max_samples=40,
        budgets=(1, 2, 4, 6),
        default_budget=4,
        random_policies=50,
        resamples=10,
        proxy_images=16,
        replayed_records=3,
        replays=3,
        cold_start=False,
        # 50 random policies show no p below 0.02; networks of two steps are a matter of luck
        significance=0.1,
        margin=10.0,
        network=network,
    )


PRESETS = {"paper": paper, "laptop": laptop, "smoke": smoke}


def configuration(preset: str, changes: list[str]) -> Config:
    """Returns the preset with `field=value` changes, whose values are JSON or bare words. Raises
    ConfigError, for an unknown field with the list of all.
    """
    try:
        check_label_folders()
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if preset not in PRESETS:
        raise ConfigError(f"unknown configuration {preset!r}; there are {', '.join(PRESETS)}")
    config = PRESETS[preset]()
    # the network's seed follows the run's, and the name is the preset's
    own, nested = (
        {f.name for f in fields(Config)} - {"network", "name"},
        {f.name for f in fields(NetworkConfig)} - {"seed"},
    )
    outer: dict[str, Any] = {}
    inner: dict[str, Any] = {}
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise ConfigError(f"--set takes FIELD=VALUE, got {change!r}")
        if name not in own | nested:
            close = difflib.get_close_matches(name, own | nested, n=3)
            raise ConfigError(
                f"unknown field {name!r}; "
                + (f"did you mean {' or '.join(close)}? " if close else "")
                + f"fields: {', '.join(sorted(own | nested))}"
            )
        # a field of the pipeline first; none is called like one of the network
        (outer if name in own else inner)[name] = value_like(
            getattr(config if name in own else config.network, name), text, name
        )
    # `replace` runs the checks of both classes
    try:
        # one seed for data and networks, unless somebody writes code for it
        if "seed" in outer:
            inner["seed"] = outer["seed"]
        changed = dataclasses.replace(
            config, **outer, network=dataclasses.replace(config.network, **inner)
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error
    # here and not in the class: a run's configuration is read back where the folder may be gone
    if changed.published and not Path(changed.published).is_dir():
        raise ConfigError(
            f"published is a folder of the released affinities, got {changed.published!r}, which "
            "is none"
        )
    return changed


def from_json(facts: dict[str, Any]) -> Config:
    """Returns the configuration that `Config.to_json` wrote. Raises ConfigError for fields that
    this version does not have.
    """
    # fields that this version lacks would be dropped without a word
    unknown = sorted(set(facts) - {item.name for item in fields(Config)})
    if unknown:
        raise ConfigError(
            f"the run was configured by another version, with {', '.join(unknown)}; run it again "
            "with this one first"
        )
    fields_of_config = {
        # JSON has no tuples
        name: without_lists(value)
        for name, value in facts.items()
        if name != "network"
    }
    return Config(**fields_of_config, network=NetworkConfig(**facts["network"]))


def value_like(old: object, text: str, name: str) -> object:
    """Returns `text` as a value of the type of `old`, the present value of the field `name`. Raises
    ConfigError.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        # a bare word: `--set encoder=lean` needs no quotes
        value = text
    if isinstance(old, tuple):
        value = without_lists(value) if isinstance(value, list) else (value,)
        # True is an int to Python, and no number here
        kinds = NUMBERS.get(type(old[0])) if old else None
        if kinds and not all(type(one) in kinds for one in value):
            whole = "" if float in kinds else "whole "
            raise ConfigError(
                f"{name} is a list of {whole}numbers such as {list(old)}, got {text!r}"
            )
    # 1 is a fine share, but True is no number
    elif isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(old):
        raise ConfigError(f"{name} is {type(old).__name__} (now {old!r}), got {text!r}")
    return value


def shards_of(text: str) -> list[str]:
    """Returns the changes of fields that `--shards TASKS,TRANSFERS` stands for; one number is for
    both stages. Raises ConfigError.
    """
    numbers = text.split(",")
    if len(numbers) > 2 or not all(number.strip().isdigit() for number in numbers):
        raise ConfigError(
            f"--shards takes TASKS,TRANSFERS, two numbers of parallel nodes such as 26,22, "
            f"got {text!r}"
        )
    return [f"task_shards={numbers[0].strip()}", f"transfer_shards={numbers[-1].strip()}"]
