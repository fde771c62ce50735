"""Lists the views of a building and the files that hold them. Both trees of the published data are
read, and every spelling of a name.

Trees: `<root>/<building>/<folder>/` (the original) and `<root>/<folder>/<component>/<building>/`
(what the community's download tool leaves).
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from beam_jobs.ingest import storage
from models.examples.published import NAME, parse_name
from models.tasks import DOMAINS, ViewKey, label_domains

FOLDER_SPELLINGS = {"point_info": ("point_info", "points")}
LONGEST_NAME = 100  # characters of a building's
# What a building's name may hold beside letters, digits and accents of any script. Left out are
# signs with a meaning in keys (/, and + between the views of a pair), paths, shells and pages, and
# signs that nobody can see.
SIGNS = frozenset(" ._-()[],&'#")
NAMING = (
    f"a building's name is at most {LONGEST_NAME} letters, digits, spaces and "
    f"{' '.join(sorted(SIGNS - {' '}))}, the first a letter, a digit or an opening bracket, the "
    "last no space; rename the folder"
)
# Folders of the published data set that hold no label of a task here.
OTHER_FOLDERS = frozenset(("rgb_large", "mask_valid", "fragments"))
LABEL_FOLDERS = frozenset(DOMAINS) | {
    spelling for spellings in FOLDER_SPELLINGS.values() for spelling in spellings
}
# Every word for a label that a folder might be called by mistake -> the folder that is meant.
LABEL_WORDS = {
    word: folder
    for folder, domain in DOMAINS.items()
    for word in (folder, domain.suffix, *domain.aliases)
}
# What labels are called every day, in other data sets too -> the folders that may be meant.
EVERYDAY_WORDS = {
    "depth": ("depth_zbuffer", "depth_euclidean"),
    "depth_map": ("depth_zbuffer", "depth_euclidean"),
    "depths": ("depth_zbuffer", "depth_euclidean"),
    "zbuffer": ("depth_zbuffer",),
    "z_buffer": ("depth_zbuffer",),
    "euclidean_depth": ("depth_euclidean",),
    "surface_normal": ("normal",),
    "surface_normals": ("normal",),
    "curvature": ("principal_curvature",),
    "curvatures": ("principal_curvature",),
    "edges": ("edge_texture", "edge_occlusion"),
    "texture_edges": ("edge_texture",),
    "occlusion_edges": ("edge_occlusion",),
    "semantic": ("segment_semantic",),
    "semantics": ("segment_semantic",),
    "semantic_segmentation": ("segment_semantic",),
    "segmentation": ("segment_semantic", "segment_unsup2d", "segment_unsup25d"),
    "segments": ("segment_semantic", "segment_unsup2d", "segment_unsup25d"),
}
# difflib's ratio from which on a name resembles another: 0.86 for "rgbs", 0.83 for "nomral", 0.81
# for "segment_panoptic" beside "segment_semantic", which is another label and no mistake.
LIKENESS = 0.82
ViewCodes = npt.NDArray[np.int64]
# Where a folder's files lie, and the word after `domain_` in their names.
Variant = tuple[str, str]


@dataclass(frozen=True)
class Building:
    """One building's views.

    component: of the other tree's, "" without. variants: folder -> its (place, suffix), one unless
    a set is mixed. views: [n] int64 codes (`code`), sorted. twice: code -> reason, views with two
    files for one label. strangers: (file, reason). unknown: places of folders that are no label's.
    """

    name: str
    component: str
    variants: Mapping[str, tuple[Variant, ...]]
    views: ViewCodes
    twice: Mapping[int, str]
    strangers: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...] = ()

    def files(self, folder: str, point: int, view: int) -> list[str]:
        """Returns the paths at which the view's file of `folder` may lie."""
        return [
            storage.join(place, f"point_{point}_view_{view}_domain_{suffix}.{DOMAINS[folder].file}")
            for place, suffix in self.variants[folder]
        ]


def code(point: int, view: int) -> int:
    """Returns the number of a view within its building: eight bytes a view, so that a listing of
    millions fits in memory.
    """
    # the nine digits of a name fit into 30 bits
    return point << 30 | view


def key(building: str, number: int) -> ViewKey:
    """Returns the view of a building that has this number (`code`)."""
    return ViewKey(building, int(number) >> 30, int(number) & (1 << 30) - 1)


def is_building_name(name: str) -> bool:
    """Returns whether a building can have this name (`NAMING`): it goes into keys of views, lists,
    messages and pages.
    """
    # L, M, N: letters, their marks, numbers; bytes that are no text are none of these
    kinds = [unicodedata.category(sign)[0] for sign in name]
    return (
        0 < len(name) <= LONGEST_NAME
        and (kinds[0] in "LN" or name[0] in "([")
        and name == name.strip()  # blanks around a name are lost when splits.csv is read
        and all(kind in "LMN" or sign in SIGNS for sign, kind in zip(name, kinds))
    )


def buildings(root: str) -> dict[str, tuple[str, ...]]:
    """Returns {building: places below `root` that may hold it}: "" for a folder of its own,
    "folder/component" for the other tree.
    """
    trees: dict[str, list[str]] = {}
    for name in storage.folders(root):
        if name in DOMAINS:
            for component in storage.folders(storage.join(root, name)):
                for building in storage.folders(storage.join(root, name, component)):
                    trees.setdefault(building, []).append(f"{name}/{component}")
        else:
            trees.setdefault(name, []).append("")
    return {name: tuple(places) for name, places in sorted(trees.items())}


def refuse_homeless(root: str) -> None:
    """Raises ValueError for label files of no building: directly in `root`/LABEL, or in a folder of
    it, where the other tree has only folders. None of them would be read.
    """
    for label in storage.folders(root):
        if label not in LABEL_FOLDERS:
            continue
        above = storage.join(root, label)
        # other files (lists, archives) are no labels
        endings = (".png", ".jpg", ".jpeg") if label == "rgb" else (f".{file_kind(label)}",)
        for name in ("", *storage.folders(above)):
            place = storage.join(above, name) if name else above
            if any(file.lower().endswith(endings) for file in storage.files(place)):
                home = storage.join(root, name or "NAME", label)
                raise ValueError(
                    f"{place} holds files of labels, and no building: expected BUILDING/{label}/"
                    f"point_P_view_V_domain_...; move them to {home} (the other labels likewise), "
                    "a folder a building: three at least, to train, to validate and to test"
                )


def file_kind(folder: str) -> str:
    """Returns the ending of a label folder's files, in whichever spelling the folder is named."""
    spelt = (name for name, spellings in FOLDER_SPELLINGS.items() if folder in spellings)
    return DOMAINS[next(spelt, folder)].file


def check_folders(root: str, trees_of: Mapping[str, tuple[str, ...]]) -> None:
    """Raises ValueError if any folder of `buildings` has nearly the name of a label's, or labels
    lie outside any building.
    """
    refuse_homeless(root)
    unknown: dict[str, str | None] = {}
    for name, trees in trees_of.items():
        if "" in trees:
            unknown |= unknown_folders(root, name)
    refuse_misspelt(unknown)


def refuse_misspelt(unknown: Mapping[str, str | None]) -> None:
    """Raises ValueError if any of the folders resembles a label's: its files would be missing from
    every view, and nobody would notice.
    """
    misspelt = [f"{place} (did you mean {label}?)" for place, label in unknown.items() if label]
    if misspelt:
        more = f" and {len(misspelt) - 5} more" if len(misspelt) > 5 else ""
        raise ValueError(
            f"folders that are called nearly as a label's: {', '.join(misspelt[:5])}{more}; rename "
            "them, or move them out of the data set if they are no labels"
        )


def unknown_folders(root: str, name: str) -> dict[str, str | None]:
    """Returns {place: the label folder that its name resembles, or None} of the unknown folders in
    a building, or of the building itself where it holds no label at all.
    """
    below = storage.folders(storage.join(root, name))
    if LABEL_FOLDERS.isdisjoint(below):
        itself = storage.join(root, name)
        resembled = resembled_label(name)
        if resembled or not below:
            return {itself: resembled}
    return {
        storage.join(root, name, folder): resembled_label(folder)
        for folder in below
        if folder not in LABEL_FOLDERS and folder not in OTHER_FOLDERS
    }


def resembled_label(name: str) -> str | None:
    """Returns the label folder that is most likely meant by `name`, or several joined by "or"; None
    if it resembles none.
    """
    word = name.lower().replace("-", "_").replace(" ", "_")
    if word in EVERYDAY_WORDS:
        return " or ".join(EVERYDAY_WORDS[word])
    nearest = difflib.get_close_matches(word, LABEL_WORDS, n=1, cutoff=LIKENESS)
    return LABEL_WORDS[nearest[0]] if nearest else None


def list_building(root: str, name: str, trees: tuple[str, ...]) -> Building:
    """Returns the views of a building: every (point, view) that any label folder names. Raises
    ValueError for folders that resemble a label's, as `check_folders` does for local data before
    the job starts.
    """
    unknown = unknown_folders(root, name) if "" in trees else {}
    refuse_misspelt(unknown)
    variants: dict[str, tuple[Variant, ...]] = {}
    codes: list[ViewCodes] = []
    twice: dict[int, str] = {}
    strangers: list[tuple[str, str]] = []
    for folder in label_domains():
        by_variant, misnamed = list_folder(places(root, name, trees, folder), folder)
        strangers += misnamed
        if by_variant:
            variants[folder] = tuple(sorted(by_variant))
            # a variant counts a view once, so that a view that comes twice has two files
            once = [np.unique(numbers) for numbers in by_variant.values()]
            numbers, counts = np.unique(np.concatenate(once), return_counts=True)
            codes.append(numbers)
            spellings = [f"{place} (_domain_{suffix})" for place, suffix in variants[folder]]
            for number in numbers[counts > 1]:
                twice[int(number)] = f"two files hold its {folder}: {' and '.join(spellings)}"
    views = np.unique(np.concatenate(codes)) if codes else np.zeros(0, "int64")
    component = next((tree.split("/")[1] for tree in trees if tree), "")
    misnamed_files = tuple(sorted(strangers))
    return Building(name, component, variants, views, twice, misnamed_files, tuple(unknown))


def list_folder(
    candidates: Iterable[str], folder: str
) -> tuple[dict[Variant, list[int]], list[tuple[str, str]]]:
    """Returns ({variant: codes of its views}, [(file, reason) of files that are no label's]) of one
    label folder in all its places.
    """
    by_variant: dict[Variant, list[int]] = {}
    misnamed = []
    for place in candidates:
        for file in storage.files(place):
            number, suffix, reason = understood(folder, file)
            if reason:
                misnamed.append((storage.join(place, file), reason))
            elif number is not None:
                by_variant.setdefault((place, suffix), []).append(number)
    return by_variant, misnamed


def places(root: str, name: str, trees: tuple[str, ...], folder: str) -> Iterator[str]:
    """Yields the paths at which a building's folder of a label may be, in either tree and every
    spelling.
    """
    for tree in trees:
        if not tree:
            for spelling in FOLDER_SPELLINGS.get(folder, (folder,)):
                yield storage.join(root, name, spelling)
        elif tree.split("/")[0] == folder:
            yield storage.join(root, tree, name)


def understood(folder: str, file: str) -> tuple[int | None, str, str | None]:
    """Returns (code, suffix, None) of a label file; (None, "", reason) of a file that is none;
    (None, "", None) of a file that describes a whole point.
    """
    domain = DOMAINS[folder]
    match = NAME.match(file)
    numbers = parse_name(domain, file)
    if match is None or numbers is None:
        whole_point = match is not None and match[2] == "all"
        expected = f"not called point_P_view_V_domain_{domain.suffix}.{domain.file}"
        return None, "", None if whole_point else expected
    point, view = numbers
    if not file.startswith(f"point_{point}_view_{view}_"):
        return None, "", "a number with leading zeros: two names would be one view"
    return code(point, view), match[3], None
