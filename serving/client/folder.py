"""A folder of pictures asked about in batches, with progress; a file that cannot be answered is
noted and the rest goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np

from serving.client.pictures import PictureError, read_picture

ENDINGS = {".png", ".jpg", ".jpeg"}
IN_FLIGHT = 2  # batches on the way at once: one is drawn and read while another is answered


@dataclass(frozen=True)
class Outcome:
    """What became of one file. Either `answers` (task -> array; `image` are the bytes asked about)
    or `error` in words.
    """

    path: Path
    image: bytes = b""
    answers: dict[str, np.ndarray] | None = None
    error: str = ""


def pictures_below(folder: str | Path) -> list[Path]:
    """all PNG and JPEG files below `folder`, sorted; hidden ones are left alone. Raises ValueError
    if there are none.
    """
    found = sorted(
        path
        for path in Path(folder).rglob("*")
        if path.suffix.lower() in ENDINGS and path.is_file() and not path.name.startswith(".")
    )
    if not found:
        raise ValueError(f"no PNG or JPEG file below {folder}")
    return found


def ask_files(
    client, paths: Sequence[Path], names: Sequence[str] = (), *, batch: int = 8, out=sys.stderr
) -> Iterator[Outcome]:
    """an Outcome for every path, in order, as batches come back. client:
    `serving.client.client.Client`. out: where the progress bar goes; None: no bar.

    A batch that the server refuses for its content is asked again picture by picture, so that one
    bad file costs no other its answer. Errors of the whole service (deadline, absent server,
    unknown task) are noted for every file of the batch they hit.
    """
    from tqdm import tqdm

    if batch < 1:
        raise ValueError(f"batch is at least 1, got {batch}")
    names = client.chosen(names, 1)
    groups = [list(paths[i : i + batch]) for i in range(0, len(paths), batch)]
    failed = 0
    with (
        ThreadPoolExecutor(IN_FLIGHT) as pool,
        tqdm(
            total=len(paths),
            unit="picture",
            file=out or sys.stderr,
            disable=out is None,
            leave=True,
        ) as bar,
    ):
        waiting = [pool.submit(ask_group, client, group, names) for group in groups[:IN_FLIGHT]]
        for i in range(len(groups)):
            outcomes = waiting[i].result()
            waiting[i] = None
            if i + IN_FLIGHT < len(groups):
                waiting.append(pool.submit(ask_group, client, groups[i + IN_FLIGHT], names))
            failed += sum(1 for outcome in outcomes if outcome.error)
            bar.set_postfix_str(f"{failed} failed" if failed else "", refresh=False)
            bar.update(len(outcomes))
            yield from outcomes


def ask_group(client, paths: list[Path], names: list[str]) -> list[Outcome]:
    """the outcomes of one batch, in order."""
    outcomes: dict[Path, Outcome] = {}
    images = {}
    for path in paths:
        try:
            images[path] = read_picture(path)
        except PictureError as error:
            outcomes[path] = Outcome(path, error=str(error))
    if images:
        outcomes.update(answered(client, images, names))
    return [outcomes[path] for path in paths]


def answered(client, images: dict[Path, bytes], names: list[str]) -> dict[Path, Outcome]:
    try:
        found = client.ask_batch(list(images.values()), names)
        return {
            path: Outcome(path, image, answers)
            for (path, image), answers in zip(images.items(), found)
        }
    except grpc.RpcError as error:
        if error.code() == grpc.StatusCode.INVALID_ARGUMENT and len(images) > 1:
            made = {}
            for path, image in images.items():
                made.update(answered(client, {path: image}, names))
            return made
        return {
            path: Outcome(path, error=f"{error.code().name}: {error.details()}") for path in images
        }


def places(paths: Sequence[Path], root: Path) -> Callable[[Path], Path]:
    """path -> a folder name of its own, relative: its place below `root` without the ending, with
    it where two files differ in the ending only.
    """
    stems = [path.relative_to(root).with_suffix("") for path in paths]
    twice = (
        {stem for stem in stems if stems.count(stem) > 1} if len(set(stems)) < len(stems) else set()
    )
    return lambda path: (
        path.relative_to(root)
        if path.relative_to(root).with_suffix("") in twice
        else path.relative_to(root).with_suffix("")
    )
