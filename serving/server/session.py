"""One loaded version: a SavedModel in a session of its own, its signatures as its file states them,
warmed up, run without a Python layer between.

`Session._call_tf_sessionrun` is the C++ `Session::Run`: it checks no shapes (ops do), words type
errors as TensorFlow Serving does and frees the GIL. It is a private name: where it is gone, the
public `Session.run` takes over.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np

from serving.errors import (
    ServingError,
    from_tensorflow,
    gone,
    internal,
    invalid,
    late,
    precondition,
    unimplemented,
)

DEFAULT = "serving_default"
MOST_WARMUP = 1000  # records
MOST_PLANS = 64  # sets of asked outputs that a session compiles; it keeps each for good, MiB apiece
WARMUP = Path("assets.extra") / "tf_serving_warmup_requests"
PREDICT_METHODS = (
    "tensorflow/serving/predict",
    "tensorflow/serving/classify",
    "tensorflow/serving/regress",
)


class Version:
    """One SavedModel. number: its version; signatures: name -> SignatureDef, exactly the file's.

    scheduler: a `batching.Scheduler`, or None to run every request by itself; threads: (intra,
    inter) op threads, 0 for TensorFlow's choice. Raises what TensorFlow raises for a broken model,
    ServingError for a warm-up record that fails.
    """

    def __init__(
        self,
        folder: Path,
        number: int,
        *,
        tags: tuple[str, ...] = ("serve",),
        warmup: bool = True,
        warmups: int = 1,
        scheduler=None,
        threads: tuple[int, int] = (0, 0),
        strict: bool = False,
    ) -> None:
        import tensorflow as tf

        tf.get_logger().setLevel(
            "ERROR"
        )  # loading into a session is marked deprecated; it is what lets unasked heads be pruned
        self.number, self.folder, self.running, self.scheduler, self.strict = (
            number,
            folder,
            0,
            scheduler,
            strict,
        )
        self.signatures = signatures_of(folder, tags)
        settings = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=threads[0], inter_op_parallelism_threads=threads[1]
        )
        self.session = tf.compat.v1.Session(graph=tf.Graph(), config=settings)
        try:
            with self.session.graph.as_default():
                tf.compat.v1.saved_model.loader.load(self.session, list(tags), str(folder))
            self.tensors, self.plans, self.planning = {}, set(), threading.Lock()
            if warmup:
                for _ in range(max(warmups, 1)):
                    self.warm_up()
        except BaseException:
            self.session.close()
            raise

    def warm_up(self) -> None:
        """replay the records shipped with the model: the first real request should not pay for
        compilation. Any record that fails, fails the load.
        """
        import tensorflow as tf
        from tensorflow_serving.apis import prediction_log_pb2

        from serving.server.classify import classify, multi_inference, regress

        path = self.folder / WARMUP
        for i, record in enumerate(
            tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
            if path.exists() and path.stat().st_size
            else ()
        ):
            if i >= MOST_WARMUP:
                raise invalid(f"Number of warmup records exceeds the maximum of {MOST_WARMUP}")
            log = prediction_log_pb2.PredictionLog.FromString(record)
            kind = log.WhichOneof("log_type")
            if kind == "predict_log":
                request = log.predict_log.request
                inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
                self.run(request.model_spec.signature_name, inputs, request.output_filter)
            elif kind in ("classify_log", "regress_log"):
                request = getattr(log, kind).request
                (classify if kind == "classify_log" else regress)(
                    self, request.model_spec.signature_name, request.input
                )
            elif kind == "multi_inference_log":
                multi_inference(self, log.multi_inference_log.request)
            else:
                raise unimplemented(f"Unsupported log_type for warmup: {kind}")

    def signature(self, name: str):
        """(resolved name, SignatureDef). Raises FAILED_PRECONDITION. `in` first: indexing a
        protobuf map would add the key.
        """
        name = name or DEFAULT
        if name not in self.signatures:
            raise precondition(f'Serving signature key "{name}" not found.')
        return name, self.signatures[name]

    def run(
        self,
        signature: str,
        inputs: dict[str, np.ndarray],
        wanted=(),
        deadline: float | None = None,
        awaited=lambda: True,
    ) -> dict[str, np.ndarray]:
        """outputs by name; `wanted` empty: all. deadline: of time.monotonic(). awaited(): is the
        client still there? What is not begun when it has left is not run. Raises ServingError with
        TensorFlow Serving's codes.
        """
        import tensorflow as tf

        name, found = self.signature(signature)
        if self.strict and found.method_name not in PREDICT_METHODS:
            raise internal(
                "Expected prediction signature method_name to be one of "
                f"{{{', '.join(PREDICT_METHODS)}}}. Was: {found.method_name}"
            )
        check_inputs(found, inputs)
        names = check_outputs(found, wanted)
        feeds = {}
        for i, (alias, value) in enumerate(sorted(inputs.items())):
            expected = tf.as_dtype(found.inputs[alias].dtype).base_dtype
            if tf.as_dtype(value.dtype).base_dtype != expected:
                raise invalid(
                    f"Expects arg[{i}] to be {kind_of(expected)} but "
                    f"{kind_of(tf.as_dtype(value.dtype))} is provided"
                )
            feeds[found.inputs[alias].name] = value
        for alias, value in getattr(found, "defaults", {}).items():
            if alias not in inputs:
                feeds[found.inputs[alias].name] = tf.make_ndarray(value)
        fetches = [found.outputs[alias].name for alias in names]
        return dict(zip(names, self.answered(feeds, fetches, deadline, awaited)))

    def answered(
        self,
        feeds: dict[str, np.ndarray],
        fetches: list[str],
        deadline: float | None = None,
        awaited=lambda: True,
        batched: bool = True,
    ) -> list:
        """values of the tensors `fetches`, in a batch with others where the server makes batches;
        CANCELLED without a run once nobody awaits them.
        """
        if not awaited():
            raise gone()
        return (
            self.scheduler.run(self, feeds, fetches, deadline, awaited)
            if self.scheduler and batched
            else self.fetch(feeds, fetches, deadline)
        )

    def fetch(
        self, feeds: dict[str, np.ndarray], fetches: list[str], deadline: float | None = None
    ) -> list[np.ndarray]:
        """one run of the graph: values of the tensors `fetches`. The time left is the session's own
        limit.
        """
        import tensorflow as tf

        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise late()
        try:
            plan = self.plan(feeds, fetches)
            values = dict(
                zip(plan, self.called({name: feeds[name] for name in sorted(feeds)}, plan, left))
            )
            return [values[name] for name in fetches]
        except tf.errors.OpError as error:
            raise from_tensorflow(error) from error
        except (ValueError, TypeError) as error:
            raise invalid(str(error).split("\n")[0]) from error

    def plan(self, feeds, fetches) -> tuple[str, ...]:
        """the tensors to fetch, sorted: those asked for, or a known set that holds them once
        MOST_PLANS are known (then unasked outputs are computed too).

        A session keeps what it compiled for every sequence of fed and fetched names, so strangers'
        filters must not make new ones without end.
        """
        fed, asked = tuple(sorted(feeds)), tuple(sorted(set(fetches)))
        with self.planning:
            if (fed, asked) not in self.plans and len(self.plans) >= MOST_PLANS:
                wider = [
                    plan for known, plan in self.plans if known == fed and set(asked) <= set(plan)
                ]
                asked = min(
                    wider, key=len, default=tuple(sorted({*asked, *self.every_output(fed)}))
                )
            self.plans.add((fed, asked))
        return asked

    def every_output(self, fed: tuple[str, ...]) -> set[str]:
        """tensors of all signatures that read exactly `fed`."""
        alike = [
            one
            for one in self.signatures.values()
            if {value.name for value in one.inputs.values()} == set(fed)
        ]
        return {value.name for one in alike for value in one.outputs.values()}

    def called(self, feeds: dict, fetches: list[str], left: float | None):
        import tensorflow as tf

        options = (
            None
            if left is None
            else tf.compat.v1.RunOptions(timeout_in_ms=min(max(int(left * 1000), 1), 2**31 - 1))
        )
        raw = getattr(self.session, "_call_tf_sessionrun", None)
        if raw is None:
            return self.session.run(fetches, feeds, options=options)
        from tensorflow.python.client import pywrap_tf_session

        buffer = (
            pywrap_tf_session.TF_NewBufferFromString(options.SerializeToString())
            if options is not None
            else None
        )
        try:
            return raw(
                buffer,
                {self.tensor(name): value for name, value in feeds.items()},
                [self.tensor(name) for name in fetches],
                [],
                None,
            )
        finally:
            if buffer is not None:
                pywrap_tf_session.TF_DeleteBuffer(buffer)

    def tensor(self, name: str):
        """the C++ handle of a tensor, looked up once."""
        if name not in self.tensors:
            self.tensors[name] = self.session.graph.get_tensor_by_name(name)._as_tf_output()
        return self.tensors[name]

    def close(self, patience: float = 60) -> None:
        """after the last running request, or `patience` seconds."""
        until = time.monotonic() + patience
        while self.running and time.monotonic() < until:
            time.sleep(0.02)
        self.session.close()


def kind_of(dtype) -> str:
    """as TensorFlow's C++ names a tf.DType: float, not float32."""
    from tensorflow.core.framework import types_pb2

    return types_pb2.DataType.Name(dtype.base_dtype.as_datatype_enum).removeprefix("DT_").lower()


def signatures_of(folder: Path, tags: tuple[str, ...]) -> dict:
    """name -> SignatureDef of the meta graph with `tags`, byte for byte the file's. Raises
    NOT_FOUND, or ValueError for a broken file.
    """
    from google.protobuf import text_format
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel()
    try:
        if (folder / "saved_model.pb").exists():
            model.ParseFromString((folder / "saved_model.pb").read_bytes())
        else:
            text_format.Parse((folder / "saved_model.pbtxt").read_text(), model)
    except (DecodeError, text_format.ParseError, UnicodeDecodeError) as error:
        raise ValueError(f"Can't parse the SavedModel in {folder}: {error}") from error
    for graph in model.meta_graphs:
        if set(graph.meta_info_def.tags) == set(tags):
            found = {}
            for name, signature in graph.signature_def.items():
                found[name] = type(signature).FromString(
                    signature.SerializeToString()
                )  # a copy, so that the graph can be let go
            return found
    raise ValueError(
        f"Could not find meta graph def matching supplied tags: {{ {' '.join(tags)} }} in {folder}"
    )


def check_inputs(signature, inputs) -> None:
    """names of a request against the signature's; those with defaults may be left out. Raises
    INVALID_ARGUMENT.
    """
    optional = set(getattr(signature, "defaults", {}))
    sent, known = set(inputs), set(signature.inputs)
    extra, missing = sorted(sent - known), sorted(known - sent - optional)
    if len(sent) != len(known) and (extra or missing):
        raise invalid(
            f"input size does not match signature: {len(sent)}!={len(known)} "
            "len({{','.join(sorted(sent))}}) != len({{','.join(sorted(known))}}). "
            f"Sent extra: {{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}."
        )
    if missing:
        raise invalid(
            f"input tensor alias not found in signature: {missing[0]} (feed "
            f"{signature.inputs[missing[0]].name}). "
            f"Sent extra: {{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}."
        )


def check_outputs(signature, wanted) -> list[str]:
    """the outputs to return, all if `wanted` is empty. Raises INVALID_ARGUMENT."""
    names = list(wanted) or sorted(signature.outputs)
    for i, name in enumerate(names):
        if name not in signature.outputs:
            raise invalid(f"output tensor alias not found in signature: {name}")
        if name in names[:i]:
            raise invalid(f"duplicate output tensor alias: {name}")
    return names


__all__ = ["ServingError", "Version", "check_inputs", "check_outputs", "signatures_of"]
