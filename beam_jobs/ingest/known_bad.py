"""Buildings and images of the published data set that are known to be bad, and what a data set says
about itself (dataset.json).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from beam_jobs.ingest import storage
from models.tasks import DOMAINS, ViewKey

# Omnidata splits.py and its Taskonomy loaders; StanfordVL/taskonomy issue 72, omnidata issues 3 and
# 7. wiconisco (suspected bad texture) is only suspected there, and stays.
KNOWN_BAD = {
    "mosquito": "no complete release",
    "tansboro": "no complete release",
    "tomkins": "no rgb",
    "darnestown": "no rgb",
    "brinnon": "no rgb",
    "rough": "wrong viewpoints",
    "woodbine": "missing and corrupt files",
    "newfields/point_1070/view_8": "rgb fails its checksum",
    "muleshoe/point_399/view_5": "corrupt",
}
# What a data set says about itself, below its folder.
DESCRIPTION = "dataset.json"
PUBLISHED_UNITS = 512  # depth codes a metre
# Components of the larger sister data set that are written on another scale, whether or not
# somebody says so in a dataset.json: read at 1/512 m, HM3D's rooms are sixteen times too deep.
COMPONENT_UNITS = {"hm3d": 8192}


@dataclass(frozen=True)
class Facts:
    """The content of dataset.json. absent: folders that the set does not have. units: depth codes a
    metre, one number or by building or component ("default" for the rest), None where nothing is
    said; known_bad: building or building/point_P/view_V -> reason, the published list unless the
    set brings its own. Raises ValueError for content that cannot be meant.
    """

    absent: frozenset[str] = frozenset()
    units: float | Mapping[str, float] | None = None
    known_bad: Mapping[str, str] = field(default_factory=lambda: KNOWN_BAD)

    def __post_init__(self) -> None:
        if "rgb" in self.absent:
            raise ValueError(
                "dataset.json: absent names rgb; a view is its picture, and there is none without"
            )
        unknown = self.absent - set(DOMAINS)
        if unknown:
            raise ValueError(
                "dataset.json: absent names folders that are none: "
                f"{', '.join(sorted(unknown))}; there are {', '.join(DOMAINS)}"
            )
        scales = self.units.values() if isinstance(self.units, Mapping) else [self.units]
        for scale in scales:
            nothing_said = scale is None and self.units is None
            if not nothing_said and not positive(scale):
                raise ValueError(
                    "dataset.json: depth_units_per_metre is a positive number (published: "
                    f"512; hm3d: 8192), got {scale!r}"
                )
        listed = isinstance(self.known_bad, Mapping)
        if not listed or not all(isinstance(reason, str) for reason in self.known_bad.values()):
            raise ValueError(
                "dataset.json: known_bad maps a building or building/point_P/view_V to a reason, "
                f"got {self.known_bad!r:.80}"
            )

    def depth_units(self, building: str, component: str = "") -> float:
        """Returns the depth codes a metre of this building."""
        usual = COMPONENT_UNITS.get(component, PUBLISHED_UNITS)
        if self.units is None:
            return usual
        if not isinstance(self.units, Mapping):
            return self.units
        for name in (building, component, "default"):
            if name in self.units:
                return self.units[name]
        return usual

    def reason(self, key: ViewKey) -> str | None:
        """Returns why this view is known to be bad, None if it is not."""
        for kind, name in (("building", key.building), ("image", str(key))):
            if name.lower() in self.lowered:
                return f"known-bad {kind}: {self.lowered[name.lower()]}"
        return None

    @cached_property
    def lowered(self) -> dict[str, str]:
        """The known bad names in lower case, as they are published: some copies of the buildings
        are spelled otherwise.
        """
        return {name.lower(): why for name, why in self.known_bad.items()}


def positive(scale: object) -> bool:
    """Returns whether it is a finite number above zero. True and False, which are numbers to
    Python, are not.
    """
    if isinstance(scale, bool) or not isinstance(scale, (int, float)):
        return False
    return 0 < scale < float("inf")


def read_description(root: str) -> dict[str, Any]:
    """Returns the content of the dataset.json of the data set at `root`, {} if it has none. Raises
    ValueError for a file that is no JSON object.
    """
    path = storage.join(root, DESCRIPTION)
    if not storage.exists(path):
        return {}
    try:
        # from bytes, so that a byte order mark is understood
        facts = json.loads(storage.read(path))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from error
    if not isinstance(facts, dict):
        raise ValueError(f"{path}: expected an object, got {type(facts).__name__}")
    return dict(facts)


def read_facts(root: str) -> Facts:
    """Returns the facts of the data set at `root`, the published ones if it has no dataset.json.
    Raises ValueError for a file that cannot be meant.
    """
    path, facts = storage.join(root, DESCRIPTION), read_description(root)
    absent = facts.get("absent", [])
    if not isinstance(absent, list) or not all(isinstance(folder, str) for folder in absent):
        raise ValueError(
            f"{path}: absent is a list of folders that the set does not have, got {absent!r:.80}"
        )
    return Facts(
        frozenset(absent),
        facts.get("depth_units_per_metre"),
        facts.get("known_bad", KNOWN_BAD),
    )
