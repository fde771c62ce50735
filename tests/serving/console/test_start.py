"""The command: refusals at once, and no TensorFlow behind the page."""

import subprocess
import sys

import pytest


def python(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "words, said",
    [
        (["--port", "99999"], "a port is 0 (any free one) to 65535, got 99999"),
        (["--model_base_path", "nofolder"], "nofolder: no such folder"),
    ],
)
def test_what_cannot_start_is_refused_before_heavy_imports(words, said):
    process = python("-X", "importtime", "-m", "serving", "console", *words)
    assert process.returncode == 1 and f"error: {said}" in process.stderr
    lines = [line for line in process.stderr.splitlines() if line.startswith("import time:")]
    packages = {line.split("|")[-1].strip().split(".")[0] for line in lines}
    assert not packages & {"tensorflow", "grpc", "cv2", "PIL", "scipy"}


def test_a_port_that_is_taken_is_said(door):
    port = str(door.server_address[1])
    process = python("-m", "serving", "console", "--port", port)
    assert process.returncode == 1
    assert f"port {port}: Address already in use; give another --port" in process.stderr


def test_the_page_needs_no_tensorflow():
    code = "import serving.console.door, serving.client.client, sys; print(*sys.modules)"
    process = python("-c", code)
    assert process.returncode == 0, process.stderr
    assert not {"tensorflow", "keras", "tensorflow_serving"} & set(process.stdout.split())
