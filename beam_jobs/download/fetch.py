"""One file over HTTP: resumed where it broke off, tried again with growing pauses, held against its
checksum, and complete or absent.
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
AGAIN = {408, 425, 429, 500, 502, 503, 504}


class FetchError(OSError):
    """A file that cannot be had; the message says which, why, and what was tried."""


@dataclass(frozen=True)
class Patience:
    """attempts in a row without a byte of progress; the first pause in seconds, doubled up to
    `longest`; timeout of a silent connection.
    """

    attempts: int = 6
    pause: float = 1.0
    longest: float = 60.0
    timeout: float = 30.0

    def seconds(self, failures: int) -> float:
        return min(self.longest, self.pause * 2 ** (failures - 1))


def fetch(
    url: str,
    path: Path,
    md5: str | None,
    *,
    patience: Patience = Patience(),  # noqa: B008  frozen
    progress: Callable[[int], None] = lambda count: None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """download `url` to `path`; its size in bytes. What an earlier try left in `.<name>.part` is
    continued by a Range request.

    md5: hex digest or None where the source has none (then only the length is held). progress: told
    the bytes that arrived, negative when they were thrown away. Raises FetchError; `path` exists
    only when complete and right.
    """
    part = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    failures, corrupt = 0, 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            transfer(url, part, patience.timeout, progress)
            size = part.stat().st_size
            if md5 is not None and digest(part) != md5:
                part.unlink()
                progress(-size)
                corrupt += 1
                if corrupt == 3:
                    raise FetchError(
                        f"{url}: three downloads differ from the checksum {md5}; the file or "
                        "the list of checksums is wrong at the source"
                    )
                continue
            os.replace(part, path)
            return size
        except urllib.error.HTTPError as error:
            if error.code not in AGAIN:
                raise FetchError(
                    f"{url}: the server answers {error.code} {error.reason}"
                ) from error
            wait, reason = retry_after(error), f"{error.code} {error.reason}"
        except FetchError:
            raise
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            if isinstance(error, OSError) and not isinstance(
                error, (urllib.error.URLError, ConnectionError, TimeoutError)
            ):
                raise FetchError(f"{path}: cannot be written: {error.strerror or error}") from error
            wait, reason = None, str(getattr(error, "reason", error)) or type(error).__name__
        gained = part.exists() and part.stat().st_size > before
        failures = 1 if gained else failures + 1
        if failures >= patience.attempts:
            raise FetchError(
                f"{url}: {reason}; tried {failures} times without a byte of progress. Is "
                "there a network? The same command resumes."
            )
        sleep(wait if wait is not None else patience.seconds(failures))


def transfer(url: str, part: Path, timeout: float, progress: Callable[[int], None]) -> None:
    """one request: append to `part` what it lacks. Raises ConnectionError if the body ends early,
    HTTPError, URLError.
    """
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:
            raise
        if (
            total_of(error.headers.get("Content-Range")) == have
        ):  # complete already: killed between the last byte and the rename
            return
        part.unlink()
        progress(-have)
        raise ConnectionError(
            "the part here is longer than the file there; starting again"
        ) from error
    with answer:
        start = start_of(answer.headers.get("Content-Range")) if answer.status == 206 else 0
        if start != have:  # the server ignores Range, or answers another one
            progress(-have)
            part.unlink(missing_ok=True)
            if start:
                raise ConnectionError(
                    f"asked for bytes from {have}, the server sent bytes from {start}"
                )
        length = answer.headers.get("Content-Length")
        arrived = 0
        with open(part, "ab") as file:
            while piece := answer.read(PIECE):
                file.write(piece)
                arrived += len(piece)
                progress(len(piece))
        if length is not None and arrived != int(length):
            raise ConnectionError(f"the connection closed after {arrived} of {length} bytes")


def start_of(content_range: str | None) -> int:
    """the first byte in `bytes 100-199/200`, 0 where the header is missing or odd."""
    text = (content_range or "").removeprefix("bytes ").split("-")[0].strip()
    return int(text) if text.isdigit() else 0


def total_of(content_range: str | None) -> int | None:
    """the length in `bytes */200` or `bytes 100-199/200`."""
    text = (content_range or "").rpartition("/")[2]
    return int(text) if text.isdigit() else None


def retry_after(error: urllib.error.HTTPError) -> float | None:
    """seconds that the server asks for, at most two minutes."""
    text = error.headers.get("Retry-After", "")
    return min(120.0, float(text)) if text.isdigit() else None


def digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
