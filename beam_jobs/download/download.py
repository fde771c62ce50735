"""Fetches the published data set: through the community's tool where it is installed, else over
plain HTTP from an address that the user gives.

Plain HTTP expects what the publishers' servers have: `<url>/md5sum.txt` (`<md5>  <path>` a line)
and tar files `<building>_<folder>.tar`, each with one directory `<folder>/`. Every archive is
resumed, checked, unpacked beside its place and renamed: a folder that exists is complete.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tarfile
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from beam_jobs.download.community_tool import TOOL, by_tool
from beam_jobs.download.fetch import FetchError, Patience, fetch
from beam_jobs.download.subset import (
    SUBSETS,
    given_list,
    lacking,
    list_name,
    some,
    write_splits,
)
from beam_jobs.ingest.progress import Transfers
from models.arguments.numbers import count
from models.arguments.places import named_place
from models.examples.splits import read_splits
from models.tasks import DOMAINS

ADDRESS = "TASKONOMY_URL"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `download` to its parser."""
    parser.epilog = (
        "example: python -m beam_jobs download --subset tiny --out data --accept-licence --url "
        "ADDRESS --splits splits_taskonomy/"
    )
    parser.add_argument(
        "--subset",
        choices=SUBSETS,
        default="tiny",
        help="the published list of buildings: 35, 138, 482 or 537 of them",
    )
    parser.add_argument(
        "--out",
        # the former name of --out
        "--dest",
        type=named_place,
        required=True,
        help="folder for the data, which ingest then reads",
    )
    parser.add_argument(
        "--accept-licence",
        action="store_true",
        help="you have read the data set's licence (StanfordVL/taskonomy, data/LICENSE) and "
        "accept it",
    )
    parser.add_argument(
        "--url",
        default=os.environ.get(ADDRESS),
        help=f"where the archives are; default: the environment's {ADDRESS}",
    )
    parser.add_argument(
        "--splits",
        help="the published list of the subset, or the folder that holds "
        "train_val_test_<subset>.csv; default: ask the server",
    )
    parser.add_argument(
        "--domains",
        nargs="+",
        default=list(DOMAINS),
        choices=list(DOMAINS),
        metavar="FOLDER",
        help="label folders; default: all",
    )
    parser.add_argument("--connections", type=count, default=4, help="archives at a time")
    parser.add_argument(
        "--plain", action="store_true", help=f"plain HTTP even where {TOOL} is installed"
    )
    parser.add_argument(
        "--name", help=f"your name, which {TOOL} sends with the licence's acceptance"
    )
    parser.add_argument("--email", help=f"your e-mail address, which {TOOL} sends too")


def run(options: argparse.Namespace) -> int:
    """Fetches the data, prints what to do next, and returns the exit code."""
    if not options.accept_licence:
        raise ValueError(
            "the data set has its own licence (data/LICENSE of the repository "
            "StanfordVL/taskonomy; not for commercial use): read it, "
            "and say --accept-licence if you accept it"
        )
    tool = None if options.plain else shutil.which(TOOL)
    if tool:
        arrived = by_tool(
            tool,
            Path(options.out),
            options.subset,
            options.domains,
            splits=options.splits,
            connections=options.connections,
            name=options.name,
            email=options.email,
        )
        outcome = f"{arrived} folders are here"
    elif options.url:
        counts = download(
            options.url,
            Path(options.out),
            options.subset,
            options.domains,
            splits=options.splits,
            connections=options.connections,
        )
        outcome = f"{counts['fetched']} archives fetched, {counts['kept']} were here"
    else:
        raise ValueError(
            f"{TOOL} is not installed (pip install omnidata-tools, and aria2), and no address "
            f"is given: say --url ADDRESS or set {ADDRESS}"
        )
    table = Path(options.out) / "splits.csv"
    print(
        f"{outcome}, splits in {table}; next: python -m beam_jobs ingest --data {options.out} "
        f"--splits {table} --out examples"
    )
    return 0


@dataclass(frozen=True)
class Archive:
    """One archive, with the files of one label folder of a building. path: below the address; md5:
    hex digits.
    """

    building: str
    folder: str
    path: str
    md5: str


def download(
    url: str,
    dest: Path,
    subset: str,
    folders: Collection[str],
    *,
    splits: str | None = None,
    connections: int = 4,
    patience: Patience = Patience(),  # noqa: B008  frozen
) -> dict[str, int]:
    """Fetches and unpacks all archives of a subset below `dest` in the published layout, with
    splits.csv, and returns {"fetched", "kept"}.

    Raises ValueError for lists that do not fit, FetchError when an archive cannot be had, or a
    folder of a building is not on the server's list; the others are finished first.
    """
    url = url.rstrip("/")
    hidden = dest / ".archives"
    hidden.mkdir(parents=True, exist_ok=True)
    table = subset_splits(url, hidden, subset, splits, patience)
    offers = [
        archive
        for archive in archives(url, hidden, patience)
        if archive.building in table and archive.folder in folders
    ]
    if not offers:
        raise ValueError(
            f"{url}/md5sum.txt lists none of the {len(table)} buildings of {subset}; is it "
            "the address of the data set?"
        )
    write_splits(dest / "splits.csv", table)
    downloads = [
        archive for archive in offers if not (dest / archive.building / archive.folder).is_dir()
    ]
    failures = obtain_all(url, downloads, dest, connections, patience)
    offered = {(archive.building, archive.folder) for archive in offers}
    not_offered = lacking(
        table,
        folders,
        # folders that came from elsewhere count as well
        lambda building, folder: (
            (building, folder) in offered or (dest / building / folder).is_dir()
        ),
    )
    if failures or not_offered:
        raise FetchError(complaint(url, failures, len(downloads), not_offered))
    return {"fetched": len(downloads), "kept": len(offers) - len(downloads)}


def complaint(url: str, failures: list[str], count: int, not_offered: list[str]) -> str:
    """Returns a text that says which archives failed and which folders the server's list lacks."""
    parts = []
    if failures:
        parts.append(
            f"{len(failures)} of {count} archives failed, the others are here; the first: "
            f"{failures[0]}"
        )
    if not_offered:
        parts.append(
            f"{len(not_offered)} folders that were asked for are not in {url}/md5sum.txt, what is "
            f"there has come: {some(not_offered)}; to ask for fewer, say --domains or give a "
            "shorter list with --splits"
        )
    return "; ".join(parts)


def obtain_all(
    url: str, downloads: list[Archive], dest: Path, connections: int, patience: Patience
) -> list[str]:
    """Fetches and unpacks the archives, several at a time, and returns what went wrong, a line for
    each archive that failed.
    """
    failures: list[str] = []
    with Transfers(len(downloads)) as transfers, ThreadPoolExecutor(connections) as pool:

        def one(archive: Archive) -> None:
            try:
                obtain(f"{url}/{archive.path}", archive, dest, patience, transfers.progress)
                transfers.finished()
            except (FetchError, ValueError) as error:
                failures.append(str(error))

        list(pool.map(one, downloads))
    return failures


def archives(url: str, folder: Path, patience: Patience) -> list[Archive]:
    """Returns the archives that the server lists; lines that name no building's archive are
    skipped.
    """
    place = folder / "md5sum.txt"
    fetch(f"{url}/md5sum.txt", place, None, patience=patience)
    lines = place.read_text(encoding="utf-8-sig").splitlines()
    entries = [archive_of(line, url) for line in lines]
    return [archive for archive in entries if archive is not None]


def archive_of(line: str, url: str) -> Archive | None:
    """Returns the archive that a line of md5sum.txt names, None if it names none."""
    md5, _, path = line.strip().partition(" ")
    path = path.strip().lstrip("*").removeprefix(url).strip("/")
    building, _, label = path.rpartition("/")[2].removesuffix(".tar").partition("_")
    is_label = path.endswith(".tar") and label in DOMAINS
    # no path in a server's list may lead out of the folder
    is_safe = ".." not in path and building.isalnum()
    if is_label and is_safe and len(md5) == 32:
        return Archive(building, label, path, md5.lower())
    return None


def subset_splits(
    url: str, folder: Path, subset: str, splits: str | None, patience: Patience
) -> Mapping[str, str]:
    """Returns {building: split} of the published list, which is given or fetched from the server.
    The lists are the publishers' and are not shipped here.
    """
    if splits is not None:
        return given_list(splits, subset)
    name = list_name(subset)
    try:
        fetch(f"{url}/{name}", folder / name, None, patience=patience)
    except FetchError as error:
        raise ValueError(
            f"which buildings are {subset}? {error}. Give the published list: --splits "
            f"FILE, or the folder that holds {name}"
        ) from error
    return read_splits(folder / name)


def obtain(
    url: str,
    archive: Archive,
    dest: Path,
    patience: Patience,
    progress: Callable[[int], None],
) -> None:
    """Fetches one archive, unpacks it beside its place, renames the folder, and removes the
    archive.
    """
    packed = dest / ".archives" / f"{archive.building}_{archive.folder}.tar"
    # a file of this name is whole and checked (`fetch` renames it last)
    if not packed.exists():
        fetch(url, packed, archive.md5, patience=patience, progress=progress)
    scratch = dest / ".archives" / f"{archive.building}_{archive.folder}"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        unpack(packed, scratch, archive.folder)
    except (tarfile.TarError, EOFError) as error:
        shutil.rmtree(scratch, ignore_errors=True)
        packed.unlink()
        raise ValueError(f"{url}: refused to unpack: {error}") from error
    (dest / archive.building).mkdir(exist_ok=True)
    os.replace(scratch / archive.folder, dest / archive.building / archive.folder)
    shutil.rmtree(scratch, ignore_errors=True)
    # last: after a kill before this, the archive is unpacked again but not fetched again
    packed.unlink()


def unpack(packed: Path, scratch: Path, folder: str) -> None:
    """Unpacks an archive into `scratch`. Raises TarError for one that is damaged, leads out of its
    place, or lacks `folder`.
    """
    with tarfile.open(packed) as tar:
        # This filter refuses paths that lead out, devices, and links that point out.
        tar.extractall(scratch, filter="data")
    if not (scratch / folder).is_dir():
        names = sorted(path.name for path in scratch.iterdir())[:5]
        raise tarfile.TarError(f"it holds no folder {folder}, but {names}")
