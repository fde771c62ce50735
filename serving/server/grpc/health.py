"""Implements grpc.health.v1 by hand: two bytes an answer need no package."""

from __future__ import annotations

from typing import Any

import grpc

from serving.server.admission import Gate

# the original's names, which lack the package; those with it are not found there
SERVICES = ("", "ModelService", "PredictionService")
# field 1 of HealthCheckResponse
# tag 1 as a varint, then the number
SERVING = b"\x08\x01"
NOT_SERVING = b"\x08\x02"


class Health(grpc.GenericRpcHandler):
    """Answers Check: SERVING while the gate is open, then NOT_SERVING; NOT_FOUND for services that
    are not offered.
    """

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    def service(self, details: Any) -> grpc.RpcMethodHandler | None:
        """Returns the handler of the one method; None for others."""
        # further methods of the service (Watch) are unimplemented
        if details.method != "/grpc.health.v1.Health/Check":
            return None
        return grpc.unary_unary_rpc_method_handler(self.check)

    def check(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        """Returns a serialised HealthCheckResponse."""
        if service_of(request) not in SERVICES:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return NOT_SERVING if self.gate.closed else SERVING


def service_of(request: bytes) -> str:
    """Returns the service that a HealthCheckRequest asks about, its field 1."""
    # a length of one byte: names are shorter than 128
    has_a_name = request[:1] == b"\x0a" and len(request) > 1
    return request[2 : 2 + request[1]].decode(errors="replace") if has_a_name else ""
