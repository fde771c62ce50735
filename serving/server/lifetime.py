"""Runs a server from its first version to its last request: load, listen, drain."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from serving.errors import ServingError, unknown
from serving.server.admission import Gate
from serving.server.catalog import Catalog
from serving.server.config_files import ModelConfig
from serving.server.grpc.service import LOOPBACK, Doorway, grpc_server
from serving.server.polling import keep_polling, say
from serving.server.rest.transport import RestServer, host_in_address
from serving.server.session import never
from serving.server.signals import StopSignals

# Seconds between looks at what changes while models load for the first time, and at loads that are
# to be tried again.
LOOK_SECONDS = 1.0
SIGNAL_SECONDS = 0.05  # in which a signal ends a load
LAST_WORDS = 1.0  # seconds in which answers that are made already are sent
# the original's words for what it goes on without, too
SAME_PORT = (
    "--rest_api_port cannot be same as --port. Please use a different port for HTTP/REST API. "
    "Skipped exporting HTTP/REST API."
)
FAILED = "Failed to start server. Error: "  # TensorFlow Serving's words


class Reread(Protocol):
    """The model config file, polled."""

    seconds: float

    def poll(self) -> None: ...


@dataclass(frozen=True)
class Retries:
    """Loads that failed, tried again also where nothing looks for new versions, or seldom."""

    catalog: Catalog

    def poll(self) -> None:
        """Retries the loads that are due."""
        self.catalog.retry()


@dataclass(frozen=True)
class Serving:
    """How a catalog is served. rest_port: None for no REST; poll_seconds: between looks for new
    versions, 0 for one look; reread: polled beside the models, or None; grace: seconds that running
    requests get at the end; rest: further arguments of `RestServer`.
    """

    port: int
    rest_port: int | None = None
    host: str = "127.0.0.1"
    poll_seconds: float = 1.0
    reread: Reread | None = None
    grace: float = 10.0
    doorway: Doorway = LOOPBACK
    rest: dict[str, Any] = field(default_factory=dict)


def serve(catalog: Catalog, configs: list[ModelConfig], serving: Serving) -> int:
    """Loads, then listens until SIGTERM or SIGINT; running requests are finished first. Returns 0,
    or 1 if a first version cannot be loaded. Raises OSError for an address that is taken.
    """
    # from here on a signal is noted: one that comes while models load ends the start
    with StopSignals() as signals:
        try:
            if not _loaded(catalog, configs, serving.poll_seconds, signals):
                return 0
        except ServingError as error:
            # the original's words, on standard error: output is for addresses
            print(f"{FAILED}{error}", file=sys.stderr)
            return 1
        _listen(catalog, serving, signals)
    return 0


def _loaded(
    catalog: Catalog, configs: list[ModelConfig], poll_seconds: float, signals: StopSignals
) -> bool:
    """Waits until every model serves; returns False if a signal comes first. Raises ServingError
    for a model that cannot be loaded.
    """
    # no port is open before the models serve; nobody waits inside for what is to be tried again
    is_over = _outlasted(partial(catalog.reload, configs, never), signals)
    while is_over and not catalog.ready():
        failure = catalog.failure()
        if failure:
            raise unknown(failure)
        # at least a tenth of a second: 0 would turn in circles
        if signals.wait(min(max(poll_seconds, 0.1), LOOK_SECONDS)):
            return False
        is_over = _outlasted(catalog.poll, signals)
    return is_over


def _outlasted(work: Callable[[], None], signals: StopSignals) -> bool:
    """Does `work`, which may take minutes; returns False as soon as a signal comes meanwhile.
    Raises what `work` raises.
    """
    errors: list[Exception] = []

    def ended() -> None:
        try:
            work()
        except Exception as error:  # the thread's edge: raised below, in the one that waits
            errors.append(error)

    # a daemon: it ends with the process, in the middle of a load
    thread = threading.Thread(target=ended, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(SIGNAL_SECONDS)
        if thread.is_alive() and signals.wait(0):
            return False
    if errors:
        raise errors[0]
    return True


def _listen(catalog: Catalog, serving: Serving, signals: StopSignals) -> None:
    gate = Gate()
    # in brackets or without, as people write IPv6 addresses
    host = serving.host.removeprefix("[").removesuffix("]")
    address = host_in_address(host)
    server, port = grpc_server(catalog, f"{address}:{serving.port}", serving.doorway, gate)
    # flushed: whoever started this process waits for the line
    print(f"gRPC on {address}:{port}", flush=True)
    door = None
    # 0 is any free port, and never the same
    if serving.rest_port and serving.rest_port == port:
        say(SAME_PORT)
    elif serving.rest_port is not None:
        door = RestServer((host, serving.rest_port), catalog, gate=gate, **serving.rest)
        door.start()
        print(f"REST on {address}:{door.server_port}", flush=True)
    stop = threading.Event()  # ends the threads that poll
    # 0: one look, which `_loaded` took
    if serving.poll_seconds > 0:
        keep_polling(catalog, serving.poll_seconds, stop)
    keep_polling(Retries(catalog), LOOK_SECONDS, stop)
    if serving.reread:
        keep_polling(serving.reread, serving.reread.seconds, stop)
    signals.wait()
    stop.set()
    # Both ports stay open meanwhile: probes read NOT_SERVING and clients UNAVAILABLE, instead of a
    # broken connection.
    gate.close(serving.grace)
    # does not wait: REST drains meanwhile
    ended = server.stop(grace=LAST_WORDS)
    if door:
        door.drain(LAST_WORDS)
    ended.wait()
