"""What each stage asks of a cluster: processors, memory, accelerators; and how often it is tried.

A file of resources is YAML (or JSON): a stage's name, or `default`, -> fields of `Resources`. The
shards of a stage (`TrainTasks-3`) take what their stage is given.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfx_pipeline.config import Config, ConfigError

DEFAULT = "default"
NVIDIA = "nvidia.com/gpu"
# Kubernetes' quantities that memory is written in, as GB.
UNITS = {"M": 1e-3, "Mi": 2**20 / 1e9, "G": 1.0, "Gi": 2**30 / 1e9, "T": 1e3, "Ti": 2**40 / 1e9}


@dataclass(frozen=True)
class Resources:
    """What one stage asks for; what is 0 or empty is left to the cluster. Raises ConfigError."""

    # Processors.
    cpu: float = 0
    # A Kubernetes quantity: 8G, 500Mi.
    memory: str = ""
    # Accelerators, and what the cluster calls them (Vertex AI: NVIDIA_L4 and the like).
    gpu: int = 0
    accelerator: str = NVIDIA

    def __post_init__(self) -> None:
        for name, kinds in (("cpu", (int, float)), ("gpu", (int,))):
            value = getattr(self, name)
            # booleans are whole numbers in Python
            is_number = isinstance(value, kinds) and not isinstance(value, bool)
            # written so that NaN is refused, too
            if not is_number or not 0 <= value < math.inf:
                raise ConfigError(f"{name} is a number of at least 0, got {value!r}")
        self.gigabytes()

    def gigabytes(self) -> float:
        """Returns the memory in GB; 0 where none is asked for. Raises ConfigError."""
        if not self.memory:
            return 0.0
        parts = re.fullmatch(r"([0-9]+)([A-Za-z]+)", str(self.memory))
        if parts is None or parts[2] not in UNITS or not int(parts[1]):
            raise ConfigError(
                f"memory is a whole number above 0 with a unit of {', '.join(UNITS)}, got "
                f"{self.memory!r}"
            )
        return int(parts[1]) * UNITS[parts[2]]

    def to_spec(self) -> dict[str, Any]:
        """Returns the fields of a container's `resources` in a pipeline file; limits are requests
        too.

        Each stands twice: as numbers, which older launchers and Vertex AI read, and as strings.
        """
        spec: dict[str, Any] = {}
        if self.cpu:
            spec |= dict.fromkeys(("cpuLimit", "cpuRequest"), float(self.cpu))
            # strings as Kubernetes writes quantities
            spec |= dict.fromkeys(("resourceCpuLimit", "resourceCpuRequest"), f"{self.cpu:g}")
        if self.memory:
            spec |= dict.fromkeys(("memoryLimit", "memoryRequest"), self.gigabytes())
            spec |= dict.fromkeys(("resourceMemoryLimit", "resourceMemoryRequest"), self.memory)
        if self.gpu:
            spec["accelerator"] = {
                "type": self.accelerator,
                "count": str(self.gpu),
                "resourceType": self.accelerator,
                "resourceCount": str(self.gpu),
            }
        return spec


Table = Mapping[str, Resources]

# What stages of the published study get. Judged by what they do, not measured at that size: a GPU
# where networks are trained or run over all views, memory where codes or losses of all test images
# are held.
PAPER: Table = {
    DEFAULT: Resources(cpu=4, memory="16G"),
    "ExampleGen": Resources(cpu=16, memory="64G"),
    "StatisticsGen": Resources(cpu=16, memory="64G"),
    "DecodeLabels": Resources(cpu=16, memory="64G"),
    "TrainTasks": Resources(cpu=8, memory="64G", gpu=1),
    "EncodeViews": Resources(cpu=8, memory="64G", gpu=1),
    "PredictTransfers": Resources(cpu=16, memory="64G"),
    "TrainTransfers": Resources(cpu=8, memory="64G", gpu=1),
    "MeasureAffinities": Resources(cpu=16, memory="64G"),
    "TrainPolicy": Resources(cpu=8, memory="64G", gpu=1),
    "WriteReport": Resources(cpu=4, memory="64G"),
}
# Smaller runs fit what a node usually has: two processors, as on a laptop.
SMALL: Table = {DEFAULT: Resources(cpu=2, memory="8G")}


def defaults(config: Config) -> Table:
    """Returns what stages get where no file says it."""
    return PAPER if config.name == "paper" else SMALL


def read_resources(path: Path, config: Config, stages: set[str]) -> Table:
    """Returns the defaults with the rows of a file in their place; a row replaces all fields of its
    stage.

    stages: names that there are. Raises ConfigError for an unreadable file, an unknown stage or
    field.
    """
    import yaml

    try:
        # an empty file is no rows
        rows = yaml.safe_load(path.read_text()) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(
            f"{path} cannot be read as resources (YAML: `TrainTasks: {{cpu: 8, memory: 32G, "
            f"gpu: 1}}`): {' '.join(str(error).split())}"
        ) from error
    if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
        raise ConfigError(
            f"{path}: resources are a table of stages, such as `TrainTasks: {{cpu: 8, memory: "
            f"32G, gpu: 1}}`, got {type(rows).__name__}"
        )
    fields = [field.name for field in dataclasses.fields(Resources)]
    # a row replaces the whole of its stage's defaults: half of one would be a surprise
    table = dict(defaults(config))
    for stage, row in rows.items():
        check_known(stage, [DEFAULT, *sorted(stages)], f"{path}: unknown stage")
        for field in row:
            check_known(field, fields, f"{path}: {stage} has an unknown field")
        try:
            table[stage] = Resources(**row)
        except ConfigError as error:
            raise ConfigError(f"{path}: {stage}: {error}") from error
    return table


def check_known(name: Any, names: list[str], complaint: str) -> None:
    """Raises ConfigError, with the names, closest first, for a name that is not among them."""
    if name not in names:
        close = difflib.get_close_matches(str(name), names, n=3)
        hint = f"did you mean {' or '.join(close)}? " if close else ""
        raise ConfigError(f"{complaint} {name!r}; {hint}there are: {', '.join(names)}")


def stage_of(step: str) -> str:
    """Returns the stage that a step belongs to: `TrainTasks-3` is a shard of TrainTasks."""
    return re.sub(r"-[0-9]+$", "", step)


def resources_of(step: str, table: Table) -> Resources:
    """Returns the resources that a step is given."""
    return table.get(stage_of(step), table.get(DEFAULT, Resources()))
