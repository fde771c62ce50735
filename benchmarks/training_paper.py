"""Paper size on this machine: steps a second and achieved FLOP/s of a task network, a transfer from the store, and encoding, against the matrix-product rate
measured in the same run; the rate of feeding alone; and GPU hours of the whole published schedule, with the arithmetic.

    python benchmarks/training_paper.py [--batch 8] [--seconds 20] [--precision float32] [--jit] [--efficiency 0.4 --peak 989e12]

Runs on whatever backend KERAS_BACKEND names. FLOP are counted from the layers (multiply-add = 2, training = 3 times forward). --peak and --efficiency: of the
GPU that the projection assumes; without --efficiency the share measured here is used.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
TASK_IMAGES, EPOCHS, TASKS_TRAINED = 129_380, 30, 25
TRANSFERS = ((1736, 16_000, 30), (1396, 1_000, 200))  # how many, images, epochs: the released affinities' regimes
VIEWS, SOURCES = 129_380 + 29_933 + 17_853, 26


def flops(model) -> float:
    """multiply-adds times two of one sample's forward pass through convolutions and dense layers; an open image side counts as 256."""
    import keras

    if None in model.input_shape[1:]:
        model = keras.models.clone_model(model, input_tensors=keras.Input((256, 256, model.input_shape[-1])))
    total = 0.0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            total += 2 * np.prod(layer.kernel.shape) * np.prod(layer.input.shape[1:3])
        elif isinstance(layer, keras.layers.Conv2D):
            total += 2 * np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:3])
        elif isinstance(layer, keras.layers.Dense):
            total += 2 * np.prod(layer.kernel.shape)
    return float(total)


def rate(work, seconds: float, warm: int = 2) -> float:
    """calls a second; `work` waits for its own result."""
    for _ in range(warm):
        work()
    since, count = time.perf_counter(), 0
    while time.perf_counter() - since < seconds or count < 2:
        work()
        count += 1
    return count / (time.perf_counter() - since)


def matrix_rate(seconds: float, dtype: str, side: int = 4096) -> float:
    """FLOP/s of a square matrix product in the backend."""
    import keras
    from keras import ops

    a = ops.cast(ops.convert_to_tensor(np.random.default_rng(0).normal(size=(side, side)).astype("float32")), dtype)
    compiled = compiled_matmul(keras.backend.backend())
    return 2 * side**3 * rate(lambda: np.asarray(ops.cast(compiled(a, a)[0, 0], "float32")), seconds)


def compiled_matmul(backend: str):
    from keras import ops

    if backend == "jax":
        import jax

        return jax.jit(ops.matmul)
    import tensorflow as tf

    return tf.function(ops.matmul)


class Pictures:
    """a store of made-up 256 x 256 views in memory, decoded once: uint8 images, float16 targets."""

    size, hash = 256, "made-up"

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(0)
        self.rgb = rng.integers(0, 256, (count, 256, 256, 3), dtype="uint8")
        self.target, self.mask = rng.normal(size=(count, 256, 256, 1)).astype("float16"), np.ones((count, 256, 256, 1), "float16")

    def images(self, split):
        return self.rgb

    def samples(self, name, split):
        from models.examples.label_store import TaskSamples

        return TaskSamples(np.arange(len(self.rgb), dtype="int32")[:, None], self.target, self.mask)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--batch", type=int, default=8)
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--precision", default="float32", choices=("float32", "mixed_bfloat16", "mixed_float16"))
    options.add_argument("--jit", action="store_true")
    options.add_argument("--peak", type=float, default=989e12, help="dense bf16 FLOP/s of the assumed GPU (H200)")
    options.add_argument("--efficiency", type=float, default=None)
    chosen = options.parse_args()
    import keras

    from models.networks.batches import Batches
    from models.networks.heads import build_head
    from models.networks.plan import NetworkConfig
    from models.networks.task_network import precision, trainer
    from models.tasks import TASKS

    task, dtype = TASKS["depth_zbuffer"], chosen.precision.removeprefix("mixed_")
    config = replace(NetworkConfig(), batch=chosen.batch, precision=chosen.precision, jit=chosen.jit, feeders=1)
    print(f"backend {keras.backend.backend()}, {chosen.precision}, batch {chosen.batch}, jit {chosen.jit}", file=sys.stderr)
    best = matrix_rate(min(5, chosen.seconds), dtype)
    network, model = trainer(task, config, 256)
    store, batches = Pictures(64), Batches(Pictures(64), task, config)
    encoder_flops, head_flops = flops(network.encoder), flops(network.head)
    rows, steps = [], iter(range(10**9))
    feeding = rate(lambda: batches.batch(next(steps)), min(5, chosen.seconds)) * chosen.batch

    def record(name: str, work, each: float) -> None:
        images = rate(work, chosen.seconds) * chosen.batch
        rows.append((name, images, each, images * each / best))
        print(f"  {name}: {images:.2f} images/s, {images * each / 1e9:.0f} GF/s", file=sys.stderr, flush=True)

    fed = iter(range(10**9))
    record("task network step, fed", lambda: model.train_on_batch(*batches[next(fed)]), 3 * (encoder_flops + head_flops))
    image = batches.batch(0)[0]
    record("encode", lambda: network.encoder.predict_on_batch(image), encoder_flops)
    with precision(chosen.precision):
        readout = build_head(task, config, (16, 16, 8), 1, 256)
    readout.compile(optimizer="adam", loss="mae", jit_compile=chosen.jit)
    codes, target = np.random.default_rng(0).normal(size=(chosen.batch, 16, 16, 8)).astype("float32"), np.asarray(store.target[: chosen.batch], "float32")
    record("transfer step from the store", lambda: readout.train_on_batch(codes, target), 3 * head_flops)
    batches.close()
    print(f"\nmatrix product {best / 1e9:.0f} GF/s in {dtype}; feeding alone {feeding:.0f} images/s")
    print("part                           images/s  steps/s  GF an image  GF/s  share of the matrix product")
    for name, images, each, share in rows:
        print(f"{name:30s} {images:8.2f}  {images / chosen.batch:7.3f}  {each / 1e9:11.1f}  {images * each / 1e9:4.0f}  {share:6.0%}")
    project(3 * (encoder_flops + head_flops), encoder_flops, 3 * head_flops, chosen.peak, chosen.efficiency, rows[0][3])


def project(task_step: float, encode: float, transfer_step: float, peak: float, assumed: float | None, measured: float) -> None:
    """print the sum of the published schedule and its hours."""
    tasks = TASKS_TRAINED * TASK_IMAGES * EPOCHS * task_step
    encoding = VIEWS * SOURCES * encode
    transfers = sum(count * images * epochs for count, images, epochs in TRANSFERS) * transfer_step
    total, share = tasks + encoding + transfers, measured if assumed is None else assumed
    print(f"\ntasks      {TASKS_TRAINED} x {TASK_IMAGES} images x {EPOCHS} epochs x {task_step / 1e9:.1f} GF = {tasks:.2e} FLOP")
    print(f"encoding   {VIEWS} views x {SOURCES} sources x {encode / 1e9:.1f} GF = {encoding:.2e} FLOP")
    text = " + ".join(f"{count} x {images} x {epochs}" for count, images, epochs in TRANSFERS)
    print(f"transfers  ({text}) x {transfer_step / 1e9:.1f} GF = {transfers:.2e} FLOP")
    source = "measured here, if the GPU reached the same share" if assumed is None else "assumed, not measured"
    print(f"together   {total:.2e} FLOP / ({peak:.3g} FLOP/s x {share:.0%} {source}) = {total / peak / share / 3600:.1f} GPU hours")
    print("not in the sum: the adversary and its wasted turns; every task counts as a one-image map task, though pairs, triples and tiles run more encoders")


if __name__ == "__main__":
    main()
