"""Bounds what the bodies of all connections hold together: a body may be large, but a hundred large
ones at once, which a single stranger can send, may not.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LARGEST_BODY = 256 << 20  # bytes, packed or unpacked
OWN = 1 << 20  # bytes that every body may have: large ones leave room for those that are usual
TOGETHER = 1 << 30  # bytes of all bodies together, beyond OWN of each


class UnreadableBodyError(Exception):
    """Raised for a body that is not read. The connection ends with it, since where the next request
    begins is not known. status: of HTTP.
    """

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Room:
    """What is left for the bodies of all connections, from their first bytes until their answer.
    size: bytes.
    """

    def __init__(self, size: int = TOGETHER) -> None:
        self.lock = threading.Lock()
        self.left = size

    @contextmanager
    def share(self) -> Iterator[Share]:
        """As a context, the share of one request's body, which is given back at the end."""
        share = Share(self)
        try:
            yield share
        finally:
            with self.lock:
                self.left += share.size


class Share:
    """What one body takes of the room. size: bytes beyond OWN."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.size = 0

    def hold(self, count: int) -> None:
        """Takes what `count` bytes need, where they are more than before. Raises
        UnreadableBodyError, of status 503, where other bodies leave too little.
        """
        more = count - OWN - self.size
        if more <= 0:
            return
        with self.room.lock:
            if more > self.room.left:
                raise UnreadableBodyError(503, "too many large bodies at once; ask again")
            self.room.left -= more
        self.size += more
