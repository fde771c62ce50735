"""Does a server's memory stay, whatever is sent? `python benchmarks/serving_memory.py --requests
20000 --out memory.csv`.

A server process of its own on a small model; sound requests, requests that are refused after their
tensors were read, requests that claim gigabytes, bytes that are no message of any method, JSON and
HTTP that is broken: all mixed, one after another from a few clients. Every so many requests a row:
how many were sent, resident memory. Held to 5 %: the last fifth against the first after a warm-up
(`tests/serving/test_faults.py` has a short form).
"""

from __future__ import annotations

import argparse
import csv
import http.client
import random
import statistics
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "fixtures" / "serving")]

import grpc  # noqa: E402
import numpy as np  # noqa: E402
from working_model import OUTPUTS, save_working  # noqa: E402

from serving.release.process import ServerProcess, memory, serve_command  # noqa: E402
from serving.server.grpc.service import METHODS  # noqa: E402
from serving.wire.messages import message  # noqa: E402

CLIENTS = 4
ROWS = 50
SEEDS = ROOT / "tests" / "fuzz" / "corpus"
PREDICT = "/tensorflow.serving.PredictionService/Predict"
ALLOWED = 1.05


def question(alias: str, rows: int, outputs: list[str], *, repeats: bool = False) -> bytes:
    """a serialised PredictRequest of [rows, 2] floats; repeats: one value that claims them all."""
    request = message("PredictRequest")(output_filter=outputs)
    request.model_spec.name = "working"
    tensor = request.inputs[alias]
    tensor.dtype = 1
    for size in (rows, 2):
        tensor.tensor_shape.dim.add(size=size)
    if repeats:
        tensor.float_val.append(1.0)
    else:
        tensor.tensor_content = np.ones((rows, 2), "float32").tobytes()
    data: bytes = request.SerializeToString()
    return data


def texts_that_repeat() -> bytes:
    """65 bytes that claim eight million texts."""
    request = message("PredictRequest")()
    request.model_spec.name = "working"
    tensor = request.inputs["x"]
    tensor.dtype = 7
    tensor.tensor_shape.dim.add(size=1 << 23)
    tensor.string_val.append(b"x")
    data: bytes = request.SerializeToString()
    return data


class Asker:
    """One client. codes: how often each status came."""

    def __init__(self, server: ServerProcess, seed: int) -> None:
        self.draw = random.Random(seed)
        self.channel = grpc.insecure_channel(server.address)
        self.rest = server.rest()
        self.codes: dict[str, int] = {}
        self.inputs = {
            name: [path.read_bytes() for path in sorted((SEEDS / name).iterdir())]
            for name in ("json", "grpc", "request_line")
        }
        self.kinds: list[Callable[[], str]] = [
            self.sound,
            self.refused,
            self.claiming,
            self.no_message,
            self.damaged,
            self.broken_json,
        ]

    def ask(self) -> None:
        code = self.draw.choice(self.kinds)()
        self.codes[code] = self.codes.get(code, 0) + 1

    def call(self, data: bytes, method: str = PREDICT) -> str:
        try:
            self.channel.unary_unary(method)(data, timeout=60)
        except grpc.RpcError as error:
            name: str = error.code().name
            return name
        return "OK"

    def sound(self) -> str:
        wanted = self.draw.sample([f"y{i}" for i in range(OUTPUTS)], self.draw.randrange(1, 5))
        return self.call(question("x", self.draw.randrange(1, 200), wanted))

    def refused(self) -> str:
        alias, output = self.draw.choice([("z", "y0"), ("x", "none")])
        return self.call(question(alias, self.draw.choice([10, 1000, 100_000]), [output]))

    def claiming(self) -> str:
        if self.draw.random() < 0.5:
            return self.call(texts_that_repeat())
        return self.call(question("x", 1 << 40, ["y0"], repeats=True))

    def no_message(self) -> str:
        service, method = self.draw.choice(list(METHODS.values()))
        return self.call(b"\xff\xff\xff", f"/tensorflow.serving.{service}/{method}")

    def damaged(self) -> str:
        data = bytearray(self.draw.choice(self.inputs["grpc"]))
        if data:
            data[self.draw.randrange(len(data))] = self.draw.randrange(256)
        return self.call(bytes(data))

    def broken_json(self) -> str:
        connection = http.client.HTTPConnection(self.rest, timeout=60)
        body = self.draw.choice(self.inputs["json"])[1:]
        connection.request("POST", "/v1/models/working:predict", body)
        status = connection.getresponse().status
        connection.close()
        assert status < 500, body
        return str(status)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--out", type=Path, help="rows as CSV")
    options = parser.parse_args()
    rows: list[tuple[int, int]] = []
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "working"
        base.mkdir()
        save_working(base / "1", 2.0)
        command = [*serve_command(base, "working"), "--rest_api_port=0"]
        with ServerProcess(command) as server:
            askers = [Asker(server, seed) for seed in range(CLIENTS)]
            block = max(options.requests // ROWS // CLIENTS, 1)
            with ThreadPoolExecutor(CLIENTS) as pool:
                for row in range(ROWS):
                    list(pool.map(lambda one: [one.ask() for _ in range(block)], askers))
                    rows.append(((row + 1) * block * CLIENTS, memory(server.pid)[0]))
                    print(f"{rows[-1][0]:8d} requests {rows[-1][1]:6d} MiB", flush=True)
    codes: dict[str, int] = {}
    for asker in askers:
        for code, count in asker.codes.items():
            codes[code] = codes.get(code, 0) + count
    print(", ".join(f"{code} {count}" for code, count in sorted(codes.items())))
    if options.out:
        with options.out.open("w", newline="") as file:
            csv.writer(file).writerows([("requests", "resident_mib"), *rows])
    fifth = ROWS // 5
    first = statistics.median(size for _, size in rows[fifth : 2 * fifth])
    last = statistics.median(size for _, size in rows[-fifth:])
    print(f"resident: {first:.0f} MiB in the second fifth, {last:.0f} MiB in the last")
    return 0 if last <= first * ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
