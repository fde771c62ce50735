"""Reads TensorFlow Serving's text files: models, batching, monitoring, TLS.

The wheel holds the messages of the first alone; the others are declared here by field number, so
that the files keep their exact form.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving.errors import ServingError, invalid
from serving.server.flags import local_path
from serving.server.models import NEWEST, Policy

# FieldDescriptorProto.Type
BOOL = 8
STRING = 9
INT64 = 3
MESSAGE = 11
# message -> (field, number, type, is it repeated)
# numbers of the fields are those of TensorFlow Serving's own files
_MESSAGES: dict[str, list[tuple[str, int, int | str, bool]]] = {
    "Int64": [("value", 1, INT64, False)],
    "Bool": [("value", 1, BOOL, False)],
    "Text": [("value", 1, STRING, False)],
    "BatchingParameters": [
        ("max_batch_size", 1, "Int64", False),
        ("batch_timeout_micros", 2, "Int64", False),
        ("max_enqueued_batches", 3, "Int64", False),
        ("num_batch_threads", 4, "Int64", False),
        ("thread_pool_name", 5, "Text", False),
        ("allowed_batch_sizes", 6, INT64, True),
        ("pad_variable_length_inputs", 7, BOOL, False),
        ("enable_large_batch_splitting", 8, "Bool", False),
        ("max_execution_batch_size", 9, "Int64", False),
    ],
    "PrometheusConfig": [("enable", 1, BOOL, False), ("path", 2, STRING, False)],
    "MonitoringConfig": [("prometheus_config", 1, "PrometheusConfig", False)],
    "SSLConfig": [
        ("server_key", 1, STRING, False),
        ("server_cert", 2, STRING, False),
        ("custom_ca", 3, STRING, False),
        ("client_verify", 4, BOOL, False),
    ],
}

# a model costs 0.1 ms of the processor when it is configured
MOST_MODELS = 10_000


@dataclass(frozen=True)
class ModelConfig:
    """One entry of a model config list."""

    name: str
    base: Path
    policy: Policy = NEWEST
    labels: dict[str, int] = field(default_factory=dict)


# one pool a process: a second definition of the same name would be refused
@functools.cache
def message(name: str) -> Any:
    """Returns the class of a message of `_MESSAGES`."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(
        name="serving_config_files.proto", package="serving", syntax="proto3"
    )
    for kind, fields in _MESSAGES.items():
        described = file.message_type.add(name=kind)
        for alias, number, of, repeated in fields:
            entry = described.field.add(name=alias, number=number, label=3 if repeated else 1)
            entry.type = MESSAGE if isinstance(of, str) else of
            if isinstance(of, str):
                entry.type_name = f".serving.{of}"
    # a pool of its own: TensorFlow's messages may be loaded beside it
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"serving.{name}"))


def read(path: str | Path, empty: Any) -> Any:
    """Returns the message `empty` filled from a text file. Raises ValueError with the file's
    name.
    """
    try:
        return parse(Path(path).read_bytes(), empty)
    except ValueError as error:
        raise ValueError(f"Invalid protobuf file {path}: {error}") from error


def parse(text: bytes, empty: Any) -> Any:
    """Returns the message `empty` filled from its text form. Raises ValueError."""
    from google.protobuf import text_format

    try:
        # with a byte order mark or without
        return text_format.Parse(text.decode("utf-8-sig"), empty)
    # text that is nested without end must not end the server
    except (text_format.ParseError, RecursionError) as error:
        raise ValueError(str(error)) from error


def first_models(path: str | Path) -> list[ModelConfig]:
    """Returns the models of a `--model_config_file` as a server starts: an empty one has none yet,
    as in the original, which takes an emptied one for no reload later. Raises ValueError.
    """
    is_empty = _server_config(path).WhichOneof("config") is None
    return [] if is_empty else read_models(path)


def read_models(path: str | Path) -> list[ModelConfig]:
    """Returns the models of a `--model_config_file`. Raises ValueError."""
    try:
        return models_of(_server_config(path))
    except ServingError as error:
        raise ValueError(f"{path}: {error}") from error


def _server_config(path: str | Path) -> Any:
    from tensorflow_serving.config import model_server_config_pb2

    return read(path, model_server_config_pb2.ModelServerConfig())


def models_of(config: Any) -> list[ModelConfig]:
    """Returns the models of a ModelServerConfig. Raises INVALID_ARGUMENT with TensorFlow Serving's
    texts.
    """
    if config.WhichOneof("config") != "model_config_list":
        raise invalid("Only ModelConfigList is currently supported")
    if len(config.model_config_list.config) > MOST_MODELS:
        raise invalid(f"expected at most {MOST_MODELS} models in a config list")
    configs: dict[str, ModelConfig] = {}
    for entry in config.model_config_list.config:
        # a dictionary would keep the last of two without a word
        if entry.name in configs:
            raise invalid(f"Illegal to list model {entry.name} multiple times in config list")
        check_entry(entry)
        configs[entry.name] = ModelConfig(
            entry.name,
            local_path(entry.base_path),
            policy_of(entry.model_version_policy),
            dict(entry.version_labels),
        )
    return list(configs.values())


def check_entry(entry: Any) -> None:
    """Raises INVALID_ARGUMENT for a ModelConfig that cannot be served."""
    if not entry.name:
        raise invalid("a model config has no name")
    if not local_path(entry.base_path).is_absolute():
        raise invalid(
            f"Expected model {entry.name} to have an absolute path or URI; got "
            f"base_path()={entry.base_path} (of URIs the embedded server reads file:///... alone)"
        )
    # the older field and the newer one exclude each other, as in the original
    if bool(entry.model_platform) == bool(entry.model_type):
        both = "both" if entry.model_platform else "neither"
        raise invalid(
            f"Illegal setting {both} ModelServerConfig::model_type (deprecated) and "
            "ModelServerConfig::model_platform."
        )
    if entry.model_platform not in ("", "tensorflow") or entry.model_type not in (0, 1):
        raise invalid(
            f"model {entry.name} names an unsupported platform "
            f"{entry.model_platform or entry.model_type}; expected tensorflow"
        )
    if entry.HasField("logging_config"):
        raise invalid(f"model {entry.name} has a logging_config; no request logger is compiled in")


def policy_of(choice: Any) -> Policy:
    """Returns the policy of a ServableVersionPolicy. Raises INVALID_ARGUMENT."""
    kind = choice.WhichOneof("policy_choice")
    if kind == "all":
        return Policy(latest=None)
    if kind == "specific":
        if not choice.specific.versions:
            raise invalid("a specific version policy names no versions")
        return Policy(specific=tuple(choice.specific.versions))
    # `latest {}` is one version, as an unset policy is
    return Policy(latest=choice.latest.num_versions or 1)
