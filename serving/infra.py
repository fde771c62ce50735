"""The gate before a push, without Docker: a real server process on the candidate answers real records, and its answers are checked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

TOLERANCE = 2e-3


@dataclass(frozen=True)
class Blessing:
    """ok; reasons: why not, in words; figures: what was measured."""

    ok: bool
    reasons: tuple[str, ...]
    figures: dict = field(default_factory=dict)


def validate(candidate: str | Path, *, records: list[bytes], longest: float = 30.0) -> Blessing:
    """start a server on `candidate`, replay `records` (encoded images), check parity with the Keras networks' stored answers, finiteness and latency.

    longest: seconds one answer may take.
    """
    from serving.client import Client

    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(candidate, os.path.join(folder, "1"))
        server = subprocess.Popen(
            [sys.executable, "-m", "serving", "serve", "--model_name=taxonomy", f"--model_base_path={folder}", "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[1],
        )
        try:
            address = next((found[1] for line in server.stdout if (found := re.search(r"gRPC on (\S+)", line))), None)
            if address is None:
                return Blessing(False, (f"the server did not start on the candidate: {(server.stderr.read().strip().splitlines() or ['no message'])[-1]}",))
            return judged(Client(address, deadline=longest), Path(candidate), records, server.pid)
        finally:
            server.terminate()
            server.wait(30)


def judged(client, candidate: Path, records: list[bytes], pid: int) -> Blessing:
    """all checks against a running server."""
    import grpc

    reasons, figures, seconds = [], {}, []
    try:
        worst = parity(client, candidate)
        figures["worst relative difference from the Keras networks"] = worst
        if worst > TOLERANCE:
            reasons.append(f"the exported graph differs from the Keras networks by {worst:.1e}, more than {TOLERANCE:.0e}")
        names = [name for name, count in client.tasks().items() if count == 1]
        for record in records:
            since = time.time()
            answers = client.predict("image_bytes", {"image_bytes": [record]}, names)
            seconds.append(time.time() - since)
            broken = [name for name, value in answers.items() if not np.isfinite(value).all()]
            if broken:
                reasons.append(f"{', '.join(broken)} answered with values that are no numbers")
                break
    except grpc.RpcError as error:
        reasons.append(f"the server refused a record with {error.code().name}: {error.details()}")
    if seconds:
        figures.update({"records": len(seconds), "first answer s": seconds[0], "median answer s": float(np.median(seconds)), "server MiB": resident(pid)})
    return Blessing(not reasons, tuple(reasons), figures)


def parity(client, candidate: Path) -> float:
    """largest difference between served and stored answers to the probe images, relative to the answers' spread."""
    from models.examples.published import encode_png
    from models.tasks import TASKS

    worst = 0.0
    with np.load(candidate / "assets.extra" / "parity.npz") as stored:
        images = [encode_png(image) for image in stored["probe"]]
        for key in stored.files:
            if key != "probe":
                name = key.removeprefix("answer_")
                count = TASKS[name].images
                served = client.predict(name, {"image_bytes": images if count == 1 else [images[:count]]}, [name])[name]
                worst = max(worst, float(np.abs(served - stored[key]).max() / (np.ptp(stored[key]) + 1e-3)))
    return worst


def resident(pid: int) -> int:
    """MiB of memory that a process holds."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith("VmRSS"))
