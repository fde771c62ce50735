"""The page over made-up answers: a client as `serving.client.client.Client`, without a server."""

import threading

import grpc
import pytest
from client_answers import made_up_answer

from models.tasks import TASKS
from serving.console.console import Console
from serving.console.door import Door

OFFERED = ["normal", "class_scene", "segment_semantic", "depth_zbuffer", "fixated_pose"]


class Away(grpc.RpcError):
    def code(self):
        return grpc.StatusCode.UNAVAILABLE

    def details(self):
        return "failed to connect"


class MadeUpClient:
    """Answers as networks give them; `away`: as if no server were there."""

    def __init__(self):
        self.version = None
        self.away = False
        self.asked = []

    def served_version(self):
        if self.away:
            raise Away
        return 7

    def tasks(self):
        return {name: TASKS[name].images for name in OFFERED}

    def ask(self, images, names):
        assert self.version == 7, "the version that is named answers"
        self.asked.append((images, names))
        names = names or [name for name in OFFERED if TASKS[name].images <= len(images)]
        return {name: made_up_answer(name) for name in names}


@pytest.fixture
def client():
    return MadeUpClient()


@pytest.fixture
def console(client):
    return Console(lambda: client, "127.0.0.1:8500", "taxonomy")


@pytest.fixture
def door(console):
    with Door(console) as opened:
        thread = threading.Thread(target=opened.serve_forever, args=(0.05,))
        thread.start()
        yield opened
        opened.shutdown()
        thread.join()
