"""From flags to a running server: files are read, options put together."""

from __future__ import annotations

import sys

from serving.errors import ServingError
from serving.server.flags import WITHOUT_EFFECT


class Reread:
    """Polls the model config file; one that does not parse is said and ignored."""

    def __init__(self, path, catalog, seconds: float) -> None:
        self.path, self.catalog, self.seconds, self.last = path, catalog, seconds, path.read_bytes()

    def poll(self) -> None:
        from serving.server.config_files import read_models

        try:
            if (data := self.path.read_bytes()) != self.last:
                self.last = data
                self.catalog.reload(read_models(self.path))
        except (ValueError, OSError, ServingError) as error:
            print(f"model config file ignored: {error}", file=sys.stderr)


def start(options) -> int:
    """serve until told to stop; the exit code. Raises ValueError for flags and files that do not
    fit.
    """
    from serving.server.batching import Parameters, Scheduler, read_parameters
    from serving.server.catalog import Catalog
    from serving.server.config_files import ModelConfig, message, read, read_models
    from serving.server.grpc.service import serve
    from serving.server.monitoring import PATH, Metrics

    if options.version:
        return versions()
    for name in WITHOUT_EFFECT:
        if getattr(options, name) is not None:
            print(f"--{name} has no effect in the embedded server", file=sys.stderr)
    if options.batching_parameters_file and not options.enable_batching:
        raise ValueError("--batching_parameters_file needs --enable_batching")
    if not options.model_config_file and (
        options.model_base_path is None or not options.model_base_path.is_absolute()
    ):
        raise ValueError(
            f"model_base_path must be absolute, got {options.model_base_path}; or give "
            "--model_config_file"
        )
    configs = (
        read_models(options.model_config_file)
        if options.model_config_file
        else [ModelConfig(options.model_name, options.model_base_path)]
    )
    raise_file_limit()
    metrics, scheduler = Metrics(), None
    if options.enable_batching:
        scheduler = Scheduler(
            read_parameters(options.batching_parameters_file)
            if options.batching_parameters_file
            else Parameters(),
            metrics,
        )
    catalog = Catalog(
        labels_ahead=options.allow_version_labels_for_unavailable_models,
        metrics=metrics,
        retries=options.max_num_load_retries,
        retry_seconds=options.load_retry_interval_micros / 1e6,
        tags=tuple(options.saved_model_tags.split(",")),
        warmup=options.enable_model_warmup,
        warmups=options.num_request_iterations_for_warmup,
        scheduler=scheduler,
        threads=op_threads(options),
        strict=options.enable_signature_method_name_check,
    )
    path = None
    if options.monitoring_config_file:
        given = read(
            options.monitoring_config_file, message("MonitoringConfig")()
        ).prometheus_config
        path = (given.path or PATH) if given.enable else None
    seconds = options.model_config_file_poll_wait_seconds
    return serve(
        catalog,
        configs,
        port=options.port,
        rest_port=options.rest_api_port,
        host=options.host,
        poll_seconds=options.file_system_poll_wait_seconds,
        reread=Reread(options.model_config_file, catalog, seconds)
        if options.model_config_file and seconds > 0
        else None,
        rest={
            "metrics_path": path,
            "cors": options.rest_api_enable_cors_support,
            "seconds": options.rest_api_timeout_in_ms / 1000,
            "threads": options.rest_api_num_threads,
        },
        credentials=credentials_of(options.ssl_config_file) if options.ssl_config_file else None,
        health=options.enable_grpc_healthcheck_service,
        options=tuple(channel_arguments(options.grpc_channel_arguments)),
        threads=options.grpc_max_threads,
        socket=options.grpc_socket_path,
        tensor_content=options.enable_serialization_as_tensor_content,
    )


def raise_file_limit() -> None:
    """every connection is an open file, and many systems allow 1,024: take what the system gives
    without asking.
    """
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def versions() -> int:
    """as tensorflow_model_server words it."""
    import tensorflow as tf

    print(f"TensorFlow ModelServer: embedded\nTensorFlow Library: {tf.__version__}")
    return 0


def op_threads(options) -> tuple[int, int]:
    """(intra, inter), 0 for TensorFlow's choice. Raises ValueError if all three numbers are given,
    as the original.
    """
    both, intra, inter = (
        options.tensorflow_session_parallelism,
        options.tensorflow_intra_op_parallelism,
        options.tensorflow_inter_op_parallelism,
    )
    if both and intra and inter:
        raise ValueError(
            "--tensorflow_session_parallelism sets both of --tensorflow_intra_op_parallelism "
            "and --tensorflow_inter_op_parallelism: give one kind"
        )
    return intra or both, inter or both


def credentials_of(path):
    """gRPC's server credentials from an SSLConfig file, whose fields hold PEM text."""
    import grpc

    from serving.server.config_files import message, read

    given = read(path, message("SSLConfig")())
    authority = given.custom_ca.encode() if given.custom_ca else None
    return grpc.ssl_server_credentials(
        [(given.server_key.encode(), given.server_cert.encode())], authority, given.client_verify
    )


def channel_arguments(text: str) -> list[tuple]:
    """key=value,key=value; numbers become ints, the later wins."""
    pairs = [part.partition("=") for part in text.split(",") if part]
    return [(key, int(value) if value.lstrip("-").isdigit() else value) for key, _, value in pairs]
