"""Goes from flags to a running server: reads files and puts options together."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.networks.optional import left_out
from serving.errors import ServingError
from serving.server.flags import WITHOUT_EFFECT
from serving.server.polling import say

# These modules import TensorFlow, for seconds; `--version` aside, flags are judged before.
if TYPE_CHECKING:
    import grpc

    from serving.server.batching import Scheduler
    from serving.server.catalog import Catalog
    from serving.server.config_files import ModelConfig
    from serving.server.grpc.service import Doorway
    from serving.server.monitoring import Metrics


class RereadFile:
    """Polls the model config file. One that is refused is reported, ignored, and tried again at
    every look: what it asks for may be there later, as the version that a label names.
    """

    def __init__(self, path: Path, catalog: Catalog, seconds: float) -> None:
        self.path = path
        self.catalog = catalog
        self.seconds = seconds
        # what is served now: only another content is a reload
        self.last = path.read_bytes()
        self.refusal = ""  # the last look's

    def poll(self) -> None:
        """Reloads the catalog if the file is another."""
        from serving.server.config_files import read_models
        from serving.server.session import never

        refusal = ""
        try:
            data = self.path.read_bytes()
            if data != self.last:
                # what fails is tried again by the looks for versions: this one must see the file's
                # next change
                self.catalog.reload(read_models(self.path), never)
                # only now: what was refused is no reload yet
                self.last = data
        except (ValueError, OSError, ServingError) as error:
            refusal = str(error)
        # once for a refusal that stays, not at every look
        if refusal and refusal != self.refusal:
            say(f"model config file ignored, and tried again: {refusal}")
        self.refusal = refusal


def start(options: argparse.Namespace) -> int:
    """Serves until told to stop and returns the exit code. What cannot be served is reported in
    TensorFlow Serving's words.
    """
    # TensorFlow is imported for its version alone, and no model is needed
    if options.version:
        return versions()
    for name in WITHOUT_EFFECT:
        if getattr(options, name) is not None:
            print(f"--{name} has no effect in the embedded server", file=sys.stderr)
    try:
        check_flags(options)
        return _serve(options)
    except (ValueError, OSError) as error:
        print(f"Failed to start server. Error: {error}", file=sys.stderr)
        return 1


def check_flags(options: argparse.Namespace) -> None:
    """Raises ValueError for flags that exclude each other or lack another."""
    if options.batching_parameters_file and not options.enable_batching:
        raise ValueError("--batching_parameters_file needs --enable_batching")
    base = options.model_base_path
    # relative paths would depend on where the server was started
    if not options.model_config_file and (base is None or not base.is_absolute()):
        raise ValueError(
            f"model_base_path must be absolute, got {base}; or give --model_config_file"
        )
    op_threads(options)


def _serve(options: argparse.Namespace) -> int:
    with left_out():
        import tensorflow  # noqa: F401  which all of these import

        from serving.server.catalog import Catalog
        from serving.server.lifetime import Serving, serve
        from serving.server.monitoring import Metrics

    raise_file_limit()
    configs = _configs(options)
    metrics = Metrics()
    catalog = Catalog(
        labels_ahead=options.allow_version_labels_for_unavailable_models,
        metrics=metrics,
        loading=_loading(options, metrics),
    )
    seconds = options.model_config_file_poll_wait_seconds
    rereads = options.model_config_file and seconds > 0
    serving = Serving(
        port=options.port,
        rest_port=options.rest_api_port,
        host=options.host,
        poll_seconds=options.file_system_poll_wait_seconds,
        reread=RereadFile(options.model_config_file, catalog, seconds) if rereads else None,
        doorway=_doorway(options),
        rest={
            "metrics_path": metrics_path(options.monitoring_config_file),
            "cors": options.rest_api_enable_cors_support,
            "seconds": options.rest_api_timeout_in_ms / 1000,
            "threads": options.rest_api_num_threads,
        },
    )
    return serve(catalog, configs, serving)


def _configs(options: argparse.Namespace) -> list[ModelConfig]:
    from serving.server.config_files import ModelConfig, first_models

    if options.model_config_file:
        return first_models(options.model_config_file)
    return [ModelConfig(options.model_name, options.model_base_path)]


def _loading(options: argparse.Namespace, metrics: Metrics) -> Any:
    from serving.server.loading import Loading

    return Loading(
        tags=tuple(options.saved_model_tags.split(",")),
        scheduler=_scheduler(options, metrics),
        threads=op_threads(options),
        strict=options.enable_signature_method_name_check,
        warmup=options.enable_model_warmup,
        warmups=options.num_request_iterations_for_warmup,
        retries=options.max_num_load_retries,
        retry_seconds=options.load_retry_interval_micros / 1e6,
        trusted=trusted_keys(options),
    )


def trusted_keys(options: argparse.Namespace) -> bytes | None:
    """Returns the PEM of the keys that must have signed what is loaded; None where anything is.
    Raises ValueError for a flag without the other or a file without keys, OSError.
    """
    if not options.require_signed:
        return None
    if options.public_key_file is None:
        raise ValueError("--require_signed needs --public_key_file")
    from serving.release.signing import public_keys

    pem: bytes = options.public_key_file.read_bytes()
    # judged at the start: a file without keys would refuse every version later
    public_keys(pem)
    return pem


def _scheduler(options: argparse.Namespace, metrics: Metrics) -> Scheduler | None:
    from serving.server.batch_parameters import Parameters, read_parameters
    from serving.server.batching import Scheduler

    if not options.enable_batching:
        return None
    path = options.batching_parameters_file
    return Scheduler(read_parameters(path) if path else Parameters(), metrics)


def _doorway(options: argparse.Namespace) -> Doorway:
    from serving.server.grpc.service import Doorway

    return Doorway(
        threads=options.grpc_max_threads,
        credentials=credentials_of(options.ssl_config_file) if options.ssl_config_file else None,
        health=options.enable_grpc_healthcheck_service,
        options=tuple(channel_arguments(options.grpc_channel_arguments)),
        socket=options.grpc_socket_path,
        tensor_content=options.enable_serialization_as_tensor_content,
    )


def metrics_path(path: Path | None) -> str | None:
    """Returns the path of the page for Prometheus; None for nowhere. path: of a
    MonitoringConfig.
    """
    from serving.server.config_files import message, read
    from serving.server.monitoring import PATH

    if path is None:
        return None
    config = read(path, message("MonitoringConfig")()).prometheus_config
    # no request's path lacks the slash
    return f"/{(config.path or PATH).removeprefix('/')}" if config.enable else None


def raise_file_limit() -> None:
    """Raises the limit of open files to what the system gives without asking: every connection is
    an open file, and many systems allow 1,024.
    """
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # the soft limit up to the hard one: no right is needed for it
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def versions() -> int:
    """Prints the versions as tensorflow_model_server words them and returns the exit code."""
    import tensorflow as tf

    print(f"TensorFlow ModelServer: embedded\nTensorFlow Library: {tf.__version__}")
    return 0


def op_threads(options: argparse.Namespace) -> tuple[int, int]:
    """Returns the numbers of (intra, inter) op threads, 0 for TensorFlow's choice. Raises
    ValueError if all three numbers are given, as the original does.
    """
    both = options.tensorflow_session_parallelism
    intra = options.tensorflow_intra_op_parallelism
    inter = options.tensorflow_inter_op_parallelism
    if both and intra and inter:
        raise ValueError(
            "--tensorflow_session_parallelism sets both of --tensorflow_intra_op_parallelism "
            "and --tensorflow_inter_op_parallelism: give one kind"
        )
    return intra or both, inter or both


def credentials_of(path: Path) -> grpc.ServerCredentials:
    """Returns gRPC's server credentials from an SSLConfig file, whose fields hold PEM text. Raises
    ValueError for a key, a certificate or an authority that cannot be used.
    """
    import grpc

    from serving.server.config_files import message, read

    config = read(path, message("SSLConfig")())
    key = config.server_key.encode()
    certificate = config.server_cert.encode()
    check_pair(path, key, certificate)
    check_authority(path, config.custom_ca, config.client_verify)
    authority = config.custom_ca.encode() if config.custom_ca else None
    return grpc.ssl_server_credentials([(key, certificate)], authority, config.client_verify)


def check_pair(path: Path, key: bytes, certificate: bytes) -> None:
    """Raises ValueError for a key and a certificate that do not belong together: gRPC itself says
    only that it cannot listen.
    """
    import ssl

    with tempfile.TemporaryDirectory() as folder:
        key_file = Path(folder) / "key"
        certificate_file = Path(folder) / "certificate"
        # files: Python's ssl reads no keys from memory
        key_file.write_bytes(key)
        certificate_file.write_bytes(certificate)
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                # an empty password: a key that needs one fails instead of asking at the terminal
                certificate_file,
                key_file,
                password="",
            )
        except (ssl.SSLError, OSError) as error:
            raise ValueError(
                f"{path}: server_key and server_cert cannot be used: expected PEM text of a key "
                f"without a password and of its certificate, got {error}"
            ) from error


def check_authority(path: Path, authority: str, verify: bool) -> None:
    """Raises ValueError for an authority of clients' certificates that is none, or is missing where
    clients are to be verified: gRPC itself says only that it cannot listen.
    """
    import ssl

    if not authority:
        if verify:
            raise ValueError(
                f"{path}: client_verify needs custom_ca: PEM text of the authority that signs the "
                "clients' certificates"
            )
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=authority)
    # other errors: text that is not ASCII
    except (ssl.SSLError, ValueError, TypeError) as error:
        raise ValueError(
            f"{path}: custom_ca cannot be used: expected PEM text of certificates, got {error}"
        ) from error


def channel_arguments(text: str) -> list[tuple[str, int | str]]:
    """Returns the channel arguments of a text "key=value,key=value"; numbers become ints, the later
    wins.
    """
    pairs = [part.partition("=") for part in text.split(",") if part]
    # gRPC tells numbers and texts apart
    return [(key, int(value) if value.lstrip("-").isdigit() else value) for key, _, value in pairs]
