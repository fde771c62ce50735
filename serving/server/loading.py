"""Makes a version ready to serve: it is loaded, and warmed up by the records that came with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.errors import invalid, unimplemented
from serving.release.signing import check_signed
from serving.server.classify import CLASSIFY, REGRESS, infer, multi_inference
from serving.server.session import Batches, Version
from serving.wire.model_spec import ModelSpec
from serving.wire.requests import Task, examples_of

WARMUP = Path("assets.extra") / "tf_serving_warmup_requests"
MOST_WARMUP = 1000  # records


@dataclass(frozen=True)
class Loading:
    """How versions are loaded.

    scheduler: makes batches of requests; threads: (intra, inter) op threads, 0 for TensorFlow's
    choice; strict: Predict asks for a signature of a known method; warmups: how often the records
    are replayed; retries: how often a load that fails is tried again, retry_seconds apart; trusted:
    PEM of public keys, one of which must have signed a version (None: none need have).
    """

    tags: tuple[str, ...] = ("serve",)
    scheduler: Batches | None = None
    threads: tuple[int, int] = (0, 0)
    strict: bool = False
    warmup: bool = True
    warmups: int = 1
    retries: int = 0
    retry_seconds: float = 0.0
    trusted: bytes | None = None


def load(folder: Path, number: int, loading: Loading) -> Version:
    """Loads a version that can be asked. Raises what TensorFlow raises for a broken model,
    ServingError for a warm-up record that fails, ManifestError for files that nobody trusted
    signed.
    """
    if loading.trusted is not None:
        check_signed(folder, loading.trusted)
    version = Version(
        folder,
        number,
        tags=loading.tags,
        scheduler=loading.scheduler,
        threads=loading.threads,
        strict=loading.strict,
    )
    try:
        if loading.warmup:
            # 0 in the flag is once, as in the original
            for _ in range(max(loading.warmups, 1)):
                warm_up(version)
    # any error: a session that nobody holds keeps its memory
    except BaseException:
        version.close()
        raise
    return version


def warm_up(version: Version) -> None:
    """Replays the records shipped with the model: the first real request should not pay for
    compilation. If any record fails, the load fails.
    """
    for i, record in enumerate(_records(version.folder / WARMUP)):
        # as the original: a file of any length would keep a server from ever serving
        if i >= MOST_WARMUP:
            raise invalid(f"Number of warmup records exceeds the maximum of {MOST_WARMUP}")
        _replay(version, record)


def _records(path: Path) -> Iterable[bytes]:
    import tensorflow as tf

    if not path.exists() or not path.stat().st_size:
        return ()
    records: Iterable[bytes] = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    return records


def _replay(version: Version, record: bytes) -> None:
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    log = prediction_log_pb2.PredictionLog.FromString(record)
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        request = log.predict_log.request
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        version.run(request.model_spec.signature_name, inputs, list(request.output_filter))
    elif kind == "classify_log":
        request = log.classify_log.request
        infer(version, request.model_spec.signature_name, _examples(request), CLASSIFY)
    elif kind == "regress_log":
        request = log.regress_log.request
        infer(version, request.model_spec.signature_name, _examples(request), REGRESS)
    elif kind == "multi_inference_log":
        request = log.multi_inference_log.request
        tasks = [
            # the name in a record is not looked at
            Task(ModelSpec(signature=one.model_spec.signature_name), one.method_name)
            for one in request.tasks
        ]
        multi_inference(version, tasks, _examples(request))
    else:
        raise unimplemented(f"Unsupported log_type for warmup: {kind}")


def _examples(request: Any) -> Any:
    return examples_of(memoryview(request.input.SerializeToString()))
