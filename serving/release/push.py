"""Moves a blessed bundle to the folder that the server polls, and back. The layout is TensorFlow
Serving's: NAME/VERSION/saved_model.pb.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import shutil
import time
from pathlib import Path

from serving.bundle.manifest import MANIFEST, SIGNATURE, ManifestError, check_manifest
from serving.release.signing import check_signed, sign

# the number of the process that copies: `clear_interrupted` asks whether it lives
SCRATCH = re.compile(r"\.push-(\d+)-\d+")
WITHDRAWN = re.compile(r"\.withdrawn-(\d+)(?:-\d+)?")
# A run of the pipeline serves from RUN/serving/NAME, and writes its history beside that; a test
# holds both against `tfx_pipeline`.
RUN_SERVES = "serving"
RUN_HISTORY = "history.jsonl"


def push(bundle: str | Path, destination: str | Path, key: bytes | None = None) -> Path:
    """Makes a bundle the newest served version and returns the version's folder. It is copied
    beside the versions, then renamed: a poller sees all of it or nothing.

    key: PEM of an Ed25519 private key; the copy is signed before it is shown. Versions are UNIX
    seconds, or one past the highest that was ever pushed, withdrawn ones included: a number never
    names two models. What an interrupted push left behind is removed. Raises OSError if the
    destination cannot be written, ValueError for no bundle, or one whose files are not those of its
    manifest.
    """
    bundle = Path(bundle)
    destination = Path(destination)
    if not (bundle / "saved_model.pb").exists():
        raise ValueError(f"no SavedModel at {bundle}")
    destination.mkdir(parents=True, exist_ok=True)
    clear_interrupted(destination)
    # a dot before it: pollers read only numbers. In the destination, since a rename cannot cross
    # file systems
    scratch = destination / f".push-{os.getpid()}-{time.monotonic_ns()}"
    try:
        shutil.copytree(bundle, scratch)
        if key is not None:
            # signing checks the copy against its manifest, too
            sign(scratch, key)
        elif (scratch / MANIFEST).exists():
            check_manifest(scratch)  # the copy: what a disk did on the way counts too
        # before the rename: after a power cut a version must not be there without its bytes
        flush(scratch)
        return rename_to_version(scratch, destination)
    finally:
        # gone already where the push went well
        shutil.rmtree(scratch, ignore_errors=True)


def rename_to_version(scratch: Path, destination: Path) -> Path:
    """Renames `scratch` to the first free version number and returns the version's folder."""
    # withdrawn ones, too: their numbers named models
    past = [*versions(destination), *withdrawn_numbers(destination)]
    # seconds since 1970, as TFX's Pusher counts versions
    first = max([int(time.time()), *(number + 1 for number in past)])
    for number in itertools.count(first):
        goal = destination / str(number)
        try:
            os.rename(scratch, goal)  # refuses a folder that holds something, unlike a copy
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            # another push took the number in the meantime
            continue
        # the rename itself is an entry of this folder
        flush_folder(destination)
        return goal
    raise AssertionError("unreachable: numbers do not end")


def versions(destination: str | Path) -> list[int]:
    """Returns the numbers of the served versions, oldest first. Raises ValueError where there is no
    folder.
    """
    if not Path(destination).is_dir():
        raise ValueError(
            f"no folder of versions at {destination}; `python -m serving push BUNDLE "
            f"{destination}` makes one"
        )
    return sorted(
        int(path.name)
        for path in Path(destination).iterdir()
        if path.name.isdigit() and path.is_dir()
    )


def withdrawn_numbers(destination: str | Path) -> list[int]:
    """Returns the numbers of the versions that were taken out of service, oldest first."""
    names = [WITHDRAWN.fullmatch(path.name) for path in Path(destination).iterdir()]
    return sorted(int(name[1]) for name in names if name)


def lost_signature(version: Path) -> bool:
    """Returns whether the version is unsigned where the one before it is signed."""
    earlier = [number for number in versions(version.parent) if number < int(version.name)]
    return (
        bool(earlier)
        and (version.parent / str(earlier[-1]) / SIGNATURE).exists()
        and not (version / SIGNATURE).exists()
    )


def rollback(destination: str | Path, to: int | None = None, trusted: bytes | None = None) -> Path:
    """Takes the newest version out of service, or all that are newer than `to`; returns the folder
    of the version that serves now.

    trusted: PEM of public keys, one of which must have signed what is gone back to. Left out, `to`
    is the newest older version that a server would load (`unfit`); those between are withdrawn too.
    Withdrawn versions are kept under hidden names (`mv .withdrawn-N N` brings one back). Each goes
    by one rename, newest first, so that an interruption leaves a served version. Raises ValueError
    if there is none to go back to, and moves nothing then.
    """
    destination = Path(destination)
    version_numbers = versions(destination)
    # before anything is moved: what it goes back to must be there
    goal = older(destination, version_numbers, trusted) if to is None else to
    if goal not in version_numbers:
        numbers = ", ".join(map(str, version_numbers)) or "none"
        raise ValueError(f"{destination} holds no version {goal}; it holds {numbers}")
    fault = unfit(destination / str(goal), trusted)
    if fault:
        raise ValueError(f"version {goal} cannot be gone back to: {fault}")
    for number in reversed([number for number in version_numbers if number > goal]):
        # a version may be withdrawn, brought back and withdrawn again
        hidden = free_name(destination / f".withdrawn-{number}")
        os.rename(destination / str(number), hidden)
    flush_folder(destination)
    return destination / str(goal)


def older(destination: Path, numbers: list[int], trusted: bytes | None) -> int:
    """Returns the number of the newest version before the last of `numbers` that a server would
    load. Where the last is signed, an unsigned one is not taken: a server that asks for signatures
    refuses it. Raises ValueError if there is none.
    """
    if len(numbers) < 2:
        raise ValueError(
            f"{destination} holds {len(numbers)} version(s); rolling back needs an older one to "
            "return to"
        )
    signed = (destination / str(numbers[-1]) / SIGNATURE).exists()
    faults: list[str] = []
    for number in reversed(numbers[:-1]):
        fault = unfit(destination / str(number), trusted, signed)
        if not fault:
            return number
        faults.append(f"version {number}: {fault}")
    way_out = "" if trusted else ". `--to N` takes an unsigned one all the same"
    raise ValueError(
        f"no older version in {destination} can be gone back to, and nothing was withdrawn: "
        f"{'; '.join(faults)}{way_out}"
    )


def unfit(folder: Path, trusted: bytes | None, signed: bool = False) -> str:
    """Returns why a server would not load the version, "" if nothing is known against it: no model,
    files that are not those of its manifest, a signature that is missing (if `signed`, or `trusted`
    keys are given) or of nobody trusted.
    """
    if not (folder / "saved_model.pb").exists():
        return f"no SavedModel at {folder}"
    try:
        if trusted is not None:
            check_signed(folder, trusted)
        elif (folder / MANIFEST).exists():
            check_manifest(folder)
    except ManifestError as error:
        return str(error)
    if signed and not (folder / SIGNATURE).exists():
        return "it is not signed, and the newest version is"
    return ""


def run_of(destination: str | Path) -> Path | None:
    """Returns the folder of the pipeline's run that serves from `destination`; None for a folder of
    no run.
    """
    place = Path(destination).absolute()
    run = place.parent.parent
    belongs = place.parent.name == RUN_SERVES and (run / RUN_HISTORY).exists()
    return run if belongs else None


def free_name(path: Path) -> Path:
    """Returns the first of `path`, `path-1`, `path-2` ... that is not there: a version of this
    number may have been withdrawn before.
    """
    numbered = (path.with_name(f"{path.name}-{i}") for i in itertools.count(1))
    return next(name for name in itertools.chain([path], numbered) if not name.exists())


def clear_interrupted(destination: Path) -> None:
    """Removes the half copies of pushes whose process is gone."""
    for path in destination.iterdir():
        name = SCRATCH.fullmatch(path.name)
        # a process of that number lives: its push may still be running
        if name and not Path(f"/proc/{name[1]}").exists():
            shutil.rmtree(path, ignore_errors=True)


def flush(folder: Path) -> None:
    """Brings every file below `folder` to the disk: after a power cut a renamed version must not be
    hollow.
    """
    for place, _, files in os.walk(folder):
        for name in files:
            # any descriptor of the file will do: `fsync` brings all of its bytes to the disk
            with open(os.path.join(place, name), "rb") as file:
                os.fsync(file.fileno())
        flush_folder(Path(place))


def flush_folder(folder: Path) -> None:
    """Brings the entries of `folder` to the disk; a folder is flushed as a file is."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
