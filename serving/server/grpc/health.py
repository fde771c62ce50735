"""grpc.health.v1 by hand: two bytes an answer need no package."""

from __future__ import annotations

import grpc

SERVICES = (
    "",
    "ModelService",
    "PredictionService",
    "tensorflow.serving.ModelService",
    "tensorflow.serving.PredictionService",
)
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"  # field 1 of HealthCheckResponse


class Health(grpc.GenericRpcHandler):
    """Check: SERVING while `draining` (of `gate.Gate`) is not set, then NOT_SERVING; NOT_FOUND for
    services that are not offered.
    """

    def __init__(self, draining) -> None:
        self.draining = draining

    def service(self, details):
        return (
            grpc.unary_unary_rpc_method_handler(self.check)
            if details.method == "/grpc.health.v1.Health/Check"
            else None
        )

    def check(self, request: bytes, context) -> bytes:
        if service_of(request) not in SERVICES:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return NOT_SERVING if self.draining.is_set() else SERVING


def service_of(request: bytes) -> str:
    """field 1 of HealthCheckRequest (names are shorter than 128 bytes)."""
    return (
        request[2 : 2 + request[1]].decode(errors="replace")
        if request[:1] == b"\x0a" and len(request) > 1
        else ""
    )
