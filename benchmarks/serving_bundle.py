"""One bundle that answers every task about a picture, against one servable a task: `python
benchmarks/serving_bundle.py`.

Goal: at least 5 times as fast at the default budget. Both sides hold the same networks, exported in
the same way, read the same JPEG and give the same answers; rounds alternate, so that other work on
the machine meets both, and the first call of a round is not counted: it pays for what the other
side left in caches and for its threads, which go on looking for work for a while. The bundle is the
one that `make demo` pushed (runs/demo), else one of demo size with random weights, which costs the
same to run. Separate servables are asked one after another and all at once.

What can be shared is the decoding of the picture and the encoders; a head is as much work in either
place. `work` takes both sides apart and prints the ratio that sharing alone allows on one core; a
bundle asked once can beat it on several, where servables asked in turn leave cores idle between
their small networks.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "fixtures" / "networks")]
for name, value in (
    ("TF_CPP_MIN_LOG_LEVEL", "3"),
    ("CUDA_VISIBLE_DEVICES", "-1"),
    ("GRPC_VERBOSITY", "NONE"),
    ("PYTHONWARNINGS", "ignore"),
):
    os.environ.setdefault(name, value)
warnings.simplefilter("ignore")  # of packages about the age of this Python

GOAL = 5.0
ROW = 3
THREADS = (
    ("1", "one thread an operation, operations side by side"),
    ("0", "TensorFlow's default: every operation on all cores"),
)
SUPERVISED = [
    "autoencoding",
    "edge_texture",
    "inpainting",
    "keypoints2d",
    "normal",
    "segment_unsup25d",
]  # what the demo buys


class Bare:
    """A SavedModel in a session, called with nothing in between: `bare(signature, value, outputs)`
    -> arrays. value: of the one input, or input -> array.
    """

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        self.session = tf.compat.v1.Session(graph=tf.Graph())
        with self.session.graph.as_default():
            self.signatures = tf.compat.v1.saved_model.loader.load(
                self.session, ["serve"], str(folder)
            ).signature_def
        self.made: dict = {}

    def __call__(
        self, signature: str, value: np.ndarray | dict, outputs: tuple[str, ...]
    ) -> list[np.ndarray]:
        key, inputs = (signature, outputs), self.signatures[signature].inputs
        if key not in self.made:
            fetches = [self.signatures[signature].outputs[name].name for name in outputs]
            self.made[key] = self.session.make_callable(
                fetches, [inputs[name].name for name in sorted(inputs)]
            )
        return self.made[key](
            *([value[name] for name in sorted(inputs)] if isinstance(value, dict) else [value])
        )


def pushed_or_synthetic(run: Path, scratch: Path) -> tuple[Path, Path, Path, str]:
    """(bundle, networks, transfers, words): the newest version that `make demo` pushed, with the
    networks it was made from, or a synthetic one.
    """
    found = sorted(
        (run / "serving" / "taxonomy").glob("[0-9]*/saved_model.pb"),
        key=lambda path: int(path.parent.name),
    )
    # the artifact, not the ledger beside it: that has no networks from scratch
    trained = sorted(
        (run / "artifacts" / "TrainPolicy" / "transfers").glob("[0-9]*"),
        key=lambda path: int(path.name),
    )
    if found and trained and has_forms(found[-1].parent):
        return (
            found[-1].parent,
            run / "work" / "networks",
            trained[-1],
            f"pushed by {run}",
        )
    from synthetic_policy import synthetic_bundle

    from tfx_pipeline.config import laptop

    config = laptop()
    bundle = synthetic_bundle(scratch, config.network, config.image_size, SUPERVISED)
    return (
        bundle,
        scratch / "networks",
        scratch / "transfers",
        f"demo size, random weights (no bundle of today's form in {run})",
    )


def has_forms(bundle: Path) -> bool:
    from serving.bundle.assets import read_extras

    try:
        return "networks" in read_extras(bundle)[1]
    except OSError:
        return False


def jpeg(size: int, count: int = 1) -> np.ndarray:
    """[count] encoded pictures of twice the training size, quality 90."""
    import io

    from PIL import Image

    made = []
    for i in range(count):
        y, x = np.mgrid[: 2 * size, : 2 * size] / (2 * size)
        noise = np.random.default_rng(i).normal(0, 12, (2 * size, 2 * size, 3))
        buffer = io.BytesIO()
        Image.fromarray(
            np.clip(np.stack([x, y, (x + y + i / 8) % 1], -1) * 255 + noise, 0, 255).astype("uint8")
        ).save(buffer, "JPEG", quality=90)
        made.append(buffer.getvalue())
    return np.array(made, object)


def alternating(calls: dict, rounds: int, seconds: float) -> dict[str, np.ndarray]:
    """seconds of every call, taken in turn until `rounds` or `seconds` are up; two unmeasured
    rounds first, and in each round `ROW` calls after one that is not counted.
    """
    taken, until = {name: [] for name in calls}, time.perf_counter() + seconds
    for i in range(rounds + 2):
        for name, call in calls.items():
            for repeated in range(ROW + 1):
                since = time.perf_counter()
                call()
                if i >= 2 and repeated:
                    taken[name].append(time.perf_counter() - since)
        if time.perf_counter() > until and i > 6:
            break
    return {name: np.array(values) for name, values in taken.items()}


def milliseconds(values: np.ndarray) -> str:
    return f"{np.median(values) * 1e3:8.1f} {np.percentile(values, 99) * 1e3:8.1f}"


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--run", type=Path, default=ROOT / "runs" / "demo")
    options.add_argument("--rounds", type=int, default=60)
    options.add_argument("--seconds", type=float, default=12.0, help="at most, a comparison")
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bundle, networks, transfers, words = pushed_or_synthetic(
            options.run, Path(scratch) / "made"
        )
        from models.tasks import TASKS
        from serving.bundle.assets import read_extras
        from serving.bundle.build import build_servables

        contract, lineage = read_extras(bundle)
        names = [name for name in TASKS if name in contract["tasks"] and TASKS[name].images == 1]
        policy = {
            **lineage["policy"],
            "edges": [edge for edge in lineage["policy"]["edges"] if edge["target"] in names],
        }
        apart = build_servables(
            policy,
            networks,
            transfers,
            Path(scratch) / "apart",
            lineage={},
            image_size=contract["size"],
        )
        print(
            f"bundle    {words}; {len(lineage['networks']['encoders'])} encoders, "
            f"{contract['size']} pixels; {len(names)} tasks about one picture"
        )
        print(f"machine   {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")

        def megabytes(folders):
            return (
                sum(
                    file.stat().st_size
                    for folder in folders
                    for file in Path(folder).rglob("*")
                    if file.name.startswith(("saved_model", "variables."))
                )
                / 2**20
            )

        print(
            f"on disk   one bundle {megabytes([bundle]):.1f} MiB, {len(apart)} servables "
            f"{megabytes(apart.values()):.1f} MiB\n"
        )
        for threads, words in THREADS:
            print(words, flush=True)
            environment = {
                **os.environ,
                "TF_NUM_INTRAOP_THREADS": threads,
                "TF_NUM_INTEROP_THREADS": str(os.cpu_count()),
            }
            command = [
                sys.executable,
                __file__,
                "--engines",
                str(bundle),
                str(Path(scratch) / "apart"),
                str(options.rounds),
                str(options.seconds),
            ]
            subprocess.run(
                command, env=environment, check=True
            )  # the number of threads is fixed by a process's first session
        for threads, words in THREADS:
            print(words, flush=True)
            over_grpc(
                bundle,
                apart,
                names,
                contract["size"],
                options,
                [f"--tensorflow_intra_op_parallelism={threads}"],
            )
    return 0


def engines(bundle: str, apart: str, rounds: str, seconds: str) -> int:
    """in its own process: the bundle and the servables below `apart`, called without a server."""
    from serving.bundle.assets import read_extras

    one, many = (
        Bare(Path(bundle)),
        {path.name: Bare(path) for path in sorted(Path(apart).iterdir())},
    )
    text = jpeg(read_extras(bundle)[0]["size"])
    work(one, many, text)
    for title, form in FORMS.items():
        everything = tuple(
            output for name in many for output in form(one.signatures["image_bytes"], name)
        )
        single = {name: form(many[name].signatures[name], name) for name in many}
        calls = ways(
            lambda outputs=everything: one("image_bytes", text, outputs),
            lambda name, outputs=single: many[name](name, text, outputs[name]),
            many,
        )
        table(
            f"session runs, {title}",
            alternating(calls, int(rounds), float(seconds)),
            {name: processor_time(call) for name, call in calls.items()},
        )
    return 0


def work(one: Bare, many: dict[str, Bare], text: np.ndarray) -> None:
    """core milliseconds of both sides' parts, and what sharing can give: pictures decoded once and
    encoders run once, heads as often as before.
    """
    sources = {
        name: sorted(bare.signatures[f"decode_{name}"].inputs) for name, bare in many.items()
    }
    codes = tuple(sorted({code for read in sources.values() for code in read}))
    kept = dict(zip(codes, one("encode", text, codes)))
    image = np.zeros(
        [
            1,
            *(
                dimension.size
                for dimension in one.signatures["encode_images"]
                .inputs["images"]
                .tensor_shape.dim[1:]
            ),
        ],
        "float32",
    )
    encoder = {
        code: spent(lambda code=code: one("encode_images", image, (code,))) for code in codes
    }
    encoders = spent(lambda: one("encode_images", image, codes))
    decoding = max(spent(lambda: one("encode", text, codes)) - encoders, 0)
    shared = spent(lambda: one("image_bytes", text, tuple(many))) - encoders - decoding
    heads = sum(
        spent(
            lambda name=name: many[name](
                f"decode_{name}", {code: kept[code] for code in sources[name]}, (name,)
            )
        )
        for name in many
    )
    again, runs = (
        sum(encoder[code] for read in sources.values() for code in read),
        sum(map(len, sources.values())),
    )
    rows = {
        "bundle": (1, decoding, len(codes), encoders, shared),
        "separate": (len(many), decoding * len(many), runs, again, heads),
    }
    print("work, core ms                  pictures            encoders            heads      sum")
    for title, (pictures, first, count, second, third) in rows.items():
        print(
            f"  {title:22s} {first:8.1f} ({pictures:2d} decoded) {second:8.1f} ({count:2d} "
            f"runs) {third:12.1f} {first + second + third:8.1f}"
        )
    (once, often), (all_of_one, all_of_many) = (
        (row[1] + row[3] for row in rows.values()),
        (row[1] + row[3] + row[4] for row in rows.values()),
    )
    print(
        f"  on one core {all_of_many / all_of_one:.1f} x; if heads cost nothing "
        f"{often / once:.1f} x\n",
        flush=True,
    )


def spent(call) -> float:
    """core milliseconds of a call that was made before."""
    for _ in range(3):
        call()
    return processor_time(call) * 1e3


def ways(together, alone, names) -> dict:
    """the three ways to ask for every task: `together()`, or `alone(name)` for each."""
    pool = ThreadPoolExecutor(len(names))
    return {
        "bundle": together,
        "separate, in turn": lambda: [alone(name) for name in names],
        "separate, at once": lambda: list(pool.map(alone, names)),
    }


def processor_time(call, rounds: int = 20) -> float:
    """seconds of all cores that a call takes: other work on the machine hardly shows in it."""
    since = time.process_time()
    for _ in range(rounds):
        call()
    return (time.process_time() - since) / rounds


def small(signature, name: str) -> tuple[str, ...]:
    from serving.bundle.forms import compact

    return tuple(compact(name, signature.outputs))


FORMS = {"floats": lambda signature, name: (name,), "small forms": small}


def table(
    title: str, taken: dict[str, np.ndarray], processor: dict[str, float] | None = None
) -> None:
    print(
        f"{title:30s}   p50 ms   p99 ms   against the bundle"
        + (" " * 18 + "core ms, against the bundle" if processor else "")
    )
    first = next(iter(taken.values()))
    for name, values in taken.items():
        ratio = np.median(values) / np.median(first)
        verdict = (
            ""
            if values is first
            else f"{ratio:6.1f} x   goal {GOAL:g}: {'met' if ratio >= GOAL else 'not met'}"
        )
        cores = (
            f"{processor[name] * 1e3:8.1f} {processor[name] / processor['bundle']:6.1f} x"
            if processor
            else ""
        )
        print(f"  {name:28s} {milliseconds(values)}   {verdict:34s} {cores}".rstrip())
    print(flush=True)


def over_grpc(
    bundle: Path, apart: dict, names: list[str], size: int, options, flags: list[str]
) -> None:
    """the same over the embedded server: two processes, one on the bundle, one on all servables."""
    from serving.client.client import Client
    from serving.release.process import ServerProcess, link_tree, serve_command

    if not knows("--model_config_file"):
        print("over gRPC: this server holds one model; separate servables need --model_config_file")
        return
    with tempfile.TemporaryDirectory() as folder:
        link_tree(bundle, Path(folder) / "bundle" / "1")
        entries = [
            f'config {{ name: "{name}" base_path: '
            f'"{link_tree(path, Path(folder) / name / "1").parent}" model_platform: "tensorflow" '
            "}"
            for name, path in apart.items()
        ]
        (Path(folder) / "models.config").write_text(
            "model_config_list { " + " ".join(entries) + " }"
        )
        several = [
            sys.executable,
            "-m",
            "serving",
            "serve",
            f"--model_config_file={folder}/models.config",
            "--port=0",
            *flags,
        ]
        with (
            ServerProcess([*serve_command(Path(folder) / "bundle"), *flags]) as server,
            ServerProcess(several) as other,
        ):
            one, many = (
                Client(server.address),
                {name: Client(other.address, name) for name in names},
            )
            text = list(jpeg(size))
            for title, form in FORMS.items():
                everything = [
                    output
                    for name in names
                    for output in form(one.signatures()["image_bytes"], name)
                ]
                single = {name: form(many[name].signatures()[name], name) for name in names}
                calls = ways(
                    lambda outputs=everything: one.predict(
                        "image_bytes", {"image_bytes": text}, outputs
                    ),
                    lambda name, outputs=single: many[name].predict(
                        name, {"image_bytes": text}, outputs[name]
                    ),
                    names,
                )
                table(f"over gRPC, {title}", alternating(calls, options.rounds, options.seconds))


def knows(flag: str) -> bool:
    """does the embedded server have `flag`?"""
    command = [sys.executable, "-m", "serving", "serve", "--help"]
    return (
        flag
        in subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False).stdout
    )


if __name__ == "__main__":
    sys.exit(engines(*sys.argv[2:]) if sys.argv[1:2] == ["--engines"] else main())
