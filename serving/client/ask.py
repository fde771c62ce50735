"""`python -m serving ask`: one question about a picture or its views, or a whole folder; figures to
disk, paths or JSON to stdout.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from serving.client.answers import save_answers, words
from serving.client.client import Client
from serving.client.folder import ask_files, pictures_below, places
from serving.client.pictures import read_picture


def ask(options) -> int:
    """options: parsed by serving/__main__.py. Exit code 0 if every picture was answered."""
    names = [name for name in options.task.split(",") if name]
    authority = options.authority.read_bytes() if options.authority else None
    identity = tuple(path.read_bytes() for path in options.identity) if options.identity else None
    with Client(
        options.server,
        options.model_name,
        options.deadline,
        options.attempts,
        authority=authority,
        identity=identity,
    ) as client:
        return (
            ask_folder(client, options, names)
            if options.folder
            else ask_once(client, options, names)
        )


def ask_once(client: Client, options, names: list[str]) -> int:
    images = [read_picture(path) for path in options.image]
    answers = client.ask(images, names)
    saved = save_answers(answers, options.out, images[0])
    if options.json:
        print(
            json.dumps(
                {
                    "images": [str(path) for path in options.image],
                    "answers": words(answers),
                    "files": [str(path) for path in saved],
                }
            )
        )
    else:
        print(*saved, sep="\n")
    return 0


def ask_folder(client: Client, options, names: list[str]) -> int:
    paths = pictures_below(options.folder)
    place, failed = places(paths, Path(options.folder)), []
    for outcome in ask_files(client, paths, names, batch=options.batch):
        saved = (
            []
            if outcome.error
            else save_answers(
                outcome.answers, Path(options.out) / place(outcome.path), outcome.image
            )
        )
        if outcome.error:
            failed.append(outcome)
        if options.json:
            said = (
                {"error": outcome.error}
                if outcome.error
                else {"answers": words(outcome.answers), "files": [str(path) for path in saved]}
            )
            print(json.dumps({"images": [str(outcome.path)], **said}), flush=True)
    for outcome in failed:
        print(
            f"not answered: {outcome.path}: {outcome.error.removeprefix(f'{outcome.path}: ')}",
            file=sys.stderr,
        )
    if not options.json:
        print(f"{len(paths) - len(failed)} of {len(paths)} pictures answered in {options.out}")
    return 1 if failed else 0
