"""The gate before a push, without Docker: a real server process on the candidate answers real
records, and its answers, speed and memory are judged.
"""

from __future__ import annotations

import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from models.examples.published import encode_png
from serving.bundle.assets import EXTRA, WARMUP, probe_images, read_extras
from serving.bundle.manifest import MANIFEST, ManifestError, check_manifest
from serving.client.client import Client
from serving.release.parity import differences
from serving.release.process import ServerError, ServerProcess, linked, memory, serve_command
from serving.release.signing import check_signed

# records are replayed in turn until that many answers or seconds
REPLAYS = 100
REPLAY_SECONDS = 10.0
PATIENCE = 3  # deadline of a question, in allowed answer times: a late answer is counted as one
LARGEST_MIB = 16 << 10
BOMB_SIDE = 50_000  # pixels that a picture of a few bytes claims

Contract = Mapping[str, Any]  # of `serving.bundle.assets.contract`


@dataclass(frozen=True)
class Blessing:
    """ok; reasons: why not, in words; figures: what was measured."""

    ok: bool
    reasons: tuple[str, ...]
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """What a candidate is allowed. longest: seconds that 99 of 100 answers may take; largest_mib:
    resident memory at most; start_within: seconds until the door is open.
    """

    longest: float = 30.0
    largest_mib: int = LARGEST_MIB
    start_within: float = 120.0


def validate(
    candidate: str | Path,
    *,
    records: list[bytes],
    longest: float = 30.0,
    largest_mib: int = LARGEST_MIB,
    start_within: float = 120.0,
    cold: bool = True,
    trusted: bytes | None = None,
) -> Blessing:
    """start a server on `candidate` and judge it: its files against its manifest, offered tasks
    against the contract, parity with the Keras networks, `records` (encoded images) replayed for
    latency and finiteness, a decompression bomb, memory.

    longest, largest_mib, start_within: `Limits`. cold: start a second server without warm-up
    records to show what they are worth. trusted: PEM of public keys, one of which must have signed
    the manifest.
    """
    candidate = Path(candidate)
    limits = Limits(longest, largest_mib, start_within)
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
            verdict = judged(candidate, Path(folder) / "warm", contract, limits, records)
            # a second server, only where the first was good: it shows a figure and judges nothing
            if cold and verdict.ok and (candidate / EXTRA / WARMUP).exists():
                base = Path(folder) / "cold"
                verdict.figures.update(cold_figures(candidate, base, contract, limits))
            return verdict
    except ServerError as error:
        return Blessing(False, (f"the server did not start on the candidate: it {error}",))


def check_files(candidate: Path, trusted: bytes | None) -> None:
    """are they those of the manifest? A bundle of before there were manifests passes where no
    signature is required. Raises ManifestError.
    """
    if trusted is not None:
        check_signed(candidate, trusted)
    elif (candidate / MANIFEST).exists():
        check_manifest(candidate)


def judged(
    candidate: Path, base: Path, contract: Contract, limits: Limits, records: list[bytes]
) -> Blessing:
    """by a server on `base`, an empty place for versions."""
    # by links: a bundle may weigh gigabytes, and a server wants a numbered folder
    linked(candidate, base / "1")
    with ServerProcess(serve_command(base), start_within=limits.start_within) as server:
        return Judgement(server, candidate, contract, limits).of(records)


def cold_figures(
    candidate: Path, base: Path, contract: Contract, limits: Limits
) -> dict[str, float]:
    """what a server without warm-up records takes."""
    linked(candidate, base / "1", without=(WARMUP,))
    with (
        ServerProcess(serve_command(base), start_within=limits.start_within) as server,
        Client(server.address, deadline=PATIENCE * limits.longest) as client,
    ):
        return {
            "first answer without warm-up, s": first_answer(client, contract),
            "seconds to start without warm-up": server.seconds_to_start,
        }


class Judgement:
    """All checks against one running server; reasons and figures gather as it goes."""

    def __init__(
        self, server: ServerProcess, candidate: Path, contract: Contract, limits: Limits
    ) -> None:
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

    def of(self, records: list[bytes]) -> Blessing:
        # cheap ones first, and the bomb after the times are taken
        checks: list[Callable[[Client], None]] = [
            self.offers,
            self.agrees,
            lambda client: self.replays(client, records),
            self.refuses_a_bomb,
        ]
        with Client(self.server.address, deadline=PATIENCE * self.limits.longest) as client:
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
        # in any case: a server that died in a check is said, too
        self.remembers()
        return Blessing(not self.reasons, tuple(self.reasons), self.figures)

    def offers(self, client: Client) -> None:
        """every task of the contract, and no other."""
        promised = set(self.contract["tasks"])
        served = set(client.tasks())
        if promised != served:
            self.reasons.append(
                "the contract and the server disagree: not served "
                f"{sorted(promised - served)}, not in the contract {sorted(served - promised)}"
            )

    def agrees(self, client: Client) -> None:
        """with the Keras networks, in every task."""
        found = differences(client, self.candidate)
        # without stored answers every export would pass
        if not found:
            self.reasons.append("the candidate holds no stored answers to compare with")
            return
        shares = [one.pixels for one in found if one.pixels is not None]
        self.figures["worst relative difference from the Keras networks"] = max(
            max(one.floats, one.images) for one in found
        )
        self.figures["worst share of differing map pixels"] = max(shares, default=0.0)
        self.reasons += [one.reason for one in found if one.reason]

    def replays(self, client: Client, records: list[bytes]) -> None:
        """all tasks about one view, asked about every record at least once."""
        if not records:
            return
        names = [name for name, count in client.tasks().items() if count == 1]
        seconds: list[float] = []
        # seconds are a bound for slow bundles: each record is asked once in any case
        until = time.monotonic() + REPLAY_SECONDS
        for i in range(max(REPLAYS, len(records))):
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
        self.times(seconds, len(records))

    def times(self, seconds: list[float], records: int) -> None:
        p50, p99 = (float(value) for value in np.percentile(seconds, [50, 99]))
        self.figures["records"] = records
        self.figures["answers"] = len(seconds)
        self.figures["p50 answer, s"] = p50
        self.figures["p99 answer, s"] = p99
        if p99 > self.limits.longest:
            self.reasons.append(
                f"one answer in a hundred takes {p99:.2f} s or more; {self.limits.longest:g} s "
                "are allowed"
            )

    def refuses_a_bomb(self, client: Client) -> None:
        """a small file that claims gigabytes must be refused as the client's fault, and cost no
        memory.
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

    def remembers(self) -> None:
        """is the server still there, and how large has it become?"""
        now, most = memory(self.server.pid)
        self.figures["server MiB"] = now
        self.figures["server MiB at most"] = most
        # no memory: no process
        if not now:
            self.reasons.append(f"the server ended while it was asked: {self.server.last_words()}")
        if most > self.limits.largest_mib:
            self.reasons.append(
                f"the server took {most} MiB; {self.limits.largest_mib} are allowed"
            )


def first_answer(client: Client, contract: Contract) -> float:
    """seconds of the first question: all tasks about one view of one picture, in every form (of the
    fewest views that are offered).
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
    """three PNG pictures, where nobody has better ones to replay."""
    return [encode_png(image) for image in probe_images(256)]


def png_header(width: int, height: int) -> bytes:
    """a PNG of black pixels that ends after its header."""
    # 8 bits, RGB; compression, filter and interlacing as always
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    # PNG's check covers the chunk's name and its data
    checksum = struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + checksum
