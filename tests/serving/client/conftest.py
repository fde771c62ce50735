"""One server for all tests of the client, and a folder of good and bad pictures."""

import io

import pytest
from client_answers import PICTURES
from PIL import Image
from synthetic import view
from tiny_bundle import tiny_bundle

from serving.release.process import ServerProcess, serve_command
from serving.release.push import push


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    base = tmp_path_factory.mktemp("models")
    push(tiny_bundle(), base)
    with ServerProcess(serve_command(base)) as server:
        yield server.address


@pytest.fixture
def folder(tmp_path):
    """four sound pictures, one that is none, one cut, one that only the server's decoder finds cut,
    one hidden.
    """
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for i, data in enumerate(PICTURES):
        (tmp_path / "in" / f"room{i}.png").write_bytes(data)
    (tmp_path / "in" / "deep" / "text.jpg").write_bytes(b"hello")
    (tmp_path / "in" / "cut.png").write_bytes(PICTURES[0][: len(PICTURES[0]) // 2])
    buffer = io.BytesIO()
    Image.fromarray(view(0).rgb).save(buffer, "JPEG")
    (tmp_path / "in" / "half.jpg").write_bytes(buffer.getvalue()[:-100])
    (tmp_path / "in" / ".hidden.png").write_bytes(b"")
    return tmp_path / "in"
