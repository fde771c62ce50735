"""Reads and writes files on this machine (a path or file://) or in an object store that Beam's
FileSystems know (gs://, s3://, hdfs://...).

Local files go through the operating system alone: Beam's own local file system costs as much for
each file as decoding a small picture.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

from models.examples.published import LARGEST_FILE, MissingLabel
from models.provenance.atomic import atomic_file

ATTEMPTS = 4


@contextlib.contextmanager
def errors_in_words() -> Iterator[None]:
    """Raises an error of the system again with its text alone, without its number. Beam adds to an
    error's first argument the step in which it came up; of an error that begins with a number it
    makes a RuntimeError, which would be no fault of the user's and end in a traceback.
    """
    try:
        yield
    except OSError as error:
        raise OSError(str(error)) from error


def plain(path: str) -> str:
    """Returns the path without file://; anything else as it is."""
    return os.fspath(path).removeprefix("file://")


def is_local(path: str) -> bool:
    """Returns whether the path names a file of this machine."""
    return "://" not in plain(path)


def join(*parts: str) -> str:
    """Returns the parts joined to a path, here or in a store: both are written with slashes."""
    return "/".join([parts[0].rstrip("/"), *parts[1:]])


def folders(path: str) -> list[str]:
    """Returns the names of the folders directly below `path`, sorted, hidden ones left out; [] if
    there is no such folder.
    """
    if is_local(path):
        try:
            with os.scandir(path) as entries:
                return sorted(
                    entry.name
                    for entry in entries
                    if entry.is_dir() and not entry.name.startswith(".")
                )
        except (FileNotFoundError, NotADirectoryError):
            return []
    names = set()
    length = len(path.rstrip("/")) + 1
    for name in names_below(path):
        first, *rest = name[length:].split("/", 1)
        if rest and not first.startswith("."):
            names.add(first)
    return sorted(names)


def files(path: str) -> list[str]:
    """Returns the names of the files directly below `path`, hidden ones (a writer's unfinished
    files) left out; [] if there is no such folder.
    """
    if is_local(path):
        try:
            with os.scandir(path) as entries:
                # links, even broken ones, and pipes are listed: reading them tells what is wrong
                return [
                    entry.name
                    for entry in entries
                    if not entry.name.startswith(".") and not entry.is_dir(follow_symlinks=False)
                ]
        except (FileNotFoundError, NotADirectoryError):
            return []
    length = len(path.rstrip("/")) + 1
    names = (full[length:] for full in names_below(path))
    return [name for name in names if name and "/" not in name and not name.startswith(".")]


def names_below(path: str) -> Iterator[str]:
    """Yields the full names of all objects below a remote `path`, one at a time: Beam's `match`
    would hold a list of millions.
    """
    from apache_beam.io.filesystem import BeamIOError
    from apache_beam.io.filesystems import FileSystems

    try:
        for entry in FileSystems.get_filesystem(path)._list(path.rstrip("/") + "/"):
            yield entry.path
    except (FileNotFoundError, BeamIOError) as error:
        if not is_missing(error):
            raise


def is_missing(error: BaseException) -> bool:
    """Returns whether a store's error says that there is no such object."""
    text = str(error).lower()
    return isinstance(error, FileNotFoundError) or any(
        word in text for word in ("not found", "no such", "does not exist", "404")
    )


def exists(path: str) -> bool:
    """Returns whether there is a file, or an object, of this path."""
    if is_local(path):
        return os.path.exists(path)
    from apache_beam.io.filesystems import FileSystems

    return FileSystems.exists(path)


def read(path: str) -> bytes:
    """Returns the content of a small file. A store's error is tried again with growing pauses, then
    raised; a missing object raises FileNotFoundError at once.
    """
    if is_local(path):
        with open(path, "rb") as file:
            return file.read()
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    for attempt in range(ATTEMPTS):
        try:
            # else Beam would unpack a file because of the ending of its name
            with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
                # one byte more than is allowed shows a file that is too large
                data = file.read(LARGEST_FILE + 1)
            return bytes(data)
        except Exception as error:  # every store raises its own types
            if is_missing(error):
                raise FileNotFoundError(f"no {path}") from error
            if attempt == ATTEMPTS - 1:
                raise
            # half a second, 2 and 8
            time.sleep(0.5 * 4**attempt)
    raise AssertionError("unreachable")


def read_remote_label(path: str) -> bytes:
    """Returns the content of a label file in a store. Raises MissingLabel if there is none, which
    only this view suffers from. Other errors are the store's and are raised as they are: they must
    not thin out the data.
    """
    try:
        data = read(path)
    except FileNotFoundError as error:
        raise MissingLabel(f"no {path}") from error
    return data


def write(path: str, data: bytes) -> None:
    """Writes a file so that readers see all of it or nothing."""
    if is_local(path):
        with atomic_file(path, "wb") as whole:
            whole.write(data)
        return
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    with FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        file.write(data)


def upload(local: str, path: str) -> None:
    """Moves a finished local file to its place: on this machine by a rename, to a store by a copy
    in pieces.
    """
    if is_local(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.replace(local, path)
        return
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    with (
        open(local, "rb") as source,
        FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as file,
    ):
        while piece := source.read(1 << 20):
            file.write(piece)
    os.remove(local)


def remove(path: str) -> None:
    """Removes a file or an object."""
    if is_local(path):
        os.remove(path)
        return
    from apache_beam.io.filesystems import FileSystems

    FileSystems.delete([path])
