"""What the embedded server costs over the bare SavedModel call, and how it stands many clients:
`python benchmarks/serving_overhead.py`.

Goal: at most 10 % over the bare call at batch 8 of encoded pictures, in every form of an answer.
The bare call runs in this process, the server in its own on the loopback, rounds alternate. "raw"
sends ready bytes and does not decode the answer: what the server adds; "client" is `serving.client`
with arrays in and out; "no-op server" is Python's gRPC sending as many bytes of nothing: no server
of this kind can add less. Then one to 64 clients at once, without and with batching in turn; then
the first question of a server, with and without warm-up records.

`--earlier FOLDER`, in place of all that: the server of another checkout beside this one's, on the
same bundle. "raw content" and "typed fields" are the two forms in which this one sends numbers; the
earlier one is asked for neither, and sends its own. First by the clock, call by call in turn, with
the processor time of the servers; then both under one to 64 clients.
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
from serving_bundle import ROOT, Bare, alternating, jpeg, milliseconds, pushed_or_synthetic

GOAL = 0.10
BATCH = 8
CLIENTS = (1, 2, 4, 8, 16, 32, 64)
TURNS, CALLS = 6, 15  # of `--earlier`, for the servers' processor time


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--run", type=Path, default=ROOT / "runs" / "demo")
    options.add_argument(
        "--paper",
        action="store_true",
        help="the first table alone, for two tasks on a network of the published size, 256 pixels",
    )
    options.add_argument("--earlier", type=Path, help="a checkout whose server stands beside")
    options.add_argument("--rounds", type=int, default=60)
    options.add_argument("--seconds", type=float, default=6.0, help="at most, a comparison")
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if options.paper:
            bundle, words = paper_size(Path(scratch) / "made")
        else:
            bundle, _, _, words = pushed_or_synthetic(options.run, Path(scratch) / "made")
        from serving.bundle.assets import WARMUP, read_extras
        from serving.release.process import ServerProcess, link_tree, serve_command

        size = read_extras(bundle)[0]["size"]
        print(
            f"bundle    {words}; {size} pixels\nmachine   {os.cpu_count()} cores, load "
            f"{os.getloadavg()[0]:.1f}\n"
        )
        base, cold = (
            link_tree(bundle, Path(scratch) / "warm" / "1").parent,
            link_tree(bundle, Path(scratch) / "cold" / "1", without=(WARMUP,)).parent,
        )
        if options.earlier:
            return beside_earlier(bundle, base, size, options)
        with ServerProcess(serve_command(base)) as server:
            overhead(bundle, server.address, size, options)
            if options.paper:
                return 0
            flags = [
                "--enable_batching=true",
                f"--batching_parameters_file={ROOT / 'serving' / 'production' / 'batching.config'}",
            ]
            with ServerProcess([*serve_command(base), *flags]) as batching:
                sweep(
                    {
                        "without batching": server.address,
                        "batching, 2 ms, 8 rows": batching.address,
                    },
                    size,
                    options.seconds / 6,
                )
        first_questions({"with warm-up records": base, "without": cold}, size)
    return 0


def paper_size(folder: Path) -> tuple[Path, str]:
    """(bundle, what it is in words): normals and scene classes from one encoder of the published
    size.
    """
    from synthetic_policy import synthetic_bundle

    from tfx_pipeline.config import paper

    config = paper()
    return synthetic_bundle(
        folder, config.network, config.image_size, ["normal"], ["normal", "class_scene"], order=1
    ), "published size, random weights"


def questions(signature) -> dict[str, tuple[str, ...]]:
    """title -> outputs to ask for, from the lightest answer to the heaviest."""
    from models.tasks import TASKS
    from serving.bundle.forms import compact

    names, offered = [name for name in TASKS if name in signature.outputs], signature.outputs
    coded = [f"{name}_codes" if f"{name}_codes" in offered else name for name in names]
    return {
        "classes": ("class_scene",),
        "one map, floats": ("normal",),
        "every task, PNG": tuple(output for name in names for output in compact(name, offered)),
        "every task, codes": tuple(coded),
        "every task, floats": tuple(names),
    }


def overhead(bundle: Path, address: str, size: int, options) -> None:
    """bare call against served call at batch 8."""
    from serving.client.client import Client
    from serving.release.process import ServerProcess

    bare, text = Bare(bundle), jpeg(size, BATCH)
    print(
        f"batch of {BATCH} JPEG pictures                             MB   p50 ms   p99 ms   "
        "over the bare call"
    )
    with (
        Client(address) as client,
        ServerProcess([sys.executable, __file__, "--no-op"]) as nothing,
        Client(nothing.address) as other,
    ):
        for title, wanted in questions(bare.signatures["image_bytes"]).items():
            raw = raw_call(client, text, wanted)
            length = len(raw())
            calls = {
                "bare SavedModel call": lambda wanted=wanted: bare("image_bytes", text, wanted),
                "server, raw": raw,
                "server, client": lambda wanted=wanted: client.predict(
                    "image_bytes", {"image_bytes": list(text)}, wanted
                ),
                "no-op server": no_op_call(other, text, length),
            }
            shown(title, length / 1e6, alternating(calls, options.rounds, options.seconds))
    print()


def beside_earlier(bundle: Path, base: Path, size: int, options) -> int:
    """both servers on one bundle, call by call in turn, then under the same clients in turn."""
    from serving.client.client import Client
    from serving.release.process import ServerProcess, serve_command
    from serving.wire.messages import RAW_NUMBERS

    bare, text = Bare(bundle), jpeg(size, BATCH)
    moved = ["env", "-C", str(options.earlier.resolve()), *serve_command(base)]
    with (
        ServerProcess(serve_command(base)) as server,
        ServerProcess(moved) as earlier,
        Client(server.address) as client,
        Client(earlier.address) as other,
    ):
        print(f"{'batch of 8':18s} {'call':22s} {'MB':>8s}   p50 ms   p99 ms   over the bare call")
        for title, wanted in questions(bare.signatures["image_bytes"]).items():
            raw = raw_call(client, text, wanted, (RAW_NUMBERS,))
            calls = {
                "bare SavedModel call": lambda wanted=wanted: bare("image_bytes", text, wanted),
                "server, raw content": raw,
                "server, typed fields": raw_call(client, text, wanted),
                "earlier server": raw_call(other, text, wanted),
            }
            shown(title, len(raw()) / 1e6, alternating(calls, options.rounds, options.seconds))
            spent = processor_time(calls, server.pid, earlier.pid)
            print(
                "  " + ", ".join(f"{name} {ms:.1f}" for name, ms in spent.items()) + " ms of cores"
            )
        print()
        sweep({"now": server.address, "earlier": earlier.address}, size, options.seconds / 6)
    return 0


def processor_time(calls: dict, now: int, earlier: int) -> dict[str, float]:
    """milliseconds of cores that a server's process (by id) spends on a call: the least mean of
    `TURNS` turns of `CALLS` calls. A tick of the system's clock is 10 ms.
    """
    spent: dict[str, list[float]] = {}
    for _ in range(TURNS):
        for name, call in calls.items():
            if name == "bare SavedModel call":
                continue
            call()
            pid = earlier if name == "earlier server" else now
            before = seconds_of_cores(pid)
            for _ in range(CALLS):
                call()
            spent.setdefault(name, []).append((seconds_of_cores(pid) - before) / CALLS)
    return {name: 1e3 * min(values) for name, values in spent.items()}


def seconds_of_cores(pid: int) -> float:
    """user's and system's of a process, of Linux."""
    # after the name, which may hold blanks: fields 14 and 15 of proc(5)
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def shown(title: str, megabytes: float, taken: dict[str, np.ndarray]) -> None:
    first = np.median(taken["bare SavedModel call"])
    for name, values in taken.items():
        more = np.median(values) / first - (0 if name == "no-op server" else 1)
        verdict = {"bare SavedModel call": "", "no-op server": f"{more:+8.1%}   the floor"}.get(
            name
        )
        if verdict is None:
            verdict = f"{more:+8.1%}   goal {GOAL:.0%}: {'met' if more <= GOAL else 'not met'}"
        print(
            f"  {title:18s} {name:22s} {megabytes:8.2f} "
            f"{milliseconds(values)}   {verdict}".rstrip(),
            flush=True,
        )


def no_op_call(client, text: np.ndarray, length: int):
    """as many bytes there and back as the question takes, with nothing done between."""
    call = client.channel.unary_unary("/nothing/Send")
    data = length.to_bytes(8, "big") + b"".join(text)
    return lambda: call(data, timeout=60)


def no_op() -> int:
    """a server that sends the number of bytes it is asked for."""
    from concurrent import futures

    import grpc

    kept = bytes(64 << 20)
    method = grpc.unary_unary_rpc_method_handler(
        lambda data, context: kept[: int.from_bytes(data[:8], "big")]
    )
    server = grpc.server(
        futures.ThreadPoolExecutor(4),
        handlers=[grpc.method_handlers_generic_handler("nothing", {"Send": method})],
    )
    print(f"gRPC on 127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}", flush=True)
    server.start()
    server.wait_for_termination()
    return 0


def raw_call(client, text: np.ndarray, wanted: tuple[str, ...], metadata: tuple = ()):
    """a call that sends ready bytes and leaves the answer undecoded."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    request = client.named(predict_pb2.PredictRequest(output_filter=wanted), "image_bytes")
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto(text))
    data = request.SerializeToString()
    call = client.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    return lambda: call(data, timeout=60, metadata=metadata)


def sweep(servers: dict[str, str], size: int, seconds: float) -> None:
    """one to 64 clients, each asking one picture's normals again and again over a connection of its
    own; the servers twice in turn for every number.
    """
    text = jpeg(size)
    print(f"{'one picture, one map':28s} clients   answers/s   p50 ms   p99 ms   errors")
    for count in CLIENTS:
        found = {title: ([], [], []) for title in servers}
        for title, address in [*servers.items()] * 2:
            for total, part in zip(found[title], crowd(address, text, count, seconds)):
                total.extend(part)
        for title, (taken, errors, walls) in found.items():
            words = f"   {errors[0]}" if errors else ""
            print(
                f"  {title:26s} {count:7d}   {len(taken) / sum(walls):9.0f} "
                f"{milliseconds(np.array(taken))}   {len(errors)}{words}",
                flush=True,
            )
    print()


def crowd(
    address: str, text: np.ndarray, count: int, seconds: float
) -> tuple[list[float], list[Exception], list[float]]:
    """(seconds of every answer, errors, [wall seconds]) of `count` clients at once; connecting and
    the first answer are not measured.
    """
    from serving.client.client import Client

    taken, errors, ready = [], [], threading.Barrier(count + 1)

    def ask() -> None:
        with Client(address) as client:
            call = raw_call(client, text, ("normal",))
            call()
            ready.wait()
            until = time.perf_counter() + seconds
            while (since := time.perf_counter()) < until:
                try:
                    call()
                    taken.append(time.perf_counter() - since)
                except Exception as error:  # counted and shown, whatever it is
                    errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    ready.wait()
    since = time.perf_counter()
    for thread in threads:
        thread.join()
    return taken, errors, [time.perf_counter() - since]


def first_questions(bases: dict[str, Path], size: int) -> None:
    """every task and form of one picture, asked of a server that has answered nothing yet, then
    once more.
    """
    from serving.client.client import Client
    from serving.release.process import ServerProcess, memory, serve_command

    print("first question                   start s   first ms   second ms   server MiB")
    for title, base in bases.items():
        with ServerProcess(serve_command(base)) as server, Client(server.address) as client:
            client.signatures()
            taken = []
            for _ in range(2):
                since = time.perf_counter()
                client.predict("image_bytes", {"image_bytes": list(jpeg(size))})
                taken.append((time.perf_counter() - since) * 1e3)
            print(
                f"  {title:30s} {server.seconds_to_start:7.1f} {taken[0]:10.0f} "
                f"{taken[1]:11.0f} {memory(server.pid)[0]:12d}"
            )


if __name__ == "__main__":
    sys.exit(no_op() if sys.argv[1:2] == ["--no-op"] else main())
