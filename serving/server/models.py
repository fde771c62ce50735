"""Keeps the versions of one model: found by polling a folder, loaded by policy, warmed up, swapped
without a failed request.

What the policy aspires to is loaded first, highest number first; only when an aspired version
serves are the others let go, lowest first, each after its last running request. A version that
fails to load leaves the old one serving. It is tried again, while it is aspired, as often as
`Loading` says, at the looks after its time: nothing waits for it. Then it shows as END with its
error, and is not tried again before it has left the aspired set.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import grpc

from serving.errors import ServingError, from_tensorflow, invalid, not_found
from serving.server.loading import Loading, load
from serving.server.polling import say
from serving.server.session import Version
from serving.wire.model_spec import ModelSpec

# ModelVersionStatus.State
START = 10
LOADING = 20
AVAILABLE = 30
UNLOADING = 40
END = 50
# the status of a server that swaps for months must not grow
REMEMBERED = 8  # ended versions that status still names
LARGEST_NUMBER = 2**63 - 1  # that a version may have


class State(NamedTuple):
    """State of a version. phase: ModelVersionStatus.State; error, code: why it ended, if by an
    error.
    """

    phase: int
    error: str = ""
    code: grpc.StatusCode = grpc.StatusCode.OK


@dataclass(frozen=True)
class Retry:
    """What is left to try of a load that failed. left: further tries; due: of time.monotonic(),
    when the next may be made; ended: the version's state once there is none.
    """

    left: int
    due: float
    ended: State


@dataclass(frozen=True)
class Policy:
    """Which versions on disk are aspired: the newest `latest`, all, or `specific` numbers."""

    latest: int | None = 1
    specific: tuple[int, ...] = ()

    def aspired(self, numbers: Iterable[int]) -> list[int]:
        """Returns the versions that the policy wants served, highest first."""
        ordered = sorted(numbers, reverse=True)
        if self.specific:
            return [number for number in ordered if number in self.specific]
        return ordered if self.latest is None else ordered[: self.latest]


NEWEST = Policy()
AS_IT_IS = Loading()


class Model:
    """The aspired versions of `base`, kept current by `poll`. labels: label -> version."""

    def __init__(
        self,
        name: str,
        base: Path,
        policy: Policy = NEWEST,
        labels: Mapping[str, int] | None = None,
        loading: Loading = AS_IT_IS,
    ) -> None:
        self.name = name
        self.base = Path(base)
        self.policy = policy
        self.labels = dict(labels or {})
        self.loading = loading
        self.versions: dict[int, Version] = {}
        self.states: dict[int, State] = {}
        self.aspired: dict[int, Path] = {}  # number -> folder, of the last look, highest first
        self.retries: dict[int, Retry] = {}  # aspired versions that are to be tried again
        # aspired versions that could not be loaded: not tried again before they have left
        self.failed: set[int] = set()
        self.unread: dict[int, str] = {}  # why a folder could not be looked into
        self.lock = threading.Lock()  # guards `versions` and what holds them
        self.turn = threading.Lock()  # one poll at a time
        self.is_removed = False  # for good: nobody would unload what a late poll loads

    # read without the lock: the dictionary is replaced as a whole, never changed
    @property
    def current(self) -> Version | None:
        """The highest version that serves; None where none does."""
        # once: another thread may replace it between two looks
        versions = self.versions
        return versions[max(versions)] if versions else None

    def folders(self) -> dict[int, Path] | None:
        """Returns number -> folder of every integer-named folder that holds a model; None if the
        base path is not there.

        A folder without `saved_model.pb` is still being written: it is not aspired (the real server
        would try it and fail), unless it serves, which needs the file no more.
        """
        try:
            paths = sorted(self.base.iterdir())
        # a folder that is gone for a moment (a mount) must not unload anything
        except OSError:
            return None
        # digits of other scripts are digits to Python, too
        numbered = [path for path in paths if path.name.isascii() and path.name.isdigit()]
        return {
            int(path.name): path
            for path in numbered
            # beyond 64 bits a number has no place in an answer
            if int(path.name) <= LARGEST_NUMBER and self._holds_a_model(path)
        }

    def _holds_a_model(self, folder: Path) -> bool:
        number = int(folder.name)
        try:
            # the session of what serves is in memory; to unload it is to remove its folder
            present = _graph_in(folder) or number in self.versions
            self.unread.pop(number, None)
        # no right to search it, say: no other version may suffer, nor this one where it serves
        except OSError as error:
            present = number in self.versions
            # once, not at every look
            if self.unread.get(number) != str(error):
                self.unread[number] = str(error)
                say(f"version {number} of {self.name} cannot be read, and is tried again: {error}")
        return present

    def newest(self) -> int | None:
        return max(self.folders() or {}, default=None)

    def poll(self) -> None:
        """Loads what is aspired and not yet tried, or due to be tried again, then lets go what is
        no longer aspired. Does nothing once the model was removed: a look that began before may
        come to it late.
        """
        with self.turn:
            folders = None if self.is_removed else self.folders()
            if folders is None:
                return
            self.aspired = {number: folders[number] for number in self.policy.aspired(folders)}
            # before loading: a failed version that left and came back is tried again
            self.failed &= set(self.aspired)
            for number in set(self.retries) - set(self.aspired):
                self.states[number] = self.retries.pop(number).ended
            self._fulfil()

    def retry(self) -> None:
        """Loads what is due to be tried again, without a look at the folder."""
        # before the lock, which a long load may hold: nearly always nothing is due
        if self.retries:
            with self.turn:
                self._fulfil(list(self.retries))

    def _fulfil(self, numbers: Iterable[int] | None = None) -> None:
        """Loads those of the aspired versions (all, or `numbers`) that are due, then lets go what
        they replace.
        """
        for number in self.aspired if numbers is None else numbers:
            # no pause between two tries is as many tries as there are
            while self._is_due(number):
                self.load(number, self.aspired[number])
        # nothing is let go before what is to replace it serves; a base path without versions
        # unloads all
        if not self.aspired or any(number in self.versions for number in self.aspired):
            # the lowest first, as the original
            for number in sorted(set(self.versions) - set(self.aspired)):
                self.unload(number)
        self.forget()

    def _is_due(self, number: int) -> bool:
        # a version that failed is not tried at every look
        if number in self.versions or number in self.failed:
            return False
        retry = self.retries.get(number)
        return retry is None or retry.due <= time.monotonic()

    def load(self, number: int, folder: Path) -> None:
        """Loads a version and serves it. Where it cannot be loaded, it is to be tried again or its
        state says why.
        """
        self.states[number] = State(LOADING)
        # before the first graph is made: it must not be frozen with the rest
        settle()
        try:
            version = load(folder, number, self.loading)
        except Exception as error:  # whatever a broken model raises, the old one keeps serving
            self._note_failure(number, error)
            return
        self.retries.pop(number, None)
        with self.lock:
            # a new dictionary: whoever looks meanwhile has the old one
            self.versions = {**self.versions, number: version}
        self.states[number] = State(AVAILABLE)
        say(f"version {number} of {self.name} serves")

    def _note_failure(self, number: int, error: Exception) -> None:
        kind = type(error).__name__
        # the first line: TensorFlow's errors are pages
        first_line = (str(error).splitlines() or [kind])[0] or kind
        ended = State(END, first_line, from_tensorflow(error).code)
        earlier = self.retries.pop(number, None)
        retries_left = earlier.left if earlier else self.loading.retries
        serving = ", ".join(map(str, sorted(self.versions))) or "none"
        say(
            f"version {number} of {self.name} could not be loaded ({retries_left} more tries; "
            f"serving: {serving}): {first_line}"
        )
        if retries_left:
            # a state and not a pause: the other models are looked after meanwhile
            due = time.monotonic() + max(self.loading.retry_seconds, 0)
            self.retries[number] = Retry(retries_left - 1, due, ended)
        else:
            self.states[number] = ended
            self.failed.add(number)

    def unload(self, number: int) -> None:
        """Takes a version out of service: no request finds it any more, and its session ends after
        the last one that holds it.
        """
        with self.lock:
            versions = dict(self.versions)
            # in a list that the thread empties: an argument would keep the version alive as long as
            # the thread
            leaving = [versions.pop(number)]
            self.versions = versions
        self.states[number] = State(UNLOADING)
        # a thread: closing waits for the last request, and a poll must not
        threading.Thread(target=self._end, args=(number, leaving), daemon=True).start()

    def _end(self, number: int, leaving: list[Version]) -> None:
        """Closes the one version of the list, which is emptied: this thread must not keep it."""
        leaving.pop().close()
        say(f"version {number} of {self.name} is unloaded")
        # it may have been loaded again meanwhile
        if number not in self.versions:
            self.states[number] = State(END)
        gc.collect()  # a graph is full of cycles; memory should not wait for chance

    def forget(self) -> None:
        """Forgets all but the newest few of the ended versions, which stay in the status."""
        ended = sorted(
            number
            for number, state in self.states.items()
            # those that failed and are still aspired stay, with their words
            if state.phase == END and number not in self.failed
        )
        for number in ended[:-REMEMBERED]:
            self.states.pop(number, None)

    def remove(self) -> None:
        """Unloads the model for good."""
        with self.turn:
            self.is_removed = True
            self.retries.clear()
            for number in sorted(self.versions):
                self.unload(number)

    @property
    def is_hopeful(self) -> bool:
        """Whether the model serves nothing yet and is to be tried again."""
        return self.current is None and bool(self.retries)

    def failure(self) -> tuple[int, str] | None:
        """Returns (version, error) of the newest version that could not be loaded; None if there is
        none.
        """
        # a copy: a poll may change it meanwhile
        failed = [(number, self.states[number].error) for number in list(self.failed)]
        return max(failed, default=None)

    @contextmanager
    def acquire(self, spec: ModelSpec) -> Iterator[Version]:
        """As a context, yields the highest version, or the one that `spec` numbers or labels, kept
        open while held: it is counted under the lock that a swap takes, so that no request finds
        its session closed. Raises NOT_FOUND, INVALID_ARGUMENT for an unknown label.
        """
        number = spec.version
        # a label is looked up before the lock is taken: it names a number, whatever serves
        if spec.label is not None:
            if spec.label not in self.labels:
                raise unrecognized(spec.label)
            number = self.labels[spec.label]
        with self.lock:
            version = self.current if number is None else self.versions.get(number)
            if version is None:
                missing = ModelSpec(self.name, number)
                raise not_found(f"Servable not found for request: {missing.servable}")
            # under the lock: between finding a version and counting it a swap could close it
            version.running += 1
        try:
            yield version
        finally:
            with self.lock:
                version.running -= 1


def unrecognized(label: str) -> ServingError:
    """Returns the error of a request for a label that its model, if there is one, does not have."""
    return invalid(f"Unrecognized servable version label: {label}")


def _graph_in(folder: Path) -> bool:
    """Returns whether a folder holds a SavedModel. Raises OSError for a folder that may not be
    read.
    """
    for name in ("saved_model.pb", "saved_model.pbtxt"):
        # not `exists`: whether that raises without rights depends on Python's version
        with suppress(FileNotFoundError, NotADirectoryError):
            (folder / name).stat()
            return True
    return False


def settle() -> None:
    """Freezes what the garbage collector knows, once, before a process's first version: a full
    collection would walk all of TensorFlow's objects in the middle of a request. Not the versions'
    own: what is frozen is never freed if it holds cycles, as every graph does, and each swap would
    leave one behind.
    """
    import tensorflow  # noqa: F401  its objects are what is to be frozen

    # once a process: what is frozen later would be graphs
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()
