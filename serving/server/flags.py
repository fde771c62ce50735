"""Flags of `serve`, under the names of tensorflow_model_server."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

# flags of the C++ runtime: accepted, said to do nothing here
WITHOUT_EFFECT = (
    "num_load_threads",
    "num_unload_threads",
    "enable_per_model_batching_parameters",
    "tensorflow_session_config_file",
    "flush_filesystem_caches",
    "remove_unused_fields_from_bundle_metagraph",
    "per_process_gpu_memory_fraction",
    "mixed_precision",
    "platform_config_file",
    "thread_pool_factory_config_file",
    "xla_cpu_compilation_enabled",
    "xla_gpu_compilation_enabled",
    "skip_initialize_tpu",
    "use_alts_credentials",
    "enable_profiler",
    "prefer_tflite_model",
    "num_tflite_pools",
    "num_tflite_interpreters_per_pool",
)

MOST_PORT = 65535


def boolean(text: str) -> bool:
    """Returns the value of a flag that is true or false. Raises ArgumentTypeError."""
    if text.lower() not in ("true", "false", "1", "0"):
        raise argparse.ArgumentTypeError(f"expected true or false, got {text}")
    return text.lower() in ("true", "1")


def at_least_one(text: str) -> int:
    """Returns a whole number from 1 on. Raises ArgumentTypeError."""
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a number of threads, at least 1, got {text}")
    return int(text)


def port(text: str) -> int:
    """Returns a port from 0 to 65535. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) > MOST_PORT:
        raise argparse.ArgumentTypeError(f"expected a port, 0 to {MOST_PORT}, got {text}")
    return int(text)


def local_path(text: str) -> Path:
    """Returns the local path of a base path, which may be written as a URI: file:///models is
    /models.
    """
    return Path(text.removeprefix("file://") if text.startswith("file:///") else text)


def add_flags(serve: argparse.ArgumentParser) -> None:
    """Adds all flags that have an effect, with the original's defaults unless the help says
    otherwise, and the original's other flags, which are taken and ignored.
    """
    # `--flag` alone is true, `--flag=false` is false, as in the original
    switch: dict[str, Any] = {"type": boolean, "nargs": "?", "const": True}
    add = serve.add_argument
    add("--model_name", default="default")
    add("--model_base_path", type=local_path, help="folder of integer-named versions, absolute")
    add(
        "--model_config_file",
        type=Path,
        help="text ModelServerConfig: several models, policies, labels",
    )
    add("--model_config_file_poll_wait_seconds", type=float, default=0, help="0: read once")
    add("--port", type=port, default=8500, help="gRPC; 0: any free one, printed")
    add("--grpc_socket_path", default="", help="listen on this Unix socket too")
    add("--grpc_max_threads", type=at_least_one, default=16)
    add("--rest_api_port", type=port, help="REST; 0: any free one, printed; left out: none")
    add(
        "--rest_api_num_threads",
        type=at_least_one,
        default=16,
        help="REST requests that are computed at once; the others wait",
    )
    add("--rest_api_timeout_in_ms", type=int, default=30000)
    add("--rest_api_enable_cors_support", default=False, **switch)
    add("--host", default="127.0.0.1", help="loopback unless you say otherwise (ours)")
    add("--file_system_poll_wait_seconds", type=float, default=1.0, help="0: look once")
    # a laptop's broken candidate should be said at once
    add("--max_num_load_retries", type=int, default=0, help="the original's is 5")
    add("--load_retry_interval_micros", type=int, default=60_000_000)
    add("--enable_batching", default=False, **switch)
    add("--batching_parameters_file", type=Path)
    add("--allow_version_labels_for_unavailable_models", default=False, **switch)
    add("--enable_model_warmup", default=True, **switch)
    add("--num_request_iterations_for_warmup", type=int, default=0)
    add("--monitoring_config_file", type=Path)
    add("--ssl_config_file", type=Path)
    add("--grpc_channel_arguments", default="", help="key=value,key=value")
    add("--saved_model_tags", default="serve")
    add("--enable_serialization_as_tensor_content", default=False, **switch)
    add(
        "--tensorflow_session_parallelism",
        type=int,
        default=0,
        help="both of the next, where they are not given",
    )
    add("--tensorflow_intra_op_parallelism", type=int, default=0)
    add("--tensorflow_inter_op_parallelism", type=int, default=0)
    add("--enable_signature_method_name_check", default=False, **switch)
    add("--enable_grpc_healthcheck_service", default=False, **switch)
    add(
        "--require_signed",
        default=False,
        help="load only versions whose manifest a key of --public_key_file signed (ours)",
        **switch,
    )
    add("--public_key_file", type=Path, help="PEM of Ed25519 public keys (ours)")
    add("--version", default=False, help="print versions and end", **switch)
    for name in WITHOUT_EFFECT:
        # with or without a value: they are taken as the original takes them
        add(f"--{name}", nargs="?", const="true", help=argparse.SUPPRESS)
