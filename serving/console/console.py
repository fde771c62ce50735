"""What the page asks for: what is served, and answers about photos. Words for people, no codes."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import grpc

from models.tasks import TASKS
from models.tasks.arrays import Array
from serving.client.pictures import Picture, PictureError, fit_to_send
from serving.console.lineage import lineage_of
from serving.console.shown import shown_answers

# tasks of three views are the largest that there are
MOST_PHOTOS = 3
Shown = dict[str, Any]


class Asker(Protocol):
    """What is needed of `serving.client.client.Client`."""

    version: int | None

    def served_version(self) -> int: ...

    def tasks(self) -> dict[str, int]: ...

    def ask(self, images: list[bytes], names: list[str]) -> dict[str, Array]:
        """Returns the answers by task, [S, S, C] or [K]; images: the views of one question."""
        ...


class Refused(ValueError):
    """Raised for a question that is not answered. away: no server was there to answer it."""

    def __init__(self, words: str, away: bool = False) -> None:
        super().__init__(words)
        self.away = away


@dataclass(frozen=True)
class Console:
    """Answers the page's questions. connect: a client of the server, anew for every question, so
    that a pushed version is seen at once; server, model: what it asks, for words; base: the served
    folder, for lineage.
    """

    connect: Callable[[], Asker]
    server: str
    model: str
    base: Path | None = None

    def model_facts(self) -> Shown:
        """Returns what is served now, for the page. Raises Refused."""
        client = self.connect()
        version, offered = self.asked(lambda: (client.served_version(), client.tasks()))
        return {
            "model": self.model,
            "server": self.server,
            "version": version,
            "lineage": lineage_of(self.base, version).facts,
            "tasks": [
                {"name": name, "title": TASKS[name].title, "photos": offered[name]}
                for name in TASKS
                if name in offered
            ],
        }

    def answer(self, question: Shown) -> Shown:
        """Returns the answer to a question, as the page shows it. question: {"photos": [{"name",
        "content": base64}], "tasks": [names], [] for all that the photos allow}. Raises Refused.
        """
        since = time.monotonic()
        pictures = pictures_of(question)
        images = [picture.data for picture in pictures]
        names = names_of(question)
        client = self.connect()
        read_time = time.monotonic()

        def ask() -> tuple[int, dict[str, Array]]:
            client.version = client.served_version()  # answers come from the version that is named
            return client.version, client.ask(images, names)

        version, answers = self.asked(ask)
        answered = time.monotonic()
        facts = shown_answers(answers, images[0], lineage_of(self.base, version))
        seconds = {
            "reading the photos": read_time - since,
            "asking the server": answered - read_time,
            "drawing": time.monotonic() - answered,
        }
        return {
            **facts,
            "version": version,
            "notes": [picture.note for picture in pictures if picture.note],
            "seconds": {name: round(each, 3) for name, each in seconds.items()},
        }

    def asked(self, question: Callable[[], Any]) -> Any:
        """Returns the question's answer; errors are raised as Refused, in words."""
        try:
            return question()
        except grpc.RpcError as error:
            raise self.refused(error) from error
        # the client's words stand in the KeyError's argument; str() of it would quote them
        except KeyError as error:
            raise Refused(str(error.args[0])) from error
        except ValueError as error:
            raise Refused(str(error)) from error

    def refused(self, error: Any) -> Refused:
        if error.code() == grpc.StatusCode.UNAVAILABLE:
            return Refused(
                f"No model server answers at {self.server}. Start one with: python -m serving "
                "serve --model_base_path FOLDER (a run's serving/taxonomy), then ask again.",
                away=True,
            )
        if error.code() == grpc.StatusCode.NOT_FOUND:
            return Refused(
                f"The server at {self.server} has no model {self.model}. Start this page with "
                f"--model-name NAME. It said: {error.details()}"
            )
        return Refused(f"The server refused: {error.details()} ({error.code().name})")


def pictures_of(question: Shown) -> list[Picture]:
    """Returns one to three photos, fit to send. Raises Refused with the name of the file."""
    photos = question.get("photos")
    if not isinstance(photos, list) or not 1 <= len(photos) <= MOST_PHOTOS:
        raise Refused(f"Choose one to {MOST_PHOTOS} photos of one place.")
    return [picture_of(photo) for photo in photos]


def picture_of(photo: Any) -> Picture:
    if not isinstance(photo, dict) or not isinstance(photo.get("content"), str):
        raise Refused("A photo has a name and a content.")
    # a name is the browser's own: cut, since it comes back in an answer
    name = str(photo.get("name") or "the photo")[:200]
    try:
        # `validate`: what is no base64 would be left out without a word otherwise
        return fit_to_send(base64.b64decode(photo["content"], validate=True))
    except PictureError as error:
        raise Refused(f"{name}: {error}") from error
    except binascii.Error as error:
        raise Refused(f"{name}: cut on the way ({error}); send it again") from error


def names_of(question: Shown) -> list[str]:
    names = question.get("tasks") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Refused(f"Tasks are a list of names, got {names!r}")
    return names
