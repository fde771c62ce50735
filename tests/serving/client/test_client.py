"""The client against a real server over loopback."""

import shutil
import subprocess
import threading
import time
from concurrent import futures

import grpc
import numpy as np
import pytest
from client_answers import PICTURES
from tiny_bundle import TARGETS

from models.tasks import TASKS
from serving.client.client import Client
from serving.client.folder import ask_files, pictures_below


@pytest.fixture
def client(address):
    with Client(address) as made:
        yield made


def test_the_client_reads_from_the_server_what_it_offers(client):
    assert client.tasks() == {name: TASKS[name].images for name in TASKS if name in TARGETS}


def test_the_client_knows_which_version_answers(client):
    assert client.served_version() > 0


def test_one_question_brings_every_task_that_the_pictures_allow(client):
    one, three = client.ask(PICTURES[:1]), client.ask(PICTURES[:3])
    assert {name for name in one if name in TASKS} == {
        name for name in TARGETS if TASKS[name].images == 1
    }
    assert {name for name in three if name in TASKS} == set(TARGETS)
    assert {"fixated_pose_metric", "egomotion_metric"} <= set(three)


def test_what_cannot_be_asked_is_said_before_asking(client):
    with pytest.raises(KeyError, match="does not answer jigsaw; it answers class_scene"):
        client.ask(PICTURES[:1], ["jigsaw"])
    with pytest.raises(KeyError, match="did you mean normal"):
        client.ask(PICTURES[:1], ["normals"])
    with pytest.raises(ValueError, match="takes 2 images, got 1"):
        client.ask(PICTURES[:1], ["fixated_pose"])
    assert client.chosen(["normal", "normal"], 1) == ["normal"]
    client._offered = {}
    with pytest.raises(KeyError, match="it answers no task: is it a bundle"):
        client.ask(PICTURES[:1], ["normal"])
    with pytest.raises(ValueError, match="positive"):
        Client("127.0.0.1:1", deadline=0)


def test_a_batch_gives_each_picture_its_own_answer(client):
    together = client.ask_batch(PICTURES, ["normal", "class_scene"])
    for data, answer in zip(PICTURES, together):
        np.testing.assert_allclose(
            answer["normal"], client.ask([data], ["normal"])["normal"], atol=1e-5
        )


def test_a_folder_is_answered_around_its_bad_files(client, folder):
    paths = pictures_below(folder).pictures
    outcomes = list(ask_files(client, paths, ["normal"], batch=3, out=None))
    assert [outcome.path for outcome in outcomes] == paths and len(paths) == 7
    failed = {outcome.path.name: outcome.error for outcome in outcomes if outcome.error}
    assert set(failed) == {"text.jpg", "cut.png", "half.jpg"}
    assert (
        "no picture" in failed["text.jpg"]
        and "damaged" in failed["cut.png"]
        and "INVALID_ARGUMENT" in failed["half.jpg"]
    )
    for outcome in outcomes:
        assert bool(outcome.error) != bool(outcome.answers)


def test_an_absent_server_fails_every_file_in_time_and_in_words(client, folder):
    with Client("127.0.0.1:9", deadline=0.5) as absent:
        absent._offered = client.signatures()
        since = time.monotonic()
        outcomes = list(
            ask_files(absent, pictures_below(folder).pictures[1:3], ["normal"], out=None)
        )
        assert time.monotonic() - since < 20
    assert all(outcome.error for outcome in outcomes)


class Moody(grpc.GenericRpcHandler):
    """a server that says `code` so many times, then nothing useful; counts its calls."""

    def __init__(self, code, times):
        self.code, self.times, self.calls, self.lock = code, times, 0, threading.Lock()

    def service(self, details):
        def answer(request, context):
            with self.lock:
                self.calls += 1
                if self.calls <= self.times:
                    context.abort(self.code, "moody")
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.mark.parametrize(
    "code, calls",
    [
        (grpc.StatusCode.UNAVAILABLE, 3),
        (grpc.StatusCode.INVALID_ARGUMENT, 1),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 1),
    ],
)
def test_only_unavailable_is_asked_again_over_the_wire(code, calls):
    moody = Moody(code, 2)
    server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[moody])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with Client(f"127.0.0.1:{port}", deadline=10) as client:
        if calls == 3:
            assert client.predict("normal", {"image_bytes": PICTURES[:1]}) == {}
        else:
            with pytest.raises(grpc.RpcError) as error:
                client.predict("normal", {"image_bytes": PICTURES[:1]})
            assert error.value.code() == code
    server.stop(None)
    assert moody.calls == calls


def test_a_deadline_is_kept():
    over = threading.Event()
    slow = grpc.server(
        futures.ThreadPoolExecutor(2),
        handlers=[
            type(
                "Slow",
                (grpc.GenericRpcHandler,),
                {
                    # fmt: skip
                    "service": lambda self, details: grpc.unary_unary_rpc_method_handler(
                        lambda request, context: over.wait(120) and b""
                    )
                },
            )()
        ],
    )
    port = slow.add_insecure_port("127.0.0.1:0")
    slow.start()
    with Client(f"127.0.0.1:{port}", deadline=0.3) as client, pytest.raises(grpc.RpcError) as error:
        client.predict("normal", {"image_bytes": PICTURES[:1]})
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED and not over.is_set()
    over.set()
    slow.stop(None)


def test_a_model_that_is_no_bundle_is_named_as_such():
    with Client("127.0.0.1:9", "half_plus_two") as client:
        client._offered = {"serving_default": None, "normal": None}
        with pytest.raises(ValueError, match="half_plus_two has no signature image_bytes"):
            client.ask(PICTURES[:1], ["normal"])


def certificate(folder) -> tuple[bytes, bytes]:
    """(key, certificate) of localhost, signed by itself, as PEM."""
    paths = [str(folder / "key.pem"), str(folder / "certificate.pem")]
    asked = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
    ]
    subprocess.run([*asked, "-keyout", paths[0], "-out", paths[1]], check=True, capture_output=True)
    return tuple(open(path, "rb").read() for path in paths)


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
def test_the_client_speaks_tls_and_refuses_a_stranger(tmp_path):
    key, own = certificate(tmp_path)
    (tmp_path / "other").mkdir()
    _, foreign = certificate(tmp_path / "other")
    server = grpc.server(
        futures.ThreadPoolExecutor(2), handlers=[Moody(grpc.StatusCode.UNAVAILABLE, 0)]
    )
    port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials([(key, own)]))
    server.start()
    with Client(f"localhost:{port}", authority=own) as client:
        assert client.predict("normal", {"image_bytes": PICTURES[:1]}) == {}
    with (
        Client(f"localhost:{port}", deadline=1, attempts=2, authority=foreign) as client,
        pytest.raises(grpc.RpcError) as error,
    ):
        client.predict("normal", {"image_bytes": PICTURES[:1]})
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE
    server.stop(None)
