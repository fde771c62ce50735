"""Protocol codes, which live here alone: what went wrong, as gRPC and as HTTP say it (TensorFlow
Serving's own codes and texts).
"""

from __future__ import annotations

import grpc

# Bytes of a message; what is longer is cut, as TensorFlow Serving does.
LONGEST = 1024
TRUNCATED = "...TRUNCATED"
_HTTP = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}


class ServingError(Exception):
    """Raised for a request that cannot be answered. code: grpc.StatusCode."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(cut(message))
        self.code = code

    @property
    def http(self) -> int:
        # UNKNOWN, INTERNAL and DATA_LOSS are not in the table
        return _HTTP.get(self.code, 500)


def cut(message: str) -> str:
    """Returns a message of at most LONGEST bytes of UTF-8, whole characters. Bytes, not characters:
    gRPC sends three for each that is not ASCII, and a client that gets more than 8 KiB of them may
    read RESOURCE_EXHAUSTED, whatever the code was.
    """
    # half of a surrogate pair has no bytes
    data = message.encode(errors="replace")
    if len(data) <= LONGEST:
        return data.decode()
    return data[:LONGEST].decode(errors="ignore") + TRUNCATED


def invalid(message: str) -> ServingError:
    return ServingError(grpc.StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> ServingError:
    return ServingError(grpc.StatusCode.NOT_FOUND, message)


def precondition(message: str) -> ServingError:
    return ServingError(grpc.StatusCode.FAILED_PRECONDITION, message)


def unavailable(message: str) -> ServingError:
    return ServingError(grpc.StatusCode.UNAVAILABLE, message)


def exhausted(message: str) -> ServingError:
    return ServingError(grpc.StatusCode.RESOURCE_EXHAUSTED, message)


def late(message: str = "Deadline Exceeded") -> ServingError:
    return ServingError(grpc.StatusCode.DEADLINE_EXCEEDED, message)


def gone() -> ServingError:
    return ServingError(grpc.StatusCode.CANCELLED, "The client left before its request was run")


def unimplemented(message: str) -> ServingError:
    return ServingError(grpc.StatusCode.UNIMPLEMENTED, message)


def unknown(message: str) -> ServingError:
    return ServingError(grpc.StatusCode.UNKNOWN, message)


def internal(message: str) -> ServingError:
    return ServingError(grpc.StatusCode.INTERNAL, message)


def from_tensorflow(error: Exception) -> ServingError:
    """Returns an error as a ServingError: TensorFlow's op errors carry gRPC's numbers; exceptions
    of others become UNKNOWN.
    """
    if isinstance(error, ServingError):
        return error
    unknown_number = grpc.StatusCode.UNKNOWN.value[0]
    number = getattr(error, "error_code", unknown_number)
    by_number = {code.value[0]: code for code in grpc.StatusCode}
    code = by_number.get(number, grpc.StatusCode.UNKNOWN)
    # the first line: what follows is TensorFlow's trace of the graph
    return ServingError(code, str(getattr(error, "message", error)).split("\n")[0])
