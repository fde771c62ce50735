"""Versions of one model: found by polling a folder, loaded by policy, warmed up, swapped without a
failed request.

What the policy aspires to is loaded first, highest number first; only when an aspired version
serves are the others let go, lowest first, each after its last running request. A version that
fails to load shows as END with its error, leaves the old one serving, and is not tried again before
it has left the aspired set.
"""

from __future__ import annotations

import gc
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from serving.errors import ServingError, invalid, not_found
from serving.server.session import Version

START, LOADING, AVAILABLE, UNLOADING, END = 10, 20, 30, 40, 50
REMEMBERED = 8  # ended versions that status still names


@dataclass(frozen=True)
class Policy:
    """Which of the versions on disk are aspired: the newest `latest`, all, or `specific` numbers."""

    latest: int | None = 1
    specific: tuple[int, ...] = ()

    def aspired(self, numbers) -> list[int]:
        """highest first."""
        ordered = sorted(numbers, reverse=True)
        if self.specific:
            return [number for number in ordered if number in self.specific]
        return ordered if self.latest is None else ordered[: self.latest]


class Model:
    """The aspired versions of `base`, kept current by `poll`. states: version -> (state, error
    text); labels: label -> version.

    retries: how often a load that fails is tried again, retry_seconds apart; load: makes a
    `Version` of (folder, number, **options).
    """

    def __init__(
        self,
        name: str,
        base: Path,
        policy: Policy = Policy(),
        labels=None,
        *,
        retries: int = 0,
        retry_seconds: float = 0.0,
        **options,
    ) -> None:  # noqa: B008  frozen
        self.name, self.base, self.policy, self.labels = (
            name,
            Path(base),
            policy,
            dict(labels or {}),
        )
        self.retries, self.retry_seconds, self.options = retries, retry_seconds, options
        self.versions: dict[int, Version] = {}
        self.states: dict[int, tuple[int, str]] = {}
        self.lock, self.turn = threading.Lock(), threading.Lock()

    @property
    def current(self) -> Version | None:
        """the highest version that serves."""
        versions = self.versions
        return versions[max(versions)] if versions else None

    def folders(self) -> dict[int, Path] | None:
        """number -> folder of every integer-named folder that holds a model; None if the base path
        is not there.

        A folder without `saved_model.pb` is still being written: it is not aspired (the real server
        would try it and fail).
        """
        try:
            paths = sorted(self.base.iterdir())
        except OSError:
            return None
        numbered = [
            path
            for path in paths
            if path.name.isascii() and path.name.isdigit() and int(path.name) < 2**63
        ]
        return {
            int(path.name): path
            for path in numbered
            if (path / "saved_model.pb").exists() or (path / "saved_model.pbtxt").exists()
        }

    def newest(self) -> int | None:
        return max(self.folders() or {}, default=None)

    def poll(self) -> None:
        """load what is aspired and not yet tried, then let go what is no longer aspired."""
        with self.turn:
            folders = self.folders()
            if folders is None:
                return
            aspired = self.policy.aspired(folders)
            for number in [
                number
                for number, (state, error) in self.states.items()
                if state == END and error and number not in aspired
            ]:
                del self.states[number]  # it may come back and be tried again
            for number in aspired:
                if number not in self.versions and not (
                    number in self.states and self.states[number][1]
                ):
                    self.load(number, folders[number])
            if not aspired or any(number in self.versions for number in aspired):
                for number in sorted(set(self.versions) - set(aspired)):
                    self.unload(number)
            self.forget()

    def load(self, number: int, folder: Path) -> None:
        self.states[number] = (LOADING, "")
        settle()
        for left in range(self.retries, -1, -1):
            try:
                loaded = Version(folder, number, **self.options)
                break
            except Exception as error:  # whatever a broken model raises, the old one keeps serving
                if not left:
                    self.states[number] = (
                        END,
                        (str(error).splitlines() or [type(error).__name__])[0]
                        or type(error).__name__,
                    )
                    return
                time.sleep(max(self.retry_seconds, 0))
        with self.lock:
            self.versions = {**self.versions, number: loaded}
        self.states[number] = (AVAILABLE, "")

    def unload(self, number: int) -> None:
        """no request finds it any more; its session ends after the last one that holds it."""
        with self.lock:
            gone = self.versions[number]
            self.versions = {key: value for key, value in self.versions.items() if key != number}
        self.states[number] = (UNLOADING, "")

        def end() -> None:
            nonlocal gone
            gone.close()
            gone = None
            if number not in self.versions:
                self.states[number] = (END, "")
            gc.collect()  # a graph is full of cycles; memory should not wait for chance

        threading.Thread(target=end, daemon=True).start()

    def forget(self) -> None:
        """of ended versions only the newest few stay in the status."""
        ended = sorted(
            number for number, (state, error) in self.states.items() if state == END and not error
        )
        for number in ended[:-REMEMBERED]:
            self.states.pop(number, None)

    def unload_all(self) -> None:
        with self.turn:
            for number in sorted(self.versions):
                self.unload(number)

    def failure(self) -> tuple[int, str] | None:
        """(version, error) of the newest version that could not be loaded."""
        return max(
            (
                (number, error)
                for number, (state, error) in list(self.states.items())
                if state == END and error
            ),
            default=None,
        )

    @contextmanager
    def held(self, number: int | None = None, label: str | None = None):
        """the highest version, or the one of `number` or `label`, kept open while held: counted
        under the lock that a swap takes, so that no request finds its session closed. Raises
        NOT_FOUND, INVALID_ARGUMENT for an unknown label.
        """
        if label is not None:
            if label not in self.labels:
                raise invalid(f"Unrecognized servable version label: {label}")
            number = self.labels[label]
        with self.lock:
            version = self.current if number is None else self.versions.get(number)
            if version is None:
                raise not_found(
                    "Servable not found for request: "
                    f"{f'Latest({self.name})' if number is None else f'Specific({self.name}, {number})'}"
                )
            version.running += 1
        try:
            yield version
        finally:
            with self.lock:
                version.running -= 1


def settle() -> None:
    """once, before a process's first version: a full collection would walk all of TensorFlow's
    objects in the middle of a request. Not the versions' own: what is frozen is never freed if it
    holds cycles, as every graph does, and each swap would leave one behind.
    """
    import tensorflow  # noqa: F401  its objects are what is to be frozen

    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()


def keep_polling(model, seconds: float, stop: threading.Event) -> threading.Thread:
    """a thread that polls (anything with `poll`) until `stop`."""

    def loop() -> None:
        while not stop.wait(seconds):
            model.poll()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread


__all__ = ["Model", "Policy", "ServingError", "Version", "keep_polling"]
