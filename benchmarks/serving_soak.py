"""Does the embedded server stay as it was over hours? `python benchmarks/serving_soak.py --minutes
120 --out soak.csv`.

A server process of its own under steady, mixed load over both doors: sound questions (ever new
subsets of outputs, as floats and in small forms, status, metadata, JSON), bad ones (broken
pictures, unknown signatures and models, wrong types, bytes that are no message), clients that
leave, deadlines that cannot be met, and a new version every few minutes. Once a minute a row:
resident memory, threads, open files, answers, what failed that should not have, latency. Rows are
kept in `--out` as they come; interrupted, it prints the table so far. The rate is low on purpose:
it runs beside other work.
"""

from __future__ import annotations

import argparse
import base64
import csv
import http.client
import json
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from serving_bundle import ROOT, jpeg, pushed_or_synthetic

FIELDS = (
    "minute",
    "resident_mib",
    "threads",
    "files",
    "answers",
    "refused",
    "left",
    "swaps",
    "failures",
    "p50_ms",
    "p99_ms",
)
BAD = ("INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION")
NO_MESSAGE = (*BAD, "INTERNAL")  # what gRPC makes of bytes that it cannot parse
LATE = ("OK", "DEADLINE_EXCEEDED", "CANCELLED")
PREDICT = "/tensorflow.serving.PredictionService/Predict"


class Load:
    """Askers of one server, a few questions a second each, and what came of them since the last
    `row`.
    """

    def __init__(self, address: str, rest: str, size: int, rate: float, seed: int = 0) -> None:
        self.address, self.rest, self.rate, self.seed = address, rest, rate, seed
        self.pictures = list(jpeg(size, 16))
        self.stop, self.lock = threading.Event(), threading.Lock()
        self.taken: list[float] = []
        self.counts = dict.fromkeys(("answers", "refused", "left"), 0)
        self.failures: list[str] = []

    def start(self) -> list[threading.Thread]:
        ways = (self.sound, self.over_rest, self.bad, self.leaving)
        threads = [
            threading.Thread(
                target=self.paced, args=(way, random.Random(self.seed + i)), daemon=True
            )
            for i, way in enumerate(ways)
        ]
        for thread in threads:
            thread.start()
        return threads

    def paced(self, way, draw: random.Random) -> None:
        """one question after another until told to stop, none earlier than its time."""
        from serving.client.client import Client

        with Client(self.address, deadline=60, attempts=1) as client:
            while not self.stop.wait(draw.expovariate(self.rate)):
                try:
                    way(client, draw)
                except (
                    Exception
                ) as error:  # whatever it is, it should not have been: counted and shown
                    with self.lock:
                        self.failures.append(f"{way.__name__}: {error!r:.200}")

    def count(self, kind: str, seconds: float | None = None) -> None:
        with self.lock:
            self.counts[kind] += 1
            if seconds is not None:
                self.taken.append(seconds)

    def sound(self, client, draw: random.Random) -> None:
        """gRPC: some outputs of one to four pictures; now and then the metadata, over a new
        connection.
        """
        from serving.client.client import Client

        offered = sorted(client.signatures()["image_bytes"].outputs)
        since = time.perf_counter()
        if draw.random() < 0.1:
            with Client(self.address, deadline=60, attempts=1) as other:
                other.signatures()
        else:
            pictures, wanted = (
                draw.sample(self.pictures, draw.randint(1, 4)),
                draw.sample(offered, draw.randint(1, 6)),
            )
            answer = client.predict("image_bytes", {"image_bytes": pictures}, wanted)
            if sorted(answer) != sorted(wanted) or any(
                len(value) != len(pictures) for value in answer.values()
            ):
                raise ValueError(
                    f"asked for {wanted} of {len(pictures)} pictures, got "
                    f"{[(name, value.shape) for name, value in answer.items()]}"
                )
        self.count("answers", time.perf_counter() - since)

    def over_rest(self, client, draw: random.Random) -> None:
        """REST: a picture's classes or a map as JSON; now and then status, metadata and metrics."""
        pages = (
            "/v1/models/taxonomy",
            "/v1/models/taxonomy/metadata",
            "/monitoring/prometheus/metrics",
        )
        picture = {"b64": base64.b64encode(draw.choice(self.pictures)).decode()}
        body = json.dumps(
            {
                "signature_name": draw.choice(("class_scene", "normal")),
                "inputs": {"image_bytes": [picture]},
            }
        )
        since = time.perf_counter()
        status, text = (
            self.asked("GET", draw.choice(pages))
            if draw.random() < 0.2
            else self.asked("POST", "/v1/models/taxonomy:predict", body)
        )
        if status != 200:
            raise ValueError(f"status {status}: {text[:200]}")
        self.count("answers", time.perf_counter() - since)

    def asked(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.rest, timeout=60)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def bad(self, client, draw: random.Random) -> None:
        """what must be refused, each with a code for bad requests; 400 or 404 over REST."""
        import grpc

        picture, kind = draw.choice(self.pictures), draw.randrange(6)
        if kind == 0:
            status, text = self.asked(
                "POST",
                f"/v1/models/{draw.choice(('taxonomy', 'nobody'))}:predict",
                json.dumps({"inputs": [[1, "a"]]}),
            )
            if status not in (400, 404):
                raise ValueError(f"status {status}: {text[:200]}")
            self.count("refused")
            return
        try:
            if kind == 1:
                client.predict(
                    "image_bytes",
                    {
                        "image_bytes": [
                            picture[: draw.randrange(1, len(picture) // 2)]
                            if draw.random() < 0.5
                            else b"no picture"
                        ]
                    },
                )
            elif kind == 2:
                client.predict(f"nothing {draw.random()}", {"image_bytes": [picture]})
            elif kind == 3:
                client.predict("image_bytes", {"image_bytes": np.ones(3, "float32")})
            elif kind == 4:
                client.predict(
                    "image_bytes",
                    {"image_bytes": [picture]},
                    ["normal", f"nothing {draw.random()}"],
                )
            else:
                client.channel.unary_unary(PREDICT)(
                    draw.randbytes(draw.randrange(1, 2000)), timeout=60
                )
        except grpc.RpcError as error:
            if error.code().name not in (NO_MESSAGE if kind == 5 else BAD):
                raise
            self.count("refused")
            return
        if kind not in (
            1,
            5,
        ):  # random bytes may be a request by chance; half a JPEG may still be one
            raise ValueError(f"a bad request of kind {kind} was answered")

    def leaving(self, client, draw: random.Random) -> None:
        """clients that do not wait for their answer: cancelled, out of time, or gone in the middle
        of a body.
        """
        import grpc

        kind = draw.randrange(3)
        if kind == 2:
            host, port = self.rest.split(":")
            with socket.create_connection((host, int(port)), timeout=60) as one:
                one.sendall(
                    b"POST /v1/models/taxonomy:predict HTTP/1.1\r\n"
                    b"Host: a\r\nContent-Length: 1000\r\n\r\n{" + b" " * draw.randrange(900)
                )
        else:
            asked = self.request(draw.choice(self.pictures))
            waiting = client.channel.unary_unary(PREDICT).future(
                asked, timeout=60 if kind == 0 else draw.choice((0.001, 0.005, 0.02))
            )
            if kind == 0:
                time.sleep(draw.random() * 0.02)
                waiting.cancel()
            else:
                try:
                    code = waiting.code().name
                except grpc.FutureCancelledError:
                    code = "CANCELLED"
                if code not in LATE:
                    raise ValueError(f"{code} for a short deadline")
        self.count("left")

    @staticmethod
    def request(picture: bytes) -> bytes:
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        made = predict_pb2.PredictRequest()
        made.model_spec.name, made.model_spec.signature_name = "taxonomy", "image_bytes"
        made.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto(np.array([picture], object)))
        return made.SerializeToString()

    def row(self) -> dict:
        """counts and latencies since the last one."""
        with self.lock:
            taken, counts, failures = (
                np.array(self.taken or [np.nan]) * 1e3,
                dict(self.counts),
                self.failures,
            )
            self.taken, self.failures = [], []
            self.counts = dict.fromkeys(self.counts, 0)
        for words in failures[:3]:
            print(f"  failed: {words}", file=sys.stderr, flush=True)
        return {
            **counts,
            "failures": len(failures),
            "p50_ms": round(float(np.median(taken)), 1),
            "p99_ms": round(float(np.percentile(taken, 99)), 1),
        }


def swapped(bundle: Path, base: Path) -> None:
    """the same bundle as the next version; all but the newest two go."""
    from serving.release.process import link_tree

    numbers = sorted(int(path.name) for path in base.iterdir() if path.name.isdigit())
    made = link_tree(bundle, base / f".{numbers[-1] + 1}")
    made.rename(base / str(numbers[-1] + 1))
    for number in numbers[:-1]:
        shutil.rmtree(base / str(number))


def state(pid: int) -> dict:
    """of the server's process, now."""
    from serving.release.process import memory

    return {
        "resident_mib": memory(pid)[0],
        "threads": len(os.listdir(f"/proc/{pid}/task")),
        "files": len(os.listdir(f"/proc/{pid}/fd")),
    }


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--run", type=Path, default=ROOT / "runs" / "demo")
    options.add_argument("--minutes", type=float, default=5.0)
    options.add_argument(
        "--rate",
        type=float,
        default=1.0,
        help="questions a second of each of four kinds, in the mean",
    )
    options.add_argument("--swap-minutes", type=float, default=3.0, help="between two versions")
    options.add_argument("--out", type=Path, default=Path("soak.csv"), help="a row a minute")
    options = options.parse_args()
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # told to stop is interrupted: the server goes too, and the table is printed
    rows: list[dict] = []
    with tempfile.TemporaryDirectory() as scratch:
        bundle, _, _, words = pushed_or_synthetic(options.run, Path(scratch) / "made")
        bundle = shutil.copytree(
            bundle, Path(scratch) / "kept"
        )  # a pipeline may sweep its own away in these hours
        print(
            f"bundle    {words}\nmachine   {os.cpu_count()} cores, load "
            f"{os.getloadavg()[0]:.1f}; {options.minutes:g} minutes, rows in {options.out}",
            flush=True,
        )
        try:
            soak(bundle, Path(scratch) / "base", options, rows)
        except KeyboardInterrupt:
            print("interrupted; the table so far", file=sys.stderr)
    return table(rows)


def soak(bundle: Path, base: Path, options, rows: list[dict]) -> None:
    """fill `rows`, one a minute."""
    from serving.bundle.assets import read_extras
    from serving.release.process import ServerProcess, link_tree, serve_command

    link_tree(bundle, base / "1")
    flags = [
        "--rest_api_port=0",
        "--file_system_poll_wait_seconds=1",
        f"--monitoring_config_file={monitoring(base.parent)}",
    ]
    with (
        ServerProcess([*serve_command(base), *flags]) as server,
        open(options.out, "w", newline="") as file,
    ):
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        load = Load(server.address, server.rest(), read_extras(bundle)[0]["size"], options.rate)
        threads, since, swaps, before = load.start(), time.monotonic(), 0, 0
        try:
            while (minute := len(rows) + 1) <= options.minutes:
                while time.monotonic() - since < 60 * minute:
                    time.sleep(0.5)
                    if time.monotonic() - since > 60 * options.swap_minutes * (swaps + 1):
                        swapped(bundle, base)
                        swaps += 1
                rows.append(
                    {"minute": minute, **state(server.pid), "swaps": swaps - before, **load.row()}
                )
                before = swaps
                writer.writerow(rows[-1])
                file.flush()
        finally:
            load.stop.set()
            for thread in threads:
                thread.join(60)


def monitoring(folder: Path) -> Path:
    made = folder / "monitoring.config"
    made.write_text("prometheus_config { enable: true }")
    return made


def table(rows: list[dict]) -> int:
    """at most 25 rows, then the sums; 1 if anything failed."""
    if not rows:
        print("no minute was finished")
        return 1
    print(
        "minute  resident MiB  threads  open files  answers  refused   left  swaps  failures "
        "   p50 ms    p99 ms"
    )
    for row in rows[:: max(1, -(-len(rows) // 25))]:
        print(
            f"{row['minute']:6d} {row['resident_mib']:13d} {row['threads']:8d} "
            f"{row['files']:11d} {row['answers']:8d} {row['refused']:8d} {row['left']:6d} "
            f"{row['swaps']:6d} {row['failures']:9d} {row['p50_ms']:9.1f} {row['p99_ms']:9.1f}"
        )
    third = max(1, len(rows) // 3)
    early, late = (
        np.median([row["resident_mib"] for row in part])
        for part in (rows[third : 2 * third] or rows, rows[-third:])
    )
    total = {
        name: sum(row[name] for row in rows)
        for name in ("answers", "refused", "left", "swaps", "failures")
    }
    print(f"\n{len(rows)} minutes: {', '.join(f'{count} {name}' for name, count in total.items())}")
    print(
        f"resident memory, medians: {early:.0f} MiB in the second third, {late:.0f} MiB in "
        f"the last ({late - early:+.0f})"
    )
    return int(total["failures"] > 0)


if __name__ == "__main__":
    sys.exit(main())
