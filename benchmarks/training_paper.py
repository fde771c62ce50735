"""Paper size on this machine: what each stage of the published study runs at, beside the
matrix-product rate measured in the same run, and the hours of the whole published schedule, with
the arithmetic.

    python benchmarks/training_paper.py [--batch 8] [--seconds 8] [--precision float32] [--jit]
    [--only task,transfer]
    KERAS_BACKEND=jax python benchmarks/training_paper.py --batch 32 --precision mixed_bfloat16
    --feeders 8     # a GPU, with JAX

Stages: `encode` (frozen encoder), `task` (a map task: feeding alone, ready batches, then `fit` with
real feeding), `adversarial`, `pair`, `triplet`, `tiles` (by `fit`), `transfer` (stacked members
from the store). Images are made up; code, sizes and schedules are `paper()`'s. FLOP are counted
from the layers (multiply-add = 2, training = 3 times forward). The hours take the shares of the
matrix product that the stages reach here: of the product measured here on a GPU, of --peak where
there is none.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
TRANSFERS = (
    (1736, 16_000, 30),
    (1396, 1_000, 200),
)  # how many, images, epochs: the released affinities' regimes
VIEWS, SIDE = 129_380 + 29_933 + 17_853, 256
STAGES = {
    "task": "depth_zbuffer",
    "adversarial": "depth_zbuffer",
    "pair": "fixated_pose",
    "triplet": "egomotion",
    "tiles": "jigsaw",
}


@dataclass(frozen=True)
class Row:
    """One measured stage: what it is (`key` of the schedule's lines), samples a second, and FLOP of
    one sample (0: of feeding).
    """

    key: str
    stage: str
    samples: float
    batch: int
    flop: float


class Pictures:
    """a store of made-up views in memory, decoded once: uint8 images, float16 targets."""

    size, hash = SIDE, "made-up"

    def __init__(self, count: int = 64) -> None:
        self.rgb = np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), dtype="uint8")

    def images(self, split: str) -> np.ndarray:
        return self.rgb

    def sums(self, name: str) -> None:
        return None

    def whitening(self, name: str) -> tuple[float, float]:
        return 0.0, 1.0

    def samples(self, name: str, split: str):
        """numbers of the right shape for maps of numbers, vectors and classes."""
        from models.examples.label_store import TaskSamples
        from models.tasks import TASKS

        task, rng, count = TASKS[name], np.random.default_rng(1), len(self.rgb)
        shape, masked = ((SIDE, SIDE), (SIDE, SIDE, 1)) if task.output.dense else ((), ())
        target = rng.normal(size=(count, *shape, task.output.channels)).astype("float16")
        if task.output.kind == "classes":
            target = np.eye(task.output.channels, dtype="float16")[
                rng.integers(task.output.channels, size=count)
            ]
        return TaskSamples(
            rng.integers(count, size=(count, task.images)).astype("int32"),
            target,
            np.ones((count, *masked), "float16"),
        )


def flops(model, side: int = SIDE) -> float:
    """multiply-adds times two of one sample's forward pass through convolutions and dense layers;
    an open image side counts as `side`.
    """
    import keras

    if None in model.input_shape[1:]:
        model = keras.models.clone_model(
            model, input_tensors=keras.Input((side, side, model.input_shape[-1]))
        )
    total = 0.0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            total += 2 * np.prod(layer.kernel.shape) * np.prod(layer.input.shape[1:3])
        elif isinstance(layer, keras.layers.Conv3D):
            total += 2 * np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:4])
        elif isinstance(layer, keras.layers.Conv2D):
            total += 2 * np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:3])
        elif isinstance(layer, keras.layers.Dense):
            total += 2 * np.prod(layer.kernel.shape)
    return float(total)


def rate(work, seconds: float) -> float:
    """calls a second after one call that compiles; `work` waits for its own result."""
    work()
    since, count = time.perf_counter(), 0
    while time.perf_counter() - since < seconds or count < 2:
        work()
        count += 1
    return count / (time.perf_counter() - since)


def matrix_rate(seconds: float, dtype: str, side: int) -> float:
    """FLOP/s of a square matrix product in the backend: twenty in a row, then one wait."""
    import keras
    from keras import ops

    a = ops.cast(
        ops.convert_to_tensor(
            np.random.default_rng(0).normal(0, side**-0.5, (side, side)).astype("float32")
        ),
        dtype,
    )
    if keras.backend.backend() == "jax":
        import jax

        product = jax.jit(ops.matmul)
    else:
        import tensorflow as tf

        product = tf.function(ops.matmul)

    def work() -> None:
        value = a
        for _ in range(20):
            value = product(value, a)
        np.asarray(ops.cast(value[0, 0], "float32"))

    return 20 * 2 * side**3 * rate(work, seconds)


def has_gpu() -> bool:
    import keras

    return any(
        "gpu" in str(device).lower() or "cuda" in str(device).lower()
        for device in keras.distribution.list_devices()
    )


class Bench:
    """measures stages under one configuration."""

    def __init__(self, config, seconds: float) -> None:
        self.config, self.seconds, self.store, self.rows = config, seconds, Pictures(), []

    def record(self, key: str, stage: str, calls: float, batch: int, flop: float) -> None:
        self.rows.append(Row(key, stage, calls * batch, batch, flop))
        print(
            f"  {stage}: {calls:.3f} calls/s of {batch}, {calls * batch * flop / 1e9:.0f} GF/s",
            file=sys.stderr,
            flush=True,
        )

    def train(self, stage: str) -> None:
        """one task network: by `fit`, and for `task` on ready batches too."""
        import keras

        from models.networks.task_networks.train import trainer
        from models.networks.training.batches import Batches
        from models.tasks import TASKS

        keras.backend.clear_session()
        config = replace(
            self.config, recipe="published", adversarial=stage == "adversarial", warm_up=0
        )
        task = TASKS[STAGES[stage]]
        network, model = trainer(task, config, SIDE)
        batches = Batches(self.store, task, config)
        flop = 3 * (network.images * flops(network.encoder) + flops(network.head))
        if stage == "adversarial":
            flop += 8 * flops(model.discriminator)
        if stage == "task":
            self.record(
                "", "feeding, one thread", rate(lambda: batches.batch(0), 2), batches.size, 0
            )
            ready = batches.batch(0)
            calls = rate(lambda: model.train_on_batch(*ready), self.seconds)
            self.record("", "task step, ready batch", calls, batches.size, flop)
        calls = fitted(model, batches, self.seconds)
        self.record(stage, f"{stage} step, fit and feeding", calls, batches.size, flop)
        batches.close()

    def encode(self) -> None:
        from models.networks.architecture.encoders import build_encoder
        from models.networks.task_networks.train import compiled, precision

        with precision(self.config.precision):
            encoder = build_encoder(self.config, 3, "encoder")
        image = (
            np.random.default_rng(0)
            .normal(size=(self.config.batch, SIDE, SIDE, 3))
            .astype("float32")
        )
        encoder.compile(jit_compile=compiled(self.config))
        self.record(
            "encode",
            "encode",
            rate(lambda: encoder.predict_on_batch(image), self.seconds),
            self.config.batch,
            flops(encoder),
        )

    def transfer(self, members: int = 2) -> None:
        """stacked members of order two into a map target, a batch taken from the store at each
        step.
        """
        from models.networks.task_networks.train import precision
        from models.networks.transfers.gradient.learner import build_stack
        from models.networks.transfers.gradient.samples import Samples
        from models.networks.transfers.gradient.schedule import Schedule

        def maps(index: int, split: str) -> np.ndarray:
            return np.random.default_rng(index).normal(
                size=(
                    len(self.store.rgb),
                    SIDE // 16,
                    SIDE // 16,
                    self.config.representation_channels,
                )
            )

        samples, slots = (
            Samples(self.store, maps, "depth_zbuffer", "val", [0, 1, 2]),
            np.array([[0, 1], [0, 2]]),
        )
        with precision(self.config.precision):
            stack = build_stack(
                self.store,
                "depth_zbuffer",
                samples,
                slots,
                [1, 2],
                self.config,
                Schedule(batch=self.config.batch),
            )
        rows = np.arange(self.config.batch)
        calls = rate(
            lambda: stack.train_on_batch(samples.take(rows), np.zeros(len(rows), "float32")),
            self.seconds,
        )
        self.record(
            "transfer",
            f"transfer step, {members} members, store",
            calls,
            self.config.batch,
            3 * members * flops(stack.template()),
        )


def fitted(model, batches, seconds: float) -> float:
    """steps a second of `training.fit`, its first step (which compiles) left out."""
    import keras

    from models.networks.training.fit import fit

    class Clock(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.ends: list[float] = []

        def on_train_batch_end(self, batch, logs=None):
            self.ends.append(time.perf_counter())
            if len(self.ends) > 3 and self.ends[-1] - self.ends[0] > seconds:
                self.model.stop_training = True

    clock = Clock()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        fit(
            model,
            batches,
            10**5,
            "benchmark",
            saved=Path(folder) / "none.npz",
            address="",
            every=1e9,
            callbacks=[clock],
        )
    return (len(clock.ends) - 1) / (clock.ends[-1] - clock.ends[0])


def schedule(config) -> list[tuple[str, str, float]]:
    """(stage that it runs as, what, FLOP) of the published study: every task's steps and images,
    the adversary, encoding, transfers.
    """
    from models.networks.architecture.encoders import build_encoder
    from models.networks.architecture.heads import build_head, composes_poses
    from models.networks.architecture.transfer_heads import build_transfer_head
    from models.networks.training.adversarial import build_discriminator
    from models.networks.training.recipes import recipe
    from models.tasks import TASKS

    code = (SIDE // 16, SIDE // 16, config.representation_channels)
    encoder, judge = flops(build_encoder(config, 3, "encoder")), 8 * flops(build_discriminator(6))
    kinds: dict[str, list[float]] = {}
    for task in TASKS.values():
        if task.trained:
            images, own = 9 if task.input == "tiles" else task.images, recipe(task, config)
            head = flops(
                build_head(task, config, code, images, SIDE, composing=composes_poses(task, config))
            )
            kind = {2: "pair", 3: "triplet", 9: "tiles"}.get(
                images, "task" if own.norm_share == 1 else "adversarial"
            )
            each = 3 * (images * encoder + head) + (judge if kind == "adversarial" else 0)
            kinds.setdefault(kind, []).append(own.steps * own.batch * each)
    sources, targets = (
        sum(task.source for task in TASKS.values()),
        [task for task in TASKS.values() if task.target],
    )
    heads = [
        flops(build_transfer_head(task, config, (*code[:2], 2 * code[2]), task.images, SIDE))
        for task in targets
    ]
    samples, mean = (
        sum(count * images * epochs for count, images, epochs in TRANSFERS),
        float(np.mean(heads)),
    )
    return [
        *((kind, f"{len(flop)} task networks: {kind}", sum(flop)) for kind, flop in kinds.items()),
        (
            "encode",
            f"{VIEWS} views by {sources} encoders of {encoder / 1e9:.1f} GF",
            VIEWS * sources * encoder,
        ),
        (
            "transfer",
            f"transfers: {samples:.2e} samples x 3 x {mean / 1e9:.1f} GF (mean head, order 2)",
            samples * 3 * mean,
        ),
    ]


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--batch",
        type=int,
        default=8,
        help="the paper's is 32; pairs and tiles take their share of it",
    )
    options.add_argument("--seconds", type=float, default=8, help="of each stage")
    options.add_argument(
        "--precision", default="float32", choices=("float32", "mixed_bfloat16", "mixed_float16")
    )
    options.add_argument(
        "--jit", action="store_true", help="XLA on TensorFlow; JAX always compiles"
    )
    options.add_argument("--feeders", type=int, default=1)
    options.add_argument(
        "--minutes", type=float, default=600, help="after these, print what was reached"
    )
    options.add_argument("--only", default=",".join(("encode", *STAGES, "transfer")))
    options.add_argument(
        "--peak",
        type=float,
        default=989e12,
        help="dense bf16 FLOP/s of the assumed GPU (H100, H200)",
    )
    options.add_argument(
        "--efficiency",
        type=float,
        default=0.4,
        help="share of the peak that is assumed where there is no GPU",
    )
    chosen = options.parse_args()
    import keras

    from tfx_pipeline.config import paper

    gpu, dtype = has_gpu(), chosen.precision.removeprefix("mixed_")
    config = replace(
        paper().network,
        batch=chosen.batch,
        precision=chosen.precision,
        jit=chosen.jit,
        feeders=chosen.feeders,
    )
    print(
        f"backend {keras.backend.backend()}, {'GPU' if gpu else 'CPU'}, {chosen.precision}, "
        f"batch {chosen.batch}",
        file=sys.stderr,
    )
    best = matrix_rate(min(3, chosen.seconds), dtype, 8192 if gpu else 2048)
    lines = schedule(paper().network)  # builds every network: not when the time is over
    bench, since = Bench(config, chosen.seconds), time.perf_counter()
    told = threading.Lock()

    def tell(done: bool) -> None:
        """the tables, once: at the end, or where a stage (XLA compiles for minutes, and hears no
        signal) is still at work when the time is over.
        """
        if told.acquire(blocking=False):
            report(bench, lines, best, gpu, time.perf_counter() - since, chosen)
            sys.stdout.flush()
            if not done:
                os._exit(0 if bench.rows else 1)

    limit = threading.Timer(chosen.minutes * 60, tell, [False])
    limit.daemon = True
    limit.start()
    for stage in chosen.only.split(","):
        bench.train(stage) if stage in STAGES else getattr(bench, stage)()
    tell(True)


def report(
    bench: Bench, lines: list, best: float, gpu: bool, seconds: float, chosen: argparse.Namespace
) -> None:
    """print the stages, and the hours of `lines` (the published schedule) at their shares of
    `best`, the matrix product's FLOP/s.
    """
    if not bench.rows:
        print("the time was over before a stage was measured")
        return
    dtype = chosen.precision.removeprefix("mixed_")
    print(f"\nmatrix product {best / 1e9:.0f} GF/s in {dtype}; stages took {seconds:.0f} s")
    print(
        "stage                                samples/s  batch  steps/s  GF a sample    GF/s "
        " of the matrix product"
    )
    for row in bench.rows:
        achieved = row.samples * row.flop
        share = (
            f"{row.samples / row.batch:7.3f}  {row.flop / 1e9:11.1f}  {achieved / 1e9:6.0f}  "
            f"{achieved / best:6.0%}"
            if row.flop
            else ""
        )
        print(f"{row.stage:36s} {row.samples:9.2f}  {row.batch:5d}  {share}")
    project(
        lines,
        {row.key: row.samples * row.flop / best for row in bench.rows},
        best if gpu else chosen.peak,
        gpu,
        chosen.efficiency,
    )


def project(
    lines: list, shares: dict[str, float], reference: float, gpu: bool, efficiency: float
) -> None:
    """print the schedule's sum and its hours. shares: of the matrix product, a stage; reference:
    FLOP/s of a GPU's matrix product.
    """
    mean = float(np.mean([share for key, share in shares.items() if key]))
    shares = {key: shares.get(key, mean) for key, _, _ in lines}  # a stage that was not asked for
    print(
        "\nthe published schedule (`paper()`: 121,300 steps a network, batches as released)  "
        "      FLOP   hours at the shares above"
    )
    for key, what, flop in lines:
        print(f"{what:80s} {flop:9.2e}  {flop / shares[key] / reference / 3600:6.1f}")
    total, hours = (
        sum(line[2] for line in lines),
        sum(flop / shares[key] / reference / 3600 for key, _, flop in lines),
    )
    source = (
        "measured here"
        if gpu
        else "the peak of an H100 or H200: no GPU was here, so this assumes that it reaches "
        "the same shares"
    )
    print(f"{'together':80s} {total:9.2e}  {hours:6.1f}")
    print(f"matrix product of the GPU {reference / 1e12:.0f} TF/s ({source})")
    if not gpu:
        print(
            f"at an assumed {efficiency:.0%} of it in every stage: "
            f"{total / reference / efficiency / 3600:.1f} GPU hours"
        )


if __name__ == "__main__":
    main()
