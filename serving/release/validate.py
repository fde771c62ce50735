"""The gate before a push, without Docker: a real server process on the candidate answers real
records, and its answers, speed and memory are judged.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from serving.bundle.assets import WARMUP, probe_images, read_extras
from serving.client.client import Client
from serving.release.parity import differences
from serving.release.process import ServerError, ServerProcess, linked, memory, serve_command

REPLAYS, REPLAY_SECONDS = (
    100,
    10.0,
)  # records are replayed in turn until that many answers or seconds
PATIENCE = 3  # deadline of a question, in allowed answer times: a late answer is counted as one
LARGEST_MIB = 16 << 10


@dataclass(frozen=True)
class Blessing:
    """ok; reasons: why not, in words; figures: what was measured."""

    ok: bool
    reasons: tuple[str, ...]
    figures: dict = field(default_factory=dict)


def validate(
    candidate: str | Path,
    *,
    records: list[bytes],
    longest: float = 30.0,
    largest_mib: int = LARGEST_MIB,
    start_within: float = 120.0,
    cold: bool = True,
) -> Blessing:
    """start a server on `candidate` and judge it: offered tasks against the contract, parity with
    the Keras networks, `records` (encoded images) replayed for latency and finiteness, a
    decompression bomb, memory.

    longest: seconds that 99 of 100 answers may take. largest_mib: resident memory at most.
    start_within: seconds until the door is open. cold: start a second server without warm-up
    records to show what they are worth.
    """
    candidate = Path(candidate)
    try:
        contract, _ = read_extras(candidate)
    except (OSError, ValueError) as error:
        return Blessing(
            False, (f"the candidate has no readable contract and lineage in assets.extra: {error}",)
        )
    with tempfile.TemporaryDirectory() as folder:
        try:
            linked(candidate, Path(folder) / "warm" / "1")
            with ServerProcess(
                serve_command(Path(folder) / "warm"), start_within=start_within
            ) as server:
                verdict = Judgement(server, candidate, contract, longest, largest_mib).of(records)
            if cold and verdict.ok and (candidate / "assets.extra" / WARMUP).exists():
                linked(candidate, Path(folder) / "cold" / "1", without=(WARMUP,))
                with (
                    ServerProcess(
                        serve_command(Path(folder) / "cold"), start_within=start_within
                    ) as server,
                    Client(server.address, deadline=PATIENCE * longest) as client,
                ):
                    verdict.figures["first answer without warm-up, s"] = first_answer(
                        client, contract
                    )
                    verdict.figures["seconds to start without warm-up"] = server.seconds_to_start
        except ServerError as error:
            return Blessing(False, (f"the server did not start on the candidate: it {error}",))
    return verdict


class Judgement:
    """All checks against one running server; reasons and figures gather as it goes."""

    def __init__(
        self,
        server: ServerProcess,
        candidate: Path,
        contract: dict,
        longest: float,
        largest_mib: int,
    ) -> None:
        self.server, self.candidate, self.contract, self.longest, self.largest_mib = (
            server,
            candidate,
            contract,
            longest,
            largest_mib,
        )
        self.reasons: list[str] = []
        self.figures: dict[str, float] = {
            "seconds to start": server.seconds_to_start,
            "server MiB after loading": memory(server.pid)[0],
        }

    def of(self, records: list[bytes]) -> Blessing:
        import grpc

        with Client(self.server.address, deadline=PATIENCE * self.longest) as client:
            try:
                self.figures["first answer, s"] = first_answer(client, self.contract)
                for check in (
                    self.offers,
                    self.agrees,
                    lambda client: self.replays(client, records),
                    self.refuses_a_bomb,
                ):
                    check(client)
            except grpc.RpcError as error:
                self.reasons.append(
                    f"the server refused a question with {error.code().name}: {error.details()}"
                )
            except OSError as error:
                self.reasons.append(f"the candidate lacks what it is checked against: {error}")
        self.remembers()
        return Blessing(not self.reasons, tuple(self.reasons), self.figures)

    def offers(self, client: Client) -> None:
        """every task of the contract, and no other."""
        missing, foreign = (
            set(self.contract["tasks"]) - set(client.tasks()),
            set(client.tasks()) - set(self.contract["tasks"]),
        )
        if missing or foreign:
            self.reasons.append(
                f"the contract and the server disagree: not served {sorted(missing)}, not in "
                f"the contract {sorted(foreign)}"
            )

    def agrees(self, client: Client) -> None:
        found = differences(client, self.candidate)
        if not found:
            self.reasons.append("the candidate holds no stored answers to compare with")
            return
        self.figures["worst relative difference from the Keras networks"] = max(
            max(one.floats, one.images) for one in found
        )
        self.figures["worst share of differing map pixels"] = max(
            (one.pixels for one in found if one.pixels is not None), default=0.0
        )
        self.reasons += [one.reason for one in found if one.reason]

    def replays(self, client: Client, records: list[bytes]) -> None:
        """all tasks about one view, asked about every record at least once."""
        if not records:
            return
        names, seconds, until = (
            [name for name, count in client.tasks().items() if count == 1],
            [],
            time.monotonic() + REPLAY_SECONDS,
        )
        for i in range(max(REPLAYS, len(records))):
            if i >= len(records) and time.monotonic() > until:
                break
            since = time.monotonic()
            answers = client.predict(
                "image_bytes", {"image_bytes": [records[i % len(records)]]}, names
            )
            seconds.append(time.monotonic() - since)
            broken = [name for name, value in answers.items() if not np.isfinite(value).all()]
            if broken:
                self.reasons.append(
                    f"{', '.join(broken)} answered record {i % len(records)} with values that "
                    "are no numbers"
                )
                return
        p50, p99 = np.percentile(seconds, [50, 99])
        self.figures.update(
            {
                "records": len(records),
                "answers": len(seconds),
                "p50 answer, s": float(p50),
                "p99 answer, s": float(p99),
            }
        )
        if p99 > self.longest:
            self.reasons.append(
                f"one answer in a hundred takes {p99:.2f} s or more; {self.longest:g} s are allowed"
            )

    def refuses_a_bomb(self, client: Client) -> None:
        """a small file that claims gigabytes must be refused as the client's fault, and cost no
        memory.
        """
        import grpc

        before = memory(self.server.pid)[1]
        try:
            client.predict(
                "image_bytes",
                {"image_bytes": [png_header(50_000, 50_000)]},
                [next(name for name, count in client.tasks().items() if count == 1)],
            )
            self.reasons.append("a picture that claims 50000 x 50000 pixels was not refused")
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.INVALID_ARGUMENT:
                self.reasons.append(
                    "a picture that claims 50000 x 50000 pixels was answered with "
                    f"{error.code().name} instead of INVALID_ARGUMENT"
                )
        except StopIteration:
            return
        self.figures["MiB that a decompression bomb cost"] = memory(self.server.pid)[1] - before

    def remembers(self) -> None:
        now, most = memory(self.server.pid)
        self.figures.update({"server MiB": now, "server MiB at most": most})
        if not now:
            self.reasons.append(f"the server ended while it was asked: {self.server.last_words()}")
        if most > self.largest_mib:
            self.reasons.append(f"the server took {most} MiB; {self.largest_mib} are allowed")


def first_answer(client: Client, contract: dict) -> float:
    """seconds of the first question: all tasks about one view of one picture, in every form (of the
    fewest views that are offered).
    """
    from models.examples.published import encode_png

    views = min(entry["images"] for entry in contract["tasks"].values())
    png = [encode_png(image) for image in probe_images(contract["size"])]
    client.signatures()
    since = time.monotonic()
    client.predict(
        "image_bytes" if views == 1 else f"image_bytes_{views}",
        {"image_bytes": png[:1] if views == 1 else [png[:views]]},
    )
    return time.monotonic() - since


def made_up_records() -> list[bytes]:
    """three PNG pictures, where nobody has better ones to replay."""
    from models.examples.published import encode_png

    return [encode_png(image) for image in probe_images(256)]


def png_header(width: int, height: int) -> bytes:
    """a PNG of black pixels that ends after its header."""
    import struct
    import zlib

    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + header
        + struct.pack(">I", zlib.crc32(header))
    )
