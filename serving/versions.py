"""Loaded versions of one model: polled from a folder, warmed up, swapped without a failed request.

The newest integer-named folder is aspired. It is loaded and warmed up first, then published, then the old one is closed when its last request ends.
A version that fails to load leaves the old one serving.
"""

from __future__ import annotations

import gc
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from serving.errors import ServingError, from_tensorflow, invalid, not_found, precondition

AVAILABLE, END, LOADING = 30, 50, 20


class Version:
    """One SavedModel in a session of its own."""

    def __init__(self, folder: Path, number: int) -> None:
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")  # loading into a session is marked deprecated; it is what lets unasked heads be pruned
        self.number, self.folder, self.running = number, folder, 0
        self.session = tf.compat.v1.Session(graph=tf.Graph())
        with self.session.graph.as_default():
            self.meta = tf.compat.v1.saved_model.loader.load(self.session, [tf.saved_model.SERVING], str(folder))
        self.signatures = {name: signature for name, signature in self.meta.signature_def.items() if not name.startswith("__")}
        self.warm_up()

    def warm_up(self) -> None:
        """replay the records shipped with the model: the first real request should not pay for compilation."""
        import tensorflow as tf
        from tensorflow_serving.apis import prediction_log_pb2

        path = self.folder / "assets.extra" / "tf_serving_warmup_requests"
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator() if path.exists() else ():
            request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
            self.run(request.model_spec.signature_name, {name: tf.make_ndarray(value) for name, value in request.inputs.items()}, ())

    def signature(self, name: str):
        name = name or "serving_default"
        if name not in self.signatures:
            raise precondition(f'Serving signature key "{name}" not found.')
        return name, self.signatures[name]

    def run(self, signature: str, inputs: dict[str, np.ndarray], wanted) -> dict[str, np.ndarray]:
        """outputs by name; `wanted` empty: all. Raises ServingError with TensorFlow Serving's codes."""
        import tensorflow as tf

        _, found = self.signature(signature)
        if set(inputs) != set(found.inputs):
            extra, missing = sorted(set(inputs) - set(found.inputs)), sorted(set(found.inputs) - set(inputs))
            raise invalid(
                f"input size does not match signature: {len(inputs)}!={len(found.inputs)} "
                f"Sent extra: {{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}."
            )
        names = list(wanted) or sorted(found.outputs)
        for name in names:
            if name not in found.outputs:
                raise invalid(f"output tensor alias not found in signature: {name}")
        if len(set(names)) != len(names):
            raise invalid(f"duplicate output tensor alias: {next(name for name in names if names.count(name) > 1)}")
        feeds = {}
        for i, (name, value) in enumerate(sorted(inputs.items())):
            wanted_type = tf.as_dtype(found.inputs[name].dtype)
            if tf.as_dtype(value.dtype) != wanted_type and not (wanted_type == tf.string and value.dtype == object):
                raise invalid(f"Expects arg[{i}] to be {wanted_type.name} but {tf.as_dtype(value.dtype).name} is provided")
            feeds[found.inputs[name].name] = value
        try:
            return dict(zip(names, self.session.run([found.outputs[name].name for name in names], feeds)))
        except tf.errors.OpError as error:
            raise from_tensorflow(error) from error
        except (ValueError, TypeError) as error:
            raise invalid(str(error).split("\n")[0]) from error

    def close(self, patience: float = 60) -> None:
        """after the last running request, or `patience` seconds."""
        until = time.time() + patience
        while self.running and time.time() < until:
            time.sleep(0.02)
        self.session.close()


class Model:
    """The aspired version of `base`, kept current by `poll`. states: version -> (state, error text)."""

    def __init__(self, name: str, base: Path) -> None:
        self.name, self.base, self.current, self.states, self.lock = name, base, None, {}, threading.Lock()

    def newest(self) -> int | None:
        """the highest integer-named folder that holds a complete model."""
        numbers = [int(path.name) for path in self.base.iterdir() if path.name.isdigit() and (path / "saved_model.pb").exists()] if self.base.is_dir() else []
        return max(numbers, default=None)

    def poll(self) -> None:
        """load what is aspired and not yet tried; publish it; close the old one."""
        number = self.newest()
        if (
            number is None
            or (self.current and self.current.number == number)
            or self.states.get(number, (0, ""))[0] == END
            and not (self.current and self.current.number > number)
        ):
            return
        self.states[number] = (LOADING, "")
        try:
            loaded = Version(self.base / str(number), number)
        except Exception as error:  # whatever a broken model raises, the old one keeps serving
            self.states[number] = (END, str(error).splitlines()[0] if str(error) else type(error).__name__)
            return
        with self.lock:
            old, self.current = self.current, loaded
        self.states[number] = (AVAILABLE, "")
        gc.collect()
        gc.freeze()
        if old:
            self.states[old.number] = (END, "")
            threading.Thread(target=old.close, daemon=True).start()

    @contextmanager
    def held(self, number: int | None = None):
        """the current version (or `number`, if that is it), kept open while held: counted under the lock that a swap takes, so that
        no request finds its session closed. Raises NOT_FOUND."""
        with self.lock:
            version = self.current
            if version is None or (number is not None and number != version.number):
                raise not_found(f"Servable not found for request: {f'Latest({self.name})' if number is None else f'Specific({self.name}, {number})'}")
            version.running += 1
        try:
            yield version
        finally:
            with self.lock:
                version.running -= 1


def keep_polling(model: Model, seconds: float, stop: threading.Event) -> threading.Thread:
    """a thread that polls until `stop`."""

    def loop() -> None:
        while not stop.wait(seconds):
            model.poll()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread


__all__ = ["Model", "ServingError", "Version", "keep_polling"]
