"""Runs a model server as a process of its own: started on a folder, its output read while it runs,
stopped for sure.
"""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import IO

GRPC_DOOR = re.compile(r"gRPC on (\S+:\d+)")
REST_DOOR = re.compile(r"REST on (\S+:\d+)")
LINES = 200  # of the server's last words that are kept


class ServerError(RuntimeError):
    """Raised where the server did not start, with its own last words."""


def serve_command(base: str | Path, name: str = "taxonomy") -> list[str]:
    """Returns the command that serves the versions below `base` at a free port, which the server
    prints.
    """
    # the same interpreter: the server runs with the packages of whoever asks
    return [
        sys.executable,
        "-m",
        "serving",
        "serve",
        f"--model_name={name}",
        f"--model_base_path={Path(base).resolve()}",
        # 0 is a free port, which the server prints: two runs never meet
        "--port=0",
    ]


class ServerProcess:
    """A server that runs a `command` (from `serve_command`); a `with` block stops it. address:
    host:port of its gRPC door. pid: its process. seconds_to_start: until that door was open.

    start_within: seconds until the door must be open; else ServerError is raised. Threads empty
    both pipes from the first line to the last: a server that writes more than a pipe holds (64 KiB)
    would otherwise stop in the middle of an answer.
    """

    def __init__(self, command: list[str], *, start_within: float = 120.0) -> None:
        # a deque drops its oldest lines itself, and appends from two threads without a lock
        self.words: deque[str] = deque(maxlen=LINES)
        # standard error alone: two pipes are read in no order
        self.complaints: deque[str] = deque(maxlen=LINES)
        self.opened: queue.Queue[str] = queue.Queue()
        since = time.monotonic()
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            # modules are found from the root, wherever the caller stands
            cwd=Path(__file__).resolve().parents[2],
        )
        self.pipes = [pipe for pipe in (self.process.stdout, self.process.stderr) if pipe]
        self.readers = [
            # daemons: a reader that hangs must not keep the caller alive
            threading.Thread(target=self.read, args=(pipe,), daemon=True)
            for pipe in self.pipes
        ]
        for reader in self.readers:
            reader.start()
        try:
            self.address = self.wait_for_address(since + start_within)
        # any error, an interrupt too: no server may be left behind
        except BaseException:
            self.stop()
            raise
        self.seconds_to_start = time.monotonic() - since

    def rest(self, patience: float = 10.0) -> str:
        """Returns host:port of the REST door. Raises ServerError if none opens in `patience`
        seconds.
        """
        until = time.monotonic() + patience
        while time.monotonic() < until:
            # a copy: a reader appends meanwhile
            for word in list(self.words):
                if door := REST_DOOR.search(word):
                    return door[1]
            time.sleep(0.02)
        raise ServerError(f"opened no REST door: {self.last_words()}")

    @property
    def pid(self) -> int:
        return self.process.pid

    def read(self, pipe: IO[str]) -> None:
        """Keeps a pipe's lines until its end; the gRPC address goes to whoever waits for it."""
        for line in pipe:
            self.words.append(line.rstrip())
            if pipe is self.process.stderr:
                self.complaints.append(line.rstrip())
            # on standard output, where the server prints its doors
            elif door := GRPC_DOOR.search(line):
                self.opened.put(door[1])

    def wait_for_address(self, until: float) -> str:
        while time.monotonic() < until:
            try:
                return self.opened.get(timeout=0.1)
            except queue.Empty:
                if self.process.poll() is None:
                    continue
            for reader in self.readers:
                # ended: its last words may still be in the pipes
                reader.join(5)
            code = self.process.returncode
            raise ServerError(f"ended with code {code}: {self.last_words()}")
        raise ServerError(f"had no open door in time: {self.last_words()}")

    def last_words(self) -> str:
        """Returns the last line of standard error that says something, else of standard output."""
        # standard error says why, standard output what it did last
        for line in [*reversed(list(self.complaints)), *reversed(list(self.words))]:
            if line.strip():
                return line.strip()
        return "no message"

    def stop(self, patience: float = 15.0) -> int:
        """Ends the server by SIGTERM, after `patience` s by SIGKILL; returns its exit code."""
        if self.process.poll() is None:
            # SIGTERM first: a server that drains answers what it has begun
            self.process.terminate()
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for reader in self.readers:
            reader.join(5)
        for pipe in self.pipes:
            pipe.close()
        return self.process.returncode

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def memory(pid: int) -> tuple[int, int]:
    """Returns the memory of a process in MiB: (resident now, the most that ever was); (0, 0) if it
    is gone.
    """
    try:
        # on Linux; "VmHWM" is the most that it ever had, which a look now and then would miss
        with open(f"/proc/{pid}/status") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
        now, most = (int(fields[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM"))
    # gone: its folder in /proc is, too
    except (OSError, KeyError):
        return 0, 0
    return now, most


def link_tree(source: str | Path, goal: str | Path, without: tuple[str, ...] = ()) -> Path:
    """Copies the folder `source` to `goal` by hard links (by bytes across file systems), without
    files of the names `without`; returns `goal`. Raises FileExistsError where `goal` is there.
    """

    def link(one: str, other: str) -> None:
        try:
            os.link(one, other)
        # across file systems there are no hard links
        except OSError:
            shutil.copy2(one, other)

    shutil.copytree(source, goal, copy_function=link, ignore=shutil.ignore_patterns(*without))
    return Path(goal)
