"""Runs `python -m serving ask`: one question about a picture or its views, or about every picture
of a folder; figures go to disk, paths or JSON to stdout.

What can be refused without a server is refused before gRPC is imported.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

# for types alone: importing the client imports gRPC
if TYPE_CHECKING:
    from serving.client.client import Client
    from serving.client.folder import Outcome


@dataclass(frozen=True)
class Question:
    """The parsed command line. images: one picture, or the views of one question; folder: asked
    about instead, picture by picture. tasks: [] for all that the pictures allow.
    """

    server: str
    model: str
    images: list[Path]
    folder: Path | None
    tasks: list[str]
    out: Path
    deadline: float
    attempts: int
    batch: int
    as_json: bool
    authority: bytes | None = None
    identity: tuple[bytes, bytes] | None = None

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Question:
        """Returns the question of the options that serving/__main__.py parsed. Raises ValueError,
        OSError, KeyError for what no server could answer.
        """
        from models.tasks import task

        # an empty part ("a,,b", "") names no task, and one that comes twice is asked once
        parts = [name.strip() for name in options.task.split(",")]
        names = list(dict.fromkeys(name for name in parts if name))
        for name in names:
            task(name)
        for path in options.image or []:
            if not path.is_file():
                raise FileNotFoundError(f"{path}: no such file")
        if options.folder and not options.folder.is_dir():
            raise NotADirectoryError(f"{options.folder}: no such folder")
        check_out(options.out, options.folder)
        # argparse gives both or none
        key, certificate = options.identity or (None, None)
        identity = (key.read_bytes(), certificate.read_bytes()) if key and certificate else None
        return cls(
            server=options.server,
            model=options.model_name,
            images=options.image or [],
            folder=options.folder,
            tasks=names,
            out=options.out,
            deadline=options.deadline,
            attempts=options.attempts,
            batch=options.batch,
            as_json=options.json,
            authority=options.authority.read_bytes() if options.authority else None,
            identity=identity,
        )


def check_out(out: Path, folder: Path | None) -> None:
    """Raises OSError for a place where no answers can be written, before any is asked for;
    ValueError for the folder that is asked about.
    """
    # the nearest that is there: what is missing below it is made with the first answer
    there = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not there.is_dir():
        raise NotADirectoryError(f"--out {out}: expected a folder for answers, {there} is a file")
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(f"--out {out}: no right to write into {there}")
    if folder and out.resolve() == folder.resolve():
        raise ValueError(
            f"--out {out} is --folder itself: its answers would be asked about the next time; name "
            "another folder, below it or elsewhere"
        )


def ask(options: argparse.Namespace) -> int:
    """Asks, writes the answers, and returns exit code 0 if every picture was answered."""
    question = Question.from_options(options)
    from PIL import Image

    # pictures between Pillow's two limits are scaled down, and a note says so
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    return ask_folder(question) if question.folder else ask_once(question)


def connect(question: Question) -> Client:
    from serving.client.client import Client

    return Client(
        question.server,
        question.model,
        question.deadline,
        question.attempts,
        authority=question.authority,
        identity=question.identity,
    )


def ask_once(question: Question) -> int:
    from serving.client.pictures import read_picture

    # all pictures before the first is sent: a broken one costs no request
    pictures = [read_picture(path) for path in question.images]
    images = [picture.data for picture in pictures]
    for path, picture in zip(question.images, pictures):
        say_note(path, picture.note)
    with connect(question) as client:
        answers = client.ask(images, question.tasks)
    # now: drawing needs cv2, and a refused question never gets here
    from serving.client.answers import save_answers, words

    doubts = [doubt_of(image) for image in images]
    for path, doubt in zip(question.images, doubts):
        say_note(path, doubt)
    saved = save_answers(answers, question.out, images[0])
    if not question.as_json:
        print(*saved, sep="\n")
        return 0
    notes = [words for words in (*(picture.note for picture in pictures), *doubts) if words]
    line = {
        "images": [str(path) for path in question.images],
        "answers": words(answers),
        "files": [str(path) for path in saved],
        **({"notes": notes} if notes else {}),
    }
    print(json.dumps(line))
    return 0


def ask_folder(question: Question) -> int:
    from serving.client.folder import (
        ask_files,
        grouped,
        pictures_below,
        places,
        skipped_words,
    )

    assert question.folder is not None
    listing = pictures_below(question.folder, question.out)
    place = places(listing.pictures, question.folder)
    failed: list[tuple[Path, str]] = []
    noted: list[tuple[Path, str]] = []
    with connect(question) as client:
        # outcomes come as batches do: figures of the first are on disk while others are asked
        outcomes = ask_files(client, listing.pictures, question.tasks, batch=question.batch)
        for outcome in outcomes:
            notes = show_outcome(question, outcome, question.out / place(outcome.path))
            if outcome.error:
                failed.append((outcome.path, outcome.error))
            noted += [(outcome.path, note) for note in notes]
    # after the progress bar, which lines in between would tear
    for words in grouped(noted):
        print(f"note: {words}", file=sys.stderr)
    for words in grouped(failed):
        print(f"not answered: {words}", file=sys.stderr)
    if listing.skipped:
        names = skipped_words([path.relative_to(question.folder) for path in listing.skipped])
        print(f"skipped, no pictures: {len(listing.skipped)} files: {names}", file=sys.stderr)
    if not question.as_json:
        total = len(listing.pictures)
        print(f"{total - len(failed)} of {total} pictures answered in {question.out}")
    # a folder is not done if one picture of it has no answer
    return 1 if failed else 0


def show_outcome(question: Question, outcome: Outcome, folder: Path) -> list[str]:
    """Saves the figures of an answered picture, prints its line of JSON where that is wanted, and
    returns what is to be noted of it.
    """
    from serving.client.answers import save_answers, words

    line: dict[str, object] = {"images": [str(outcome.path)]}
    notes: list[str] = []
    if outcome.error:
        line["error"] = outcome.error
    else:
        saved = save_answers(outcome.answers, folder, outcome.image)
        line["answers"] = words(outcome.answers)
        line["files"] = [str(path) for path in saved]
        notes = [words for words in (outcome.note, doubt_of(outcome.image)) if words]
    if notes:
        line["notes"] = notes
    if question.as_json:
        # line by line: whoever reads the pipe need not wait for the folder
        print(json.dumps(line), flush=True)
    return notes


def doubt_of(image: bytes) -> str:
    """Returns words of doubt about an encoded picture that shows nothing; "" for any other."""
    from serving.client.figures import glimpse_of
    from serving.client.readings import one_colour_words

    return one_colour_words(glimpse_of(image))


def say_note(path: Path, note: str) -> None:
    if note:
        print(f"note: {path}: {note}", file=sys.stderr)
