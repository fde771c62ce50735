"""What the embedded server costs over the bare SavedModel call, and how it stands many clients: `python benchmarks/serving_overhead.py`.

Goal: at most 10 % over the bare call at batch 8 of encoded pictures. The bare call runs in this process, the server in its own on the loopback, rounds
alternate. "raw" sends ready bytes and does not decode the answer: what the server adds; "client" is `serving.client` with arrays in and out. Then one to 32
clients at once, with and without batching where the server has that flag; then the first question of a server, with and without warm-up records.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from serving_bundle import ROOT, Bare, alternating, jpeg, knows, milliseconds, pushed_or_synthetic

GOAL = 0.10
BATCH = 8
QUESTIONS = {"one map": ["normal"], "classes": ["class_scene"], "every task": []}
CLIENTS = (1, 2, 4, 8, 16, 32)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--run", type=Path, default=ROOT / "runs" / "demo")
    options.add_argument("--rounds", type=int, default=60)
    options.add_argument("--seconds", type=float, default=6.0, help="at most, a comparison")
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bundle, _, _, words = pushed_or_synthetic(options.run, Path(scratch) / "made")
        from serving.extras import WARMUP, read_extras
        from serving.process import ServerProcess, linked, serve_command

        size = read_extras(bundle)[0]["size"]
        print(f"bundle    {words}; {size} pixels\nmachine   {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
        base, cold = linked(bundle, Path(scratch) / "warm" / "1").parent, linked(bundle, Path(scratch) / "cold" / "1", without=(WARMUP,)).parent
        with ServerProcess(serve_command(base)) as server:
            overhead(bundle, server.address, size, options)
            sweep("without batching", server.address, size, options.seconds / 4)
        batching(serve_command(base), Path(scratch), size, options)
        first_questions({"with warm-up records": base, "without": cold}, size)
    return 0


def tasks_of(signatures, names: list[str]) -> tuple[str, ...]:
    """`names`, or every task about one picture."""
    from models.tasks import TASKS

    return tuple(name for name in (names or TASKS) if name in signatures["image_bytes"].outputs and name in TASKS)


def overhead(bundle: Path, address: str, size: int, options) -> None:
    """bare call against served call at batch 8."""
    from serving.client import Client

    bare, text = Bare(bundle), jpeg(size, BATCH)
    print(f"batch of {BATCH} JPEG pictures                    p50 ms   p99 ms   over the bare call")
    with Client(address) as client:
        for title, names in QUESTIONS.items():
            wanted = tasks_of(bare.signatures, names)
            raw = raw_call(client, text, wanted)
            taken = alternating(
                {
                    "bare SavedModel call": lambda wanted=wanted: bare("image_bytes", text, wanted),
                    "server, raw": raw,
                    "server, client": lambda wanted=wanted: client.predict("image_bytes", {"image_bytes": list(text)}, wanted),
                },
                options.rounds,
                options.seconds,
            )
            first = np.median(taken["bare SavedModel call"])
            for name, values in taken.items():
                more = np.median(values) / first - 1
                verdict = "" if name.startswith("bare") else f"{more:+8.0%}   goal {GOAL:.0%}: {'met' if more <= GOAL else 'not met'}"
                print(f"  {title:12s} {name:24s} {milliseconds(values)}   {verdict}")
    print()


def raw_call(client, text: np.ndarray, wanted: tuple[str, ...]):
    """a call that sends ready bytes and leaves the answer undecoded."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    request = client.named(predict_pb2.PredictRequest(output_filter=wanted), "image_bytes")
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto(text))
    data = request.SerializeToString()
    call = client.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    return lambda: call(data, timeout=60)


def sweep(title: str, address: str, size: int, seconds: float) -> None:
    """one to 32 clients, each asking one picture's normals again and again over a connection of its own."""
    from serving.client import Client

    print(f"{title:30s} clients   answers/s   p50 ms   p99 ms   errors")
    text = jpeg(size)
    for count in CLIENTS:
        taken, errors, until = [], [], time.perf_counter() + seconds

        def ask(taken=taken, errors=errors, until=until) -> None:
            with Client(address) as client:
                call = raw_call(client, text, ("normal",))
                call()
                while time.perf_counter() < until:
                    since = time.perf_counter()
                    try:
                        call()
                        taken.append(time.perf_counter() - since)
                    except Exception as error:  # counted and shown, whatever it is
                        errors.append(error)

        threads = [threading.Thread(target=ask) for _ in range(count)]
        since = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rate = len(taken) / (time.perf_counter() - since)
        print(f"  {'':28s} {count:7d}   {rate:9.0f} {milliseconds(np.array(taken))}   {len(errors)}" + (f"   {errors[0]}" if errors else ""))
    print()


def batching(command: list[str], scratch: Path, size: int, options) -> None:
    """the same with the configuration of serving/production/batching.config, if the server knows the flag."""
    from serving.process import ServerProcess

    if not knows("--enable_batching"):
        print("with batching: this server has no --enable_batching\n")
        return
    flags = ["--enable_batching=true", f"--batching_parameters_file={ROOT / 'serving' / 'production' / 'batching.config'}"]
    with ServerProcess([*command, *flags]) as server:
        sweep("with batching (2 ms, 8 rows)", server.address, size, options.seconds / 4)


def first_questions(bases: dict[str, Path], size: int) -> None:
    """every task and form of one picture, asked of a server that has answered nothing yet, then once more."""
    from serving.client import Client
    from serving.process import ServerProcess, memory, serve_command

    print("first question                   start s   first ms   second ms   server MiB")
    for title, base in bases.items():
        with ServerProcess(serve_command(base)) as server, Client(server.address) as client:
            client.signatures()
            taken = []
            for _ in range(2):
                since = time.perf_counter()
                client.predict("image_bytes", {"image_bytes": list(jpeg(size))})
                taken.append((time.perf_counter() - since) * 1e3)
            print(f"  {title:30s} {server.seconds_to_start:7.1f} {taken[0]:10.0f} {taken[1]:11.0f} {memory(server.pid)[0]:12d}")


if __name__ == "__main__":
    sys.exit(main())
