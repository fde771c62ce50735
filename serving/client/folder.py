"""Asks about a folder of pictures in batches, with progress; a file that cannot be answered is
noted and the rest goes on.
"""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TextIO

import grpc
from PIL import Image

from models.tasks.arrays import Array
from serving.client.pictures import (
    Picture,
    PictureError,
    read_picture,
    taken_endings,
    taken_formats,
)

IN_FLIGHT = 2  # batches on the way at once: one is drawn and read while another is answered
MOST_ABSENT = 3  # batches in a row that find no server; those after them are not sent
NOT_ASKED = (
    f"not asked, since {MOST_ABSENT} batches in a row found no server; give the same command again "
    "once it is there"
)
LARGEST_REQUEST = 128 << 20  # bytes of pictures in one request; the server takes 256 MiB
# In a log, where a bar cannot be drawn over: a line every half minute.
LOGGED = {
    "mininterval": 30.0,
    "maxinterval": 30.0,
    "bar_format": "{n_fmt}/{total_fmt}, {rate_fmt}, {remaining} left{postfix}\n",
}


class Asker(Protocol):
    """What is needed of `serving.client.client.Client`."""

    def chosen(self, names: Sequence[str], images: int) -> list[str]: ...

    def ask_batch(
        self, images: Sequence[bytes], names: Sequence[str] = ()
    ) -> list[dict[str, Array]]:
        """Returns each picture's answers by task, [S, S, C] or [K]. names: of tasks; none: all."""
        ...


@dataclass(frozen=True)
class Outcome:
    """What became of one file: `answers` (task -> array) to the bytes `image`, or `error` in words.
    note: what was changed in the picture before it was asked about. is_absent: no server was there.
    """

    path: Path
    image: bytes = b""
    answers: dict[str, Array] = field(default_factory=dict)
    error: str = ""
    note: str = ""
    is_absent: bool = False


@dataclass(frozen=True)
class Listing:
    """What lies below a folder, sorted. skipped: files that are no pictures, and hidden ones."""

    pictures: list[Path]
    skipped: list[Path]


def pictures_below(folder: str | Path, out: str | Path | None = None) -> Listing:
    """Returns every file below `folder` that a single question would take, by its ending or its
    content, and the other files. What lies below `out`, where answers go, is not looked at: they
    are pictures, too. Raises ValueError if there is no picture.
    """
    endings = taken_endings()
    answers = place_below(Path(folder), out)
    files = sorted(
        path
        for path in Path(folder).rglob("*")
        if path.is_file() and (answers is None or not path.is_relative_to(answers))
    )
    pictures = [path for path in files if is_picture(path, endings)]
    if not pictures:
        relative = [path.relative_to(folder) for path in files]
        others = f"only {skipped_words(relative)}" if files else "no file at all"
        raise ValueError(f"expected pictures below {folder}, found {others}")
    picture_set = set(pictures)
    return Listing(pictures, [path for path in files if path not in picture_set])


def place_below(folder: Path, out: str | Path | None) -> Path | None:
    """Returns `out` as it is found below `folder`; None where it is not below it."""
    if out is None:
        return None
    # resolved: the two may be spelled in different ways
    root, place = folder.resolve(), Path(out).resolve()
    is_below = place != root and place.is_relative_to(root)
    return folder / place.relative_to(root) if is_below else None


def is_picture(path: Path, endings: set[str]) -> bool:
    """Returns whether a file counts as a picture. Hidden files do not; a file with a picture's
    ending does, whatever is in it; any other does if Pillow knows its header.
    """
    if path.name.startswith("."):
        return False
    if path.suffix.lower() in endings:
        return True
    try:
        # opened, not read: the header alone says what it is
        with Image.open(path, formats=taken_formats()):
            return True
    except Exception:  # Pillow raises many types for what is none
        return False


def ask_files(
    client: Asker,
    paths: Sequence[Path],
    names: Sequence[str] = (),
    *,
    batch: int = 8,
    out: TextIO | None = sys.stderr,
) -> Iterator[Outcome]:
    """Yields an Outcome for every path, in order, as batches come back. out: where the progress bar
    goes; None: no bar.

    A batch that the server refuses for its content is asked again picture by picture, so that one
    bad file costs no other its answer. Errors of the whole service (deadline, absent server,
    unknown task) are noted for every file of the batch they hit; after MOST_ABSENT batches in a row
    without a server the rest is not sent.
    """
    from tqdm import tqdm

    if batch < 1:
        raise ValueError(f"batch is at least 1, got {batch}")
    # once for the folder: an unknown task ends it before a picture is read
    tasks = client.chosen(names, 1)
    groups = [list(paths[i : i + batch]) for i in range(0, len(paths), batch)]
    failures = 0
    absent = 0  # batches in a row
    goal = out or sys.stderr
    style: dict[str, Any] = {} if goal.isatty() else LOGGED
    bar = tqdm(total=len(paths), unit="picture", file=goal, disable=out is None, **style)
    # threads: nearly all of the time is the server's, or in C
    with ThreadPoolExecutor(IN_FLIGHT) as pool, bar:
        waiting: deque[Future[list[Outcome]]] = deque()
        # batches are begun IN_FLIGHT ahead of what is taken: memory holds two, not the folder
        for ahead in range(len(groups) + IN_FLIGHT):
            if ahead < len(groups):
                # each would wait for its own retries, a deadline long
                is_hopeless = absent >= MOST_ABSENT
                ask = not_asked if is_hopeless else partial(ask_group, client, names=tasks)
                waiting.append(pool.submit(ask, groups[ahead]))
            if ahead < IN_FLIGHT - 1 or not waiting:
                continue  # let the first ones get on their way
            outcomes = waiting.popleft().result()
            absent = absent + 1 if any(outcome.is_absent for outcome in outcomes) else 0
            failures += sum(1 for outcome in outcomes if outcome.error)
            bar.set_postfix_str(f"{failures} failed" if failures else "", refresh=False)
            bar.update(len(outcomes))
            yield from outcomes


def not_asked(paths: list[Path]) -> list[Outcome]:
    return [Outcome(path, error=NOT_ASKED, is_absent=True) for path in paths]


def ask_group(client: Asker, paths: list[Path], names: list[str]) -> list[Outcome]:
    """Returns the outcomes of one batch, in order."""
    outcomes: dict[Path, Outcome] = {}
    pictures: dict[Path, Picture] = {}
    for path in paths:
        try:
            pictures[path] = read_picture(path)
        except PictureError as error:
            # the outcome has the path already
            outcomes[path] = Outcome(path, error=str(error).removeprefix(f"{path}: "))
    for request in requests_of(pictures):
        outcomes.update(ask_request(client, request, names))
    return [outcomes[path] for path in paths]


# by weight, too: eight pictures of 32 megapixels may be more than a message takes
def requests_of(pictures: dict[Path, Picture]) -> Iterator[dict[Path, Picture]]:
    """Yields the pictures in order, divided where a request would weigh more than
    LARGEST_REQUEST.
    """
    request: dict[Path, Picture] = {}
    weight = 0
    for path, picture in pictures.items():
        # at least one picture a request, however heavy
        if request and weight + len(picture.data) > LARGEST_REQUEST:
            yield request
            request = {}
            weight = 0
        request[path] = picture
        weight += len(picture.data)
    if request:
        yield request


def ask_request(
    client: Asker, pictures: dict[Path, Picture], names: list[str]
) -> dict[Path, Outcome]:
    try:
        answers = client.ask_batch([picture.data for picture in pictures.values()], names)
    except grpc.RpcError as error:
        # the whole batch is refused for one bad picture; other errors are not about a picture
        refused_content = error.code() == grpc.StatusCode.INVALID_ARGUMENT
        if refused_content and len(pictures) > 1:
            outcomes = {}
            for path, picture in pictures.items():
                outcomes.update(ask_request(client, {path: picture}, names))
            return outcomes
        words = f"{error.code().name}: {error.details()}"
        is_absent = error.code() == grpc.StatusCode.UNAVAILABLE
        return {path: Outcome(path, error=words, is_absent=is_absent) for path in pictures}
    return {
        path: Outcome(path, picture.data, answer, note=picture.note)
        for (path, picture), answer in zip(pictures.items(), answers)
    }


def places(paths: Sequence[Path], root: Path) -> Callable[[Path], Path]:
    """Returns a function from a path to a folder name of its own, relative: its place below `root`
    without the ending, or with it where another file has the same place, or is called so with its
    ending.
    """
    wholes = {path.relative_to(root) for path in paths}
    # by stem: `a.jpg` and `a.png` would share a folder
    stems = Counter(whole.with_suffix("") for whole in wholes)

    def place(path: Path) -> Path:
        whole = path.relative_to(root)
        stem = whole.with_suffix("")
        # `a.jpg.png` beside an `a.jpg` that keeps its ending
        return whole if stems[stem] > 1 or stem in wholes else stem

    return place


def grouped(messages: Sequence[tuple[Path, str]]) -> list[str]:
    """Returns a line for all pictures with the same message: an absent server hits hundreds."""
    hit: dict[str, list[Path]] = {}
    for path, words in messages:
        hit.setdefault(words, []).append(path)
    return [
        f"{f'{len(paths)} pictures, ' if len(paths) > 1 else ''}{skipped_words(paths)}: {words}"
        for words, paths in hit.items()
    ]


def skipped_words(files: Sequence[Path], most: int = 10) -> str:
    """Returns the first `most` names, and how many more there are."""
    names = ", ".join(str(path) for path in files[:most])
    rest = len(files) - most
    return f"{names} and {rest} more" if rest > 0 else names
