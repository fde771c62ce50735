"""A policy bundled, served over real sockets, asked, swapped, rolled back."""

import contextlib
import json
import threading
import urllib.error
import urllib.request
from pathlib import Path

import grpc
import numpy as np
import pytest
from synthetic import SIZE, view
from tiny_bundle import tiny_bundle

from models.examples.published import encode_png
from serving.client.client import Client
from serving.release.push import push, versions
from serving.server.grpc.service import grpc_server
from serving.server.models import Model
from serving.server.rest.transport import RestServer

PICTURE = encode_png(view(0).rgb)


@contextlib.contextmanager
def server_on(base: Path):
    """(model, address) of a server on a loopback port, and on `base` the tiny bundle."""
    push(tiny_bundle(), base)
    model = Model("taxonomy", base)
    model.poll()
    server, port = grpc_server(model, "127.0.0.1:0")
    yield model, f"127.0.0.1:{port}"
    server.stop(None)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """for questions, which change nothing."""
    with server_on(tmp_path_factory.mktemp("served") / "models") as made:
        yield made


@pytest.fixture
def base(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def swapped(base):
    """whose versions on `base` a test changes."""
    with server_on(base) as made:
        yield made


def test_served_answers_are_the_networks_answers(served):
    client = Client(served[1])
    with np.load(tiny_bundle() / "assets.extra" / "parity.npz") as stored:
        probe = stored["probe"]
        for name in ("normal", "reshading", "class_scene", "segment_semantic"):
            answer = client.predict(
                name, {"image_bytes": [encode_png(image) for image in probe]}, [name]
            )[name]
            np.testing.assert_allclose(answer, stored[f"answer_{name}"], rtol=1e-3, atol=1e-4)
        pair = client.predict(
            "fixated_pose", {"image_bytes": [[encode_png(image) for image in probe[:2]]]}
        )["fixated_pose"]
        np.testing.assert_allclose(pair, stored["answer_fixated_pose"], rtol=1e-3, atol=1e-4)


def test_floats_and_bytes_give_the_same(served):
    client = Client(served[1])
    floats = client.predict(
        "images", {"images": view(0).rgb[None].astype("float32") / 255}, ["normal"]
    )
    np.testing.assert_allclose(
        floats["normal"],
        client.predict("image_bytes", {"image_bytes": [PICTURE]}, ["normal"])["normal"],
        atol=1e-5,
    )


def test_a_filter_returns_only_what_was_asked_for(served):
    found = Client(served[1]).predict(
        "image_bytes", {"image_bytes": [PICTURE]}, ["reshading_png_bytes", "class_scene_top_ids"]
    )
    assert set(found) == {"reshading_png_bytes", "class_scene_top_ids"}
    assert found["reshading_png_bytes"][0].startswith(b"\x89PNG") and found[
        "class_scene_top_ids"
    ].shape == (1, 5)


FAULTS = {
    "unknown signature": (
        {"signature": "nothing", "inputs": {"image_bytes": [PICTURE]}},
        "FAILED_PRECONDITION",
        'Serving signature key "nothing" not found',
    ),
    "wrong name": (
        {"signature": "image_bytes", "inputs": {"picture": [PICTURE]}},
        "INVALID_ARGUMENT",
        "Sent extra: {picture}",
    ),
    "wrong type": (
        {
            "signature": "serving_default",
            "inputs": {"images": np.zeros((1, SIZE, SIZE, 3), "int32")},
        },
        "INVALID_ARGUMENT",
        "Expects arg[0] to be float",
    ),
    "wrong shape": (
        {"signature": "serving_default", "inputs": {"images": np.zeros((1, 5, 5, 7), "float32")}},
        "INVALID_ARGUMENT",
        "",
    ),
    "unknown output": (
        {"signature": "image_bytes", "inputs": {"image_bytes": [PICTURE]}, "outputs": ["nope"]},
        "INVALID_ARGUMENT",
        "alias not found in signature: nope",
    ),
    "no image": (
        {"signature": "image_bytes", "inputs": {"image_bytes": [b"hello"]}},
        "INVALID_ARGUMENT",
        "",
    ),
    "broken image": (
        {"signature": "image_bytes", "inputs": {"image_bytes": [PICTURE[:60]]}},
        "INVALID_ARGUMENT",
        "",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_have_tensorflow_servings_codes_and_do_no_harm(served, name):
    call, code, text = FAULTS[name]
    client = Client(served[1])
    with pytest.raises(grpc.RpcError) as error:
        client.predict(**call)
    assert error.value.code().name == code and text in error.value.details()
    assert client.predict("normal", {"image_bytes": [PICTURE]})


def test_an_unknown_model_is_not_found(served):
    with pytest.raises(grpc.RpcError) as error:
        Client(served[1], "other").predict("normal", {"image_bytes": [PICTURE]})
    assert (
        error.value.code().name == "NOT_FOUND"
        and "Servable not found for request: Latest(other)" in error.value.details()
    )


def rest(model):
    server = RestServer(("127.0.0.1", 0), model)
    server.start()
    return server, f"http://127.0.0.1:{server.server_port}/v1/models/taxonomy"


def fetch(url: str, body: dict | None = None):
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data)) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_rest_answers_status_metadata_rows_and_columns(served):
    import base64

    server, url = rest(served[0])
    picture = {"b64": base64.b64encode(PICTURE).decode()}
    assert fetch(url)[1]["model_version_status"][0]["state"] == "AVAILABLE"
    assert "normal" in fetch(f"{url}/metadata")[1]["metadata"]["signature_def"]["signature_def"]
    rows = fetch(
        f"{url}:predict",
        {"signature_name": "class_scene", "instances": [{"image_bytes": picture}] * 2},
    )
    columns = fetch(
        f"{url}:predict",
        {"signature_name": "class_scene", "inputs": {"image_bytes": [picture] * 2}},
    )
    assert (
        rows[0] == 200
        and rows[1]["predictions"][0]["class_scene"] == columns[1]["outputs"]["class_scene"][0]
    )
    assert fetch(f"{url}:predict", {"instances": []})[0] == 400
    assert fetch(url.replace("taxonomy", "other"))[0] == 404
    server.shutdown()


def test_a_new_version_is_swapped_in_under_load_without_a_failed_request(swapped, base):
    model, address = swapped
    client, failures, answers, stop = Client(address), [], [], threading.Event()

    def load():
        while not stop.wait(0.004):
            try:
                answers.append(client.predict("class_scene", {"image_bytes": [PICTURE]}))
            except grpc.RpcError as error:
                failures.append(error)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        push(tiny_bundle(), base)
        model.poll()
    stop.set()
    for thread in threads:
        thread.join()
    assert model.current.number == versions(base)[-1] and len(versions(base)) == 3
    assert not failures and len(answers) > 10


def test_a_corrupt_or_half_written_version_leaves_the_old_one_serving(swapped, base):
    model, address = swapped
    old = model.current.number
    (base / str(old + 1)).mkdir()
    model.poll()
    assert model.current.number == old
    (base / str(old + 1) / "saved_model.pb").write_bytes(b"broken")
    model.poll()
    assert model.current.number == old and model.states[old + 1][0] == 50
    assert Client(address).predict("normal", {"image_bytes": [PICTURE]})
