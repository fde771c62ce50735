"""grpc.health.v1: which service serves."""

from types import SimpleNamespace

import grpc
import pytest

from serving.server.admission import Gate
from serving.server.grpc.health import NOT_SERVING, SERVICES, SERVING, Health, service_of


class Context:
    def abort(self, code, words):
        raise RuntimeError(code.name)


def asked(name: str) -> bytes:
    text = name.encode()
    return b"\x0a" + bytes([len(text)]) + text if text else b""


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_serves_until_the_gate_is_closed(name):
    gate = Gate()
    assert service_of(asked(name)) == name
    assert Health(gate).check(asked(name), Context()) == SERVING
    gate.close(0)
    assert Health(gate).check(asked(name), Context()) == NOT_SERVING


@pytest.mark.parametrize(
    "request_", [asked("none"), asked("tensorflow.serving.PredictionService"), b"\x0a\x02\xff\xff"]
)
def test_another_service_is_not_found(request_):
    with pytest.raises(RuntimeError, match="NOT_FOUND"):
        Health(Gate()).check(request_, Context())


def test_it_answers_its_one_method_alone():
    def handler(method: str):
        return Health(Gate()).service(SimpleNamespace(method=method))

    found = handler("/grpc.health.v1.Health/Check")
    assert isinstance(found, grpc.RpcMethodHandler) and not found.response_streaming
    assert handler("/grpc.health.v1.Health/Watch") is None and handler("/other") is None
