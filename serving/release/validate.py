"""The gate before a push, without Docker: a real server process on the candidate answers real
records, and its answers, speed and memory are judged.
"""

from __future__ import annotations

import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from models.examples.published import encode_png
from serving.bundle.assets import EXTRA, WARMUP, probe_images, read_extras
from serving.bundle.manifest import MANIFEST, ManifestError, check_manifest
from serving.client.client import Client
from serving.release.blessing import Blessing
from serving.release.parity import differences
from serving.release.process import ServerError, ServerProcess, link_tree, memory, serve_command
from serving.release.signing import check_signed

# records are replayed in turn until there are so many answers, if nobody asks for fewer, or so many
# seconds are over
REPLAYS = 100
REPLAY_SECONDS = 10.0
# deadline of a question, in allowed answer times: a late answer is measured, not cut off
PATIENCE = 3
LARGEST_MIB = 16 << 10
BOMB_SIDE = 50_000  # pixels that a picture of a few bytes claims

Contract = Mapping[str, Any]  # what `serving.bundle.assets.contract` returns


@dataclass(frozen=True)
class Limits:
    """What a candidate is allowed. max_latency: seconds that 99 of 100 answers may take.
    largest_mib: resident memory of the server, MiB.
    """

    max_latency: float = 30.0
    largest_mib: int = LARGEST_MIB


def validate(
    candidate: str | Path,
    *,
    records: list[bytes],
    limits: Limits = Limits(),
    trusted: bytes | None = None,
    replays: int = REPLAYS,
    cold: bool = True,
) -> Blessing:
    """Starts a server on `candidate` and judges it: its files against its manifest, offered tasks
    against the contract, parity with the Keras networks, `records` (encoded images) replayed for
    latency and finiteness, a decompression bomb, memory. Of a good candidate, a second server
    without warm-up records shows what these are worth, where it is asked for by `cold`.

    trusted: PEM of public keys, one of which must have signed the manifest. replays: answers that
    are timed; of fewer than a hundred the slowest stands for one in a hundred.
    """
    candidate = Path(candidate)
    try:
        check_files(candidate, trusted)
        contract, _ = read_extras(candidate)
    except ManifestError as error:
        return Blessing(False, (str(error),))
    except (OSError, ValueError) as error:
        return Blessing(
            False, (f"the candidate has no readable contract and lineage in assets.extra: {error}",)
        )
    try:
        with tempfile.TemporaryDirectory() as folder:
            base = Path(folder) / "warm"
            verdict = judge_server(candidate, base, contract, limits, records, replays)
            # a second server, only where the first was good: it shows a figure and judges nothing
            if cold and verdict.ok and (candidate / EXTRA / WARMUP).exists():
                base = Path(folder) / "cold"
                verdict.figures.update(cold_figures(candidate, base, contract, limits))
            return verdict
    except ServerError as error:
        return Blessing(False, (f"the server did not start on the candidate: it {error}",))


def check_files(candidate: Path, trusted: bytes | None) -> None:
    """Raises ManifestError unless the candidate's files are those of its manifest, and a key of
    `trusted` signed that, where there is one. Without `trusted`, a bundle without a manifest, of
    before there were any, passes.
    """
    if trusted is not None:
        check_signed(candidate, trusted)
    elif (candidate / MANIFEST).exists():
        check_manifest(candidate)


def judge_server(
    candidate: Path,
    base: Path,
    contract: Contract,
    limits: Limits,
    records: list[bytes],
    replays: int,
) -> Blessing:
    """Starts a server on the candidate and judges it. base: a folder for its version, which is
    made. replays: answers that are timed. Raises ServerError where it does not start.
    """
    # by links: a bundle may weigh gigabytes, and a server wants a numbered folder
    link_tree(candidate, base / "1")
    with ServerProcess(serve_command(base)) as server:
        return Judgement(server, candidate, contract, limits, replays).run(records)


def cold_figures(
    candidate: Path, base: Path, contract: Contract, limits: Limits
) -> dict[str, float]:
    """Returns figures of a server without warm-up records: seconds to start, and to the first
    answer. base: as for `judge_server`.
    """
    link_tree(candidate, base / "1", without=(WARMUP,))
    with (
        ServerProcess(serve_command(base)) as server,
        Client(server.address, deadline=PATIENCE * limits.max_latency) as client,
    ):
        return {
            "first answer without warm-up, s": first_answer(client, contract),
            "seconds to start without warm-up": server.seconds_to_start,
        }


class Judgement:
    """Checks of one running server; each adds to `reasons` (why not, in words) and `figures`."""

    def __init__(
        self,
        server: ServerProcess,
        candidate: Path,
        contract: Contract,
        limits: Limits,
        replays: int = REPLAYS,
    ) -> None:
        self.replays = replays
        self.server = server
        self.candidate = candidate
        self.contract = contract
        self.limits = limits
        # gathered: a person wants all reasons, not the first
        self.reasons: list[str] = []
        self.figures: dict[str, float] = {
            "seconds to start": server.seconds_to_start,
            "server MiB after loading": memory(server.pid)[0],
        }

    def run(self, records: list[bytes]) -> Blessing:
        """Runs all checks, with `records` for the replay, and returns the verdict."""
        # cheap ones first, and the bomb after the times are taken
        checks: list[Callable[[Client], None]] = [
            self.check_offers,
            self.check_parity,
            lambda client: self.replay(client, records),
            self.check_bomb,
        ]
        with Client(self.server.address, deadline=PATIENCE * self.limits.max_latency) as client:
            try:
                self.figures["first answer, s"] = first_answer(client, self.contract)
                for check in checks:
                    check(client)
            except grpc.RpcError as error:
                self.reasons.append(
                    f"the server refused a question with {error.code().name}: {error.details()}"
                )
            except OSError as error:
                self.reasons.append(f"the candidate lacks what it is checked against: {error}")
        # in any case: a server that died in a check is reported, too
        self.check_memory()
        return Blessing(not self.reasons, tuple(self.reasons), self.figures)

    def check_offers(self, client: Client) -> None:
        """Checks that every task of the contract is served, and no other."""
        promised = set(self.contract["tasks"])
        task_names = set(client.tasks())
        if promised != task_names:
            self.reasons.append(
                "the contract and the server disagree: not served "
                f"{sorted(promised - task_names)}, not in the contract "
                f"{sorted(task_names - promised)}"
            )

    def check_parity(self, client: Client) -> None:
        """Checks that every task's answers are those that the Keras networks gave."""
        gaps = differences(client, self.candidate)
        # without stored answers every export would pass
        if not gaps:
            self.reasons.append("the candidate holds no stored answers to compare with")
            return
        shares = [one.pixels for one in gaps if one.pixels is not None]
        self.figures["worst relative difference from the Keras networks"] = max(
            max(one.floats, one.images) for one in gaps
        )
        self.figures["worst share of differing map pixels"] = max(shares, default=0.0)
        self.reasons += [one.reason for one in gaps if one.reason]

    def replay(self, client: Client, records: list[bytes]) -> None:
        """Asks all tasks about one view about every record, at least once; checks that the answers
        are finite and quick.
        """
        if not records:
            return
        names = [name for name, count in client.tasks().items() if count == 1]
        seconds: list[float] = []
        # seconds are a bound for slow bundles: each record is asked once in any case
        until = time.monotonic() + REPLAY_SECONDS
        for i in range(max(self.replays, len(records))):
            if i >= len(records) and time.monotonic() > until:
                break
            since = time.monotonic()
            record = records[i % len(records)]
            # as a client asks, by bytes: decoding is part of the answer's time
            answers = client.predict("image_bytes", {"image_bytes": [record]}, names)
            seconds.append(time.monotonic() - since)
            broken = [name for name, value in answers.items() if not np.isfinite(value).all()]
            if broken:
                self.reasons.append(
                    f"{', '.join(broken)} answered record {i % len(records)} with values that "
                    "are no numbers"
                )
                return
        self.check_latency(seconds, len(records))

    def check_latency(self, seconds: list[float], records: int) -> None:
        """Checks the slowest answer of a hundred. seconds: of each answer; records: how many."""
        p50, p99 = (float(value) for value in np.percentile(seconds, [50, 99]))
        self.figures["records"] = records
        self.figures["answers"] = len(seconds)
        self.figures["p50 answer, s"] = p50
        self.figures["p99 answer, s"] = p99
        if p99 > self.limits.max_latency:
            self.reasons.append(
                f"one answer in a hundred takes {p99:.2f} s or more; "
                f"{self.limits.max_latency:g} s are allowed"
            )

    def check_bomb(self, client: Client) -> None:
        """Checks that a small file which claims gigabytes is refused as the client's fault, and
        measures the memory that it cost.
        """
        names = [name for name, count in client.tasks().items() if count == 1]
        if not names:
            return
        claim = f"a picture that claims {BOMB_SIDE} x {BOMB_SIDE} pixels was"
        before = memory(self.server.pid)[1]
        try:
            # refused by its header: the picture itself is never sent
            bomb = png_header(BOMB_SIDE, BOMB_SIDE)
            client.predict("image_bytes", {"image_bytes": [bomb]}, names[:1])
            self.reasons.append(f"{claim} not refused")
        except grpc.RpcError as error:
            # any other code says that the server took it for its own fault, or died of it
            if error.code() != grpc.StatusCode.INVALID_ARGUMENT:
                self.reasons.append(
                    f"{claim} answered with {error.code().name} instead of INVALID_ARGUMENT"
                )
        # the most that it ever had: what was taken and given back counts
        self.figures["MiB that a decompression bomb cost"] = memory(self.server.pid)[1] - before

    def check_memory(self) -> None:
        """Checks that the server still runs, and how large it has become."""
        now, most = memory(self.server.pid)
        self.figures["server MiB"] = now
        self.figures["server MiB at most"] = most
        # a process that is gone has no memory
        if not now:
            self.reasons.append(f"the server ended while it was asked: {self.server.last_words()}")
        if most > self.limits.largest_mib:
            self.reasons.append(
                f"the server took {most} MiB; {self.limits.largest_mib} are allowed"
            )


def first_answer(client: Client, contract: Contract) -> float:
    """Returns the seconds that a server takes for its first question: one picture, all tasks about
    one view of it, all forms of answers. Where no task is about one view, it is asked about as many
    pictures as the least task takes.
    """
    views = min(entry["images"] for entry in contract["tasks"].values())
    png = [encode_png(image) for image in probe_images(contract["size"])]
    signature = "image_bytes" if views == 1 else f"image_bytes_{views}"
    # metadata are asked for before the clock starts
    client.signatures()
    since = time.monotonic()
    client.predict(signature, {"image_bytes": png[:1] if views == 1 else [png[:views]]})
    return time.monotonic() - since


def made_up_records() -> list[bytes]:
    """Returns PNG pictures that stand in for records where there are none to replay."""
    return [encode_png(image) for image in probe_images(256)]


def png_header(width: int, height: int) -> bytes:
    """Returns the bytes of a PNG that claims width x height pixels and ends after its header."""
    # 8 bits, RGB; compression, filter and interlacing as always
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    # PNG's check covers the chunk's name and its data
    checksum = struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + checksum
