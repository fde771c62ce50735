"""Where files lie: this machine (a path or file://) or an object store that Beam's FileSystems know
(gs://, s3://, hdfs://...).

Local files go through the operating system alone: Beam's own local file system costs as much a file
as decoding a small picture.
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
    """an error of the system that begins with a number, raised as one of words alone. Beam adds to
    an error's first word in which step it came up; of one with a number it makes a RuntimeError,
    which is no fault of the user's and ends in a traceback.
    """
    try:
        yield
    except OSError as error:
        raise OSError(str(error)) from error


def plain(path: str) -> str:
    """the path without file://; anything else as it is."""
    return os.fspath(path).removeprefix("file://")


def is_local(path: str) -> bool:
    """does the path name a file of this machine?"""
    return "://" not in plain(path)


def join(*parts: str) -> str:
    """a path of parts, here or in a store: both are written with slashes."""
    return "/".join([parts[0].rstrip("/"), *parts[1:]])


def folders(path: str) -> list[str]:
    """names of the folders directly below `path`, sorted, hidden ones left out; [] if there is no
    such folder.
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
    """names of the files directly below `path`, hidden ones (a writer's unfinished files) left out;
    [] if there is no such folder.
    """
    if is_local(path):
        try:
            with os.scandir(path) as entries:
                # links, whole or not, and pipes are listed: their reader says what they lack
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
    """full names of all objects below a remote `path`, one at a time: `match` would hold a list of
    millions.
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
    """does a store's error say that there is no such object?"""
    text = str(error).lower()
    return isinstance(error, FileNotFoundError) or any(
        word in text for word in ("not found", "no such", "does not exist", "404")
    )


def exists(path: str) -> bool:
    if is_local(path):
        return os.path.exists(path)
    from apache_beam.io.filesystems import FileSystems

    return FileSystems.exists(path)


def read(path: str) -> bytes:
    """a small file. A store's error is tried again with growing pauses, then raised; a missing
    object raises FileNotFoundError at once.
    """
    if is_local(path):
        with open(path, "rb") as file:
            return file.read()
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    for attempt in range(ATTEMPTS):
        try:
            # Beam would unpack a file by the ending of its name
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
    """as `read`, a missing file being the view's own fault. Other errors are the store's, and
    raise: they must not thin out the data.
    """
    try:
        data = read(path)
    except FileNotFoundError as error:
        raise MissingLabel(f"no {path}") from error
    return data


def write(path: str, data: bytes) -> None:
    """the whole file or nothing of it is seen."""
    if is_local(path):
        with atomic_file(path, "wb") as whole:
            whole.write(data)
        return
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    with FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        file.write(data)


def upload(local: str, path: str) -> None:
    """a finished local file to its place; on this machine a rename, to a store a copy in pieces."""
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
    if is_local(path):
        os.remove(path)
        return
    from apache_beam.io.filesystems import FileSystems

    FileSystems.delete([path])
