"""Which views does a building have, and in which files? Both trees of the published data are read,
and every spelling of a name.

Trees: `<root>/<building>/<folder>/` (the original) and `<root>/<folder>/<component>/<building>/`
(what the community's download tool leaves).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from beam_jobs.ingest import storage
from models.examples.published import NAME, parse_name
from models.tasks import DOMAINS, ViewKey, label_domains

FOLDER_SPELLINGS = {"point_info": ("point_info", "points")}
SAFE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")


@dataclass(frozen=True)
class Building:
    """One building's views. variants: folder -> ((place, suffix), ...): where its files lie and how
    they are spelled, one unless a set is mixed; views: [n] int64 codes (`code`), sorted; twice:
    code -> reason, views with two files for one label; strangers: ((file, reason), ...).
    """

    name: str
    component: str
    variants: dict[str, tuple[tuple[str, str], ...]]
    views: np.ndarray
    twice: dict[int, str]
    strangers: tuple[tuple[str, str], ...]

    def files(self, folder: str, point: int, view: int) -> list[str]:
        """where the view's file of `folder` may lie."""
        return [
            storage.join(place, f"point_{point}_view_{view}_domain_{suffix}.{DOMAINS[folder].file}")
            for place, suffix in self.variants[folder]
        ]


def code(point: int, view: int) -> int:
    """a view's number within its building: eight bytes a view, so that a listing of millions fits
    in memory.
    """
    return point << 30 | view


def key(building: str, number: int) -> ViewKey:
    return ViewKey(building, int(number) >> 30, int(number) & (1 << 30) - 1)


def buildings(root: str) -> dict[str, tuple[str, ...]]:
    """building -> the places below `root` that may hold it: itself, or folder/component/itself for
    the other tree.
    """
    found: dict[str, list[str]] = {}
    for name in storage.folders(root):
        if name in DOMAINS:
            for component in storage.folders(storage.join(root, name)):
                for building in storage.folders(storage.join(root, name, component)):
                    found.setdefault(building, []).append(f"{name}/{component}")
        else:
            found.setdefault(name, []).append("")
    return {name: tuple(places) for name, places in sorted(found.items())}


def list_building(root: str, name: str, trees: tuple[str, ...]) -> Building:
    """the views of a building: every (point, view) that any label folder names."""
    variants, codes, twice, strangers = {}, {}, {}, []
    for folder in label_domains():
        by_variant: dict[tuple[str, str], list[int]] = {}
        for place in places(root, name, trees, folder):
            for file in storage.files(place):
                number, suffix, reason = understood(folder, file)
                if reason:
                    strangers.append((storage.join(place, file), reason))
                elif number is not None:
                    by_variant.setdefault((place, suffix), []).append(number)
        if by_variant:
            variants[folder] = tuple(sorted(by_variant))
            arrays = [np.unique(numbers) for numbers in by_variant.values()]
            codes[folder], counts = np.unique(np.concatenate(arrays), return_counts=True)
            for number in codes[folder][counts > 1]:
                twice[int(number)] = f"two files hold its {folder}: " + " and ".join(
                    f"{place} (_domain_{suffix})" for place, suffix in variants[folder]
                )
    views = np.unique(np.concatenate(list(codes.values()))) if codes else np.zeros(0, "int64")
    component = next((tree.split("/")[1] for tree in trees if tree), "")
    return Building(name, component, variants, views, twice, tuple(sorted(strangers)))


def places(root: str, name: str, trees: tuple[str, ...], folder: str) -> Iterator[str]:
    for tree in trees:
        if not tree:
            for spelling in FOLDER_SPELLINGS.get(folder, (folder,)):
                yield storage.join(root, name, spelling)
        elif tree.split("/")[0] == folder:
            yield storage.join(root, tree, name)


def understood(folder: str, file: str) -> tuple[int | None, str, str | None]:
    """(code, suffix, None) of a label file; (None, "", reason) of one that is none; (None, "",
    None) of one that describes a whole point.
    """
    numbers = parse_name(DOMAINS[folder], file)
    if numbers is None:
        match = NAME.match(file)
        whole_point = match is not None and match[2] == "all"
        return (
            None,
            "",
            None
            if whole_point
            else "not called "
            f"point_P_view_V_domain_{DOMAINS[folder].suffix}.{DOMAINS[folder].file}",
        )
    point, view = numbers
    if not file.startswith(f"point_{point}_view_{view}_"):
        return None, "", "a number with leading zeros: two names would be one view"
    return code(point, view), NAME.match(file)[3], None
