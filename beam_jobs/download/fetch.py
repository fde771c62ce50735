"""Fetches one file over HTTP: a transfer that broke off is resumed, tried again with growing
pauses, and checked against the file's checksum; the file is complete or absent.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PIECE = 1 << 18
# statuses after which another try may work: too busy, too early, too many, errors of the server
AGAIN = {408, 425, 429, 500, 502, 503, 504}
MOST_CORRUPT = 3


class FetchError(OSError):
    """A file that cannot be fetched; the message says which, why, and what was tried."""


@dataclass(frozen=True)
class Patience:
    """How long to go on trying. attempts: how many in a row without a byte of progress; pause: the
    first one in seconds, doubled up to `longest`; timeout: seconds of a silent connection.
    """

    attempts: int = 6
    pause: float = 1.0
    longest: float = 60.0
    timeout: float = 30.0

    def seconds(self, failures: int) -> float:
        """Returns how long to pause, in seconds, after so many failures in a row."""
        return min(self.longest, self.pause * 2 ** (failures - 1))


@dataclass
class Tally:
    """The bytes of one file that `progress` was told of. All of them are taken back when the part
    is thrown away; bytes of an earlier process, which were never told, are not.
    """

    progress: Callable[[int], None]
    count: int = 0

    def arrived(self, count: int) -> None:
        """Tells of bytes that have arrived."""
        self.count += count
        self.progress(count)

    def thrown_away(self) -> None:
        """Takes back all bytes told so far."""
        self.progress(-self.count)
        self.count = 0


@dataclass(frozen=True)
class Setback:
    """The reason why a transfer ended early, where another try may do better. wait: seconds that
    the server asks for, or None.
    """

    reason: str
    wait: float | None = None


def fetch(
    url: str,
    path: Path,
    md5: str | None,
    *,
    patience: Patience = Patience(),  # noqa: B008  frozen
    progress: Callable[[int], None] = lambda count: None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Downloads `url` to `path` and returns the file's size in bytes. What an earlier try left in
    `.<name>.part` is continued by a Range request.

    md5: hex digits, or None where the source has none (then only the length is checked). progress:
    told the bytes that arrived here, a negative number when they were thrown away. Raises
    FetchError; `path` exists only when complete and right.
    """
    part = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    corrupt = 0
    tally = Tally(progress)
    while True:
        arrive(url, part, patience, tally, sleep)
        size = part.stat().st_size
        if md5 is None or digest(part) == md5:
            # Not `models.provenance.atomic`: the part must outlive a kill, to be resumed.
            os.replace(part, path)
            return size
        part.unlink()
        tally.thrown_away()
        corrupt += 1
        if corrupt == MOST_CORRUPT:
            raise FetchError(
                f"{url}: three downloads differ from the checksum {md5}; the file or "
                "the list of checksums is wrong at the source"
            )


def arrive(
    url: str,
    part: Path,
    patience: Patience,
    tally: Tally,
    sleep: Callable[[float], None],
) -> None:
    """Transfers until `part` has its whole length. Raises FetchError after too many tries without a
    byte of progress.
    """
    failures = 0
    while True:
        before = size_of(part)
        setback = attempt(url, part, patience.timeout, tally)
        if setback is None:
            return
        failures = 1 if size_of(part) > before else failures + 1
        if failures >= patience.attempts:
            raise FetchError(
                f"{url}: {setback.reason}; tried {failures} times without a byte of progress. Is "
                "there a network? The same command resumes."
            )
        sleep(patience.seconds(failures) if setback.wait is None else setback.wait)


def attempt(url: str, part: Path, timeout: float, tally: Tally) -> Setback | None:
    """Tries one transfer and returns why it ended early, None if it is complete. Raises FetchError
    for what another try would not mend.
    """
    try:
        transfer(url, part, timeout, tally)
    except urllib.error.HTTPError as error:
        reason = f"{error.code} {error.reason}"
        if error.code not in AGAIN:
            raise FetchError(f"{url}: the server answers {reason}") from error
        return Setback(reason, retry_after(error))
    except (
        urllib.error.URLError,
        http.client.HTTPException,
        ConnectionError,
        TimeoutError,
    ) as error:
        return Setback(str(getattr(error, "reason", error)) or type(error).__name__)
    # the errors above are OSErrors too: those that are left are the disk's
    except OSError as error:
        raise FetchError(f"{part}: cannot be written: {error.strerror or error}") from error
    return None


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def transfer(url: str, part: Path, timeout: float, tally: Tally) -> None:
    """Sends one request and appends to `part` what it lacks. Raises ConnectionError if the body
    ends early or does not continue the part, HTTPError or URLError if the request fails.
    """
    have = size_of(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:
            raise
        if total_of(error.headers.get("Content-Range")) == have:
            return  # complete already: a kill came between the last byte and the rename
        part.unlink()
        tally.thrown_away()
        raise ConnectionError(
            "the part here is longer than the file there; starting again"
        ) from error
    with answer:
        start = start_of(answer.headers.get("Content-Range")) if answer.status == 206 else 0
        if start != have:  # the server ignores Range, or sends another range
            tally.thrown_away()
            part.unlink(missing_ok=True)
            if start:
                raise ConnectionError(
                    f"asked for bytes from {have}, the server sent bytes from {start}"
                )
        arrived = append(answer, part, tally)
        length = answer.headers.get("Content-Length")
        if length is not None and arrived != int(length):
            raise ConnectionError(f"the connection closed after {arrived} of {length} bytes")


def append(answer: http.client.HTTPResponse, part: Path, tally: Tally) -> int:
    """Writes the body behind what `part` holds, and returns how many bytes came."""
    arrived = 0
    with open(part, "ab") as file:
        while piece := answer.read(PIECE):
            file.write(piece)
            arrived += len(piece)
            tally.arrived(len(piece))
    return arrived


def start_of(content_range: str | None) -> int:
    """Returns the first byte in `bytes 100-199/200`, 0 where the header is missing or odd."""
    text = (content_range or "").removeprefix("bytes ").split("-")[0].strip()
    return int(text) if text.isdigit() else 0


def total_of(content_range: str | None) -> int | None:
    """Returns the length in `bytes */200` or `bytes 100-199/200`, None where it is not told."""
    text = (content_range or "").rpartition("/")[2]
    return int(text) if text.isdigit() else None


def retry_after(error: urllib.error.HTTPError) -> float | None:
    """Returns the seconds that the server asks to wait, at most two minutes, None if it does not
    say.
    """
    text = error.headers.get("Retry-After", "")
    return min(120.0, float(text)) if text.isdigit() else None


def digest(path: Path) -> str:
    """Returns the MD5 of a file in hex digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
