"""Fetch the published data set: through the community's tool where it is installed, else over plain
HTTP from an address that the user gives.

Plain HTTP expects what the publishers' servers have: `<url>/md5sum.txt` (`<md5>  <path>` a line)
and tar files `<building>_<folder>.tar`, each with one directory `<folder>/`. Every archive is
resumed, checked, unpacked beside its place and renamed: a folder that exists is complete.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from beam_jobs.download.fetch import FetchError, Patience, fetch
from beam_jobs.ingest.progress import Transfers
from models.examples.splits import SPLITS, read_splits
from models.tasks import DOMAINS

SUBSETS = ("tiny", "medium", "full", "fullplus")
TOOL = "omnitools.download"  # of the package omnidata-tools
ADDRESS = "TASKONOMY_URL"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "example: python -m beam_jobs download --subset tiny --dest data --accept-licence --url "
        "ADDRESS --splits splits_taskonomy/"
    )
    parser.add_argument(
        "--subset",
        choices=SUBSETS,
        default="tiny",
        help="the published list of buildings: 35, 138, 482 or 537 of them",
    )
    parser.add_argument(
        "--dest", required=True, help="folder for the data, which ingest then reads"
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
    parser.add_argument("--connections", type=int, default=4, help="archives at a time")
    parser.add_argument(
        "--plain", action="store_true", help=f"plain HTTP even where {TOOL} is installed"
    )
    parser.add_argument(
        "--name", help=f"your name, which {TOOL} sends with the licence's acceptance"
    )
    parser.add_argument("--email", help="your address, likewise")


def run(options: argparse.Namespace) -> int:
    if not options.accept_licence:
        raise ValueError(
            "the data set has its own licence (data/LICENSE of the repository "
            "StanfordVL/taskonomy; not for commercial use): read it, "
            "and say --accept-licence if you accept it"
        )
    tool = None if options.plain else shutil.which(TOOL)
    if tool:
        return by_tool(tool, options)
    if not options.url:
        raise ValueError(
            f"{TOOL} is not installed (pip install omnidata-tools, and aria2), and no address "
            f"is given: say --url ADDRESS or set {ADDRESS}"
        )
    counts = download(
        options.url,
        Path(options.dest),
        options.subset,
        options.domains,
        splits=options.splits,
        connections=options.connections,
    )
    print(
        f"{counts['fetched']} archives fetched, {counts['kept']} were here; next: python -m "
        f"beam_jobs ingest --data {options.dest} --out examples"
    )
    return 0


def by_tool(tool: str, options: argparse.Namespace) -> int:
    """hand over to omnidata-tools, which resumes and checks by itself; what it leaves
    (folder/taskonomy/building) ingest reads as it is.
    """
    if not (options.name and options.email):
        raise ValueError(
            f"{TOOL} sends a name and an address with the acceptance: say --name NAME --email "
            "ADDRESS, or --plain for plain HTTP"
        )
    command = [
        tool,
        *options.domains,
        "--components",
        "taskonomy",
        "--subset",
        options.subset,
        "--dest",
        options.dest,
    ]
    command += [
        "--dest_compressed",
        os.path.join(options.dest, ".archives"),
        "--connections_total",
        str(options.connections),
    ]
    command += ["--name", options.name, "--email", options.email, "--agree_all"]
    print(f"running {' '.join(command)}", file=sys.stderr)
    code = subprocess.run(command, check=False).returncode
    if code:
        raise OSError(
            f"{TOOL} ended with code {code}; the same command resumes, --plain takes the other way"
        )
    return 0


@dataclass(frozen=True)
class Archive:
    """one building's files of one folder. path: below the address; md5: hex digest."""

    building: str
    folder: str
    path: str
    md5: str


def download(
    url: str,
    dest: Path,
    subset: str,
    folders,
    *,
    splits: str | None = None,
    connections: int = 4,
    patience: Patience = Patience(),  # noqa: B008  frozen
) -> dict[str, int]:
    """fetch and unpack all archives of a subset below `dest` in the published layout, with
    splits.csv; {"fetched", "kept"}.

    Raises ValueError for lists that do not fit, FetchError when an archive cannot be had; the
    others are finished first.
    """
    url = url.rstrip("/")
    hidden = dest / ".archives"
    hidden.mkdir(parents=True, exist_ok=True)
    table = subset_splits(url, hidden, subset, splits, patience)
    listed = [
        archive
        for archive in archives(url, hidden, patience)
        if archive.building in table and archive.folder in folders
    ]
    absent = sorted(set(table) - {archive.building for archive in listed})
    if not listed:
        raise ValueError(
            f"{url}/md5sum.txt lists none of the {len(table)} buildings of {subset}; is it "
            "the address of the data set?"
        )
    if absent:
        print(
            f"not there: {len(absent)} of {len(table)} buildings: "
            f"{', '.join(absent[:5])}{' ...' if len(absent) > 5 else ''}",
            file=sys.stderr,
        )
    write_splits(dest / "splits.csv", table)
    wanted = [
        archive for archive in listed if not (dest / archive.building / archive.folder).is_dir()
    ]
    failed: list[str] = []
    with Transfers(len(wanted)) as transfers, ThreadPoolExecutor(connections) as pool:

        def one(archive: Archive) -> None:
            try:
                obtain(f"{url}/{archive.path}", archive, dest, patience, transfers.progress)
                transfers.finished()
            except (FetchError, ValueError) as error:
                failed.append(str(error))

        list(pool.map(one, wanted))
    if failed:
        raise FetchError(
            f"{len(failed)} of {len(wanted)} archives failed, the others are here; the first: "
            f"{failed[0]}"
        )
    return {"fetched": len(wanted), "kept": len(listed) - len(wanted)}


def archives(url: str, folder: Path, patience: Patience) -> list[Archive]:
    """what the server lists; lines that are no building's archive are passed over."""
    place = folder / "md5sum.txt"
    fetch(f"{url}/md5sum.txt", place, None, patience=patience)
    found = []
    for line in place.read_text().splitlines():
        md5, _, path = line.strip().partition(" ")
        path = path.strip().lstrip("*").removeprefix(url).strip("/")
        building, _, label = path.rpartition("/")[2].removesuffix(".tar").partition("_")
        if (
            path.endswith(".tar")
            and label in DOMAINS
            and len(md5) == 32
            and ".." not in path
            and building.isalnum()
        ):
            found.append(Archive(building, label, path, md5.lower()))
    return found


def subset_splits(
    url: str, folder: Path, subset: str, splits: str | None, patience: Patience
) -> Mapping[str, str]:
    """building -> split of the published list: given, or from the server. The lists are the
    publishers' and are not shipped here.
    """
    name = f"train_val_test_{subset}.csv"
    if splits is None:
        try:
            fetch(f"{url}/{name}", folder / name, None, patience=patience)
        except FetchError as error:
            raise ValueError(
                f"which buildings are {subset}? {error}. Give the published list: --splits "
                f"FILE, or the folder that holds {name}"
            ) from error
        return read_splits(folder / name)
    path = Path(splits)
    return read_splits(path / name if path.is_dir() else path)


def write_splits(path: Path, table: Mapping[str, str]) -> None:
    """splits.csv of what was asked for, in the published form."""
    rows = [
        "id,train,val,test",
        *(
            ",".join([name, *(str(int(split == column)) for column in SPLITS)])
            for name, split in sorted(table.items())
        ),
    ]
    scratch = path.with_name(f".{path.name}")
    scratch.write_text("\n".join(rows) + "\n")
    os.replace(scratch, path)


def obtain(url: str, archive: Archive, dest: Path, patience: Patience, progress) -> None:
    """fetch one archive, unpack it beside its place, rename, and remove it."""
    packed = dest / ".archives" / f"{archive.building}_{archive.folder}.tar"
    if not packed.exists():
        fetch(url, packed, archive.md5, patience=patience, progress=progress)
    scratch = dest / ".archives" / f"{archive.building}_{archive.folder}"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        with tarfile.open(packed) as tar:
            tar.extractall(
                scratch, filter="data"
            )  # refuses paths that lead out, devices, links that point out
        if not (scratch / archive.folder).is_dir():
            raise tarfile.TarError(
                f"it holds no folder {archive.folder}, but "
                f"{sorted(path.name for path in scratch.iterdir())[:5]}"
            )
    except (tarfile.TarError, EOFError) as error:
        shutil.rmtree(scratch, ignore_errors=True)
        packed.unlink()
        raise ValueError(f"{url}: refused to unpack: {error}") from error
    (dest / archive.building).mkdir(exist_ok=True)
    os.replace(scratch / archive.folder, dest / archive.building / archive.folder)
    shutil.rmtree(scratch, ignore_errors=True)
    packed.unlink()
