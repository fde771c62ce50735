"""Reads and writes nonfixated_matches, the published JSON file that describes not a view but a
point: which views of other points see it, and at which pixel.

File: `nonfixated_matches/point_<P>_view_all_domain_nonfixatedpose.json`, keys point_uuid,
point_location, views of {camera_uuid, point_uuid, view_id, nonfixated_pixel_x, nonfixated_pixel_y}.
Pixels are those of the published 512 x 512 image, whatever size the labels have here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.examples.published import LabelError, file_name, read_label, write_label
from models.tasks import DOMAINS, ViewKey

DOMAIN = DOMAINS["nonfixated_matches"]
PICTURE = 512  # side of the published images in pixels


@dataclass(frozen=True)
class Sighting:
    """A view that sees a point of the building that it does not fixate.
    view: the view; pixel: (x right, y down) in [0, 512]; camera: the published camera id.
    """

    view: ViewKey
    pixel: tuple[float, float]
    camera: str = ""

    def __post_init__(self) -> None:
        if not all(math.isfinite(number) and 0 <= number <= PICTURE for number in self.pixel):
            raise LabelError(
                f"pixel {self.pixel} of {self.view} lies outside the {PICTURE} x {PICTURE} image"
            )


@dataclass(frozen=True)
class Matches:
    """The views that see one point of a building.
    point: number of the point; location: [3] world metres; sightings: views of other points of the
    same building that see it.
    """

    building: str
    point: int
    location: tuple[float, float, float]
    sightings: tuple[Sighting, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns the object of the published JSON file."""
        views = [
            {
                "camera_uuid": sighting.camera,
                "point_uuid": str(sighting.view.point),
                "view_id": sighting.view.view,
                "nonfixated_pixel_x": sighting.pixel[0],
                "nonfixated_pixel_y": sighting.pixel[1],
            }
            for sighting in self.sightings
        ]
        return {
            "point_uuid": str(self.point),
            "point_location": list(self.location),
            "views": views,
        }

    @classmethod
    def from_json(cls, building: str, value: Mapping[str, Any]) -> Matches:
        """Returns the matches that an object of the published JSON file holds. Raises LabelError,
        which says what is wrong with another object.
        """
        try:
            sightings = [
                Sighting(
                    ViewKey(building, int(row["point_uuid"]), int(row["view_id"])),
                    (float(row["nonfixated_pixel_x"]), float(row["nonfixated_pixel_y"])),
                    str(row["camera_uuid"]),
                )
                for row in value["views"]
            ]
            x, y, z = (float(number) for number in value["point_location"])
            return cls(building, int(value["point_uuid"]), (x, y, z), tuple(sightings))
        except LabelError:
            raise
        except KeyError as error:
            raise LabelError(f"no matches: {error} is missing") from error
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            raise LabelError(f"no matches: {error}") from error


def read_matches(path: str | Path, building: str) -> Matches:
    """Reads the file of one point. Raises LabelError."""
    value = read_label(path, DOMAIN)
    assert isinstance(value, dict)  # what a JSON domain gives
    return Matches.from_json(building, value)


def write_matches(root: str | Path, matches: Matches) -> Path:
    """Writes the file of one point below `root` in the published layout and returns its path."""
    path = Path(root) / matches.building / DOMAIN.folder / file_name(DOMAIN, matches.point, "all")
    write_label(path, matches.to_json(), DOMAIN)
    return path
