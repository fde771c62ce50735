"""Downloads through omnidata-tools, the community's program, and does what it leaves out: checking
that everything that was asked for is here.

The tool (0.0.23) checks no checksum unless told to, goes on when an archive fails, ends with code 0
all the same, and writes no split list.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from beam_jobs.download.subset import given_list, lacking, list_name, some, write_splits

TOOL = "omnitools.download"  # of the package omnidata-tools
COMPONENT = "taskonomy"


def by_tool(
    tool: str,
    dest: Path,
    subset: str,
    folders: Sequence[str],
    *,
    splits: str | None,
    connections: int,
    name: str | None,
    email: str | None,
) -> int:
    """Lets the tool fetch `folders` of every building of a subset, writes splits.csv, checks what
    arrived (folder/taskonomy/building, which ingest reads as it is), and returns how many folders
    are there. Raises ValueError if something that the tool or the check needs is not given, OSError
    if something that was asked for is not there.
    """
    if not (name and email):
        raise ValueError(
            f"{TOOL} sends a name and an address with the acceptance: say --name NAME --email "
            "ADDRESS, or --plain for plain HTTP"
        )
    table = given_list(splits or own_lists(tool, subset), subset)
    command = [tool, *folders, "--components", COMPONENT, "--subset", subset]
    command += ["--dest", str(dest), "--dest_compressed", str(dest / ".archives")]
    command += ["--connections_total", str(connections), "--ignore_checksum", "False"]
    command += ["--name", name, "--email", email, "--agree_all"]
    print(f"running {' '.join(command)}", file=sys.stderr)
    code = subprocess.run(command, check=False).returncode
    write_splits(dest / "splits.csv", table)

    def is_there(building: str, folder: str) -> bool:
        return filled(place_of(dest, building, folder))

    not_here = lacking(table, folders, is_there)
    if code or not_here:
        raise OSError(complaint(code, not_here, len(table) * len(folders)))
    return sum(is_there(building, folder) for building in table for folder in folders)


def own_lists(tool: str, subset: str) -> Path:
    """Returns the folder of the lists in the tool's own package. Raises ValueError if there is
    none.
    """
    inside = "omnidata_tools/dataset/starter_dataset/component_datasets/taskonomy"
    # the program lies in the folder bin of its environment
    prefix = Path(tool).resolve().parents[1]
    for folder in sorted(prefix.glob(f"lib/python*/site-packages/{inside}")):
        if (folder / list_name(subset)).is_file():
            return folder
    raise ValueError(
        f"which buildings are {subset}? {TOOL} has no list of them below {prefix}. Give the "
        f"published list: --splits FILE, or the folder that holds {list_name(subset)}"
    )


def place_of(dest: Path, building: str, folder: str) -> Path:
    return dest / folder / COMPONENT / building


def filled(place: Path) -> bool:
    """Returns whether a folder is there and has anything in it."""
    return place.is_dir() and any(place.iterdir())


def complaint(code: int, not_here: Sequence[str], count: int) -> str:
    """Returns a text that says what went wrong, and what to do."""
    parts = [f"{TOOL} ended with code {code}"] if code else []
    if not_here:
        parts.append(f"{len(not_here)} of {count} folders did not come: {some(not_here)}")
    return "; ".join([*parts, "the same command resumes, --plain takes the other way"])
