"""A run is submitted to and watched on a local server that speaks Kubeflow's API v2beta1."""

import http.server
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tfx_pipeline.cluster.submit import connect
from tfx_pipeline.faults import RunError

ROOT = Path(__file__).resolve().parents[3]
SPEC = """\
pipelineInfo: {name: tiny}
root: {dag: {tasks: {}}}
schemaVersion: 2.1.0
sdkVersion: tfx-1.16.0
---
platforms: {kubernetes: {deploymentSpec: {executors: {}}}}
"""


class Kubeflow(http.server.ThreadingHTTPServer):
    """states: what the run says of itself, one a question; refusals: (path's end, code, words)."""

    def __init__(self, states=("SUCCEEDED",), refusals=()):
        super().__init__(("127.0.0.1", 0), Door)
        self.states, self.refusals, self.asked = list(states), refusals, []
        self.recurring = []

    @property
    def host(self):
        return f"http://127.0.0.1:{self.server_port}"


class Door(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, value, code=200):
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")

    def do_GET(self):
        self.take("GET", None)

    def do_POST(self):
        self.take("POST", self.body())

    def take(self, verb, body):
        path = self.path.partition("?")[0].removeprefix("/apis/v2beta1/")
        self.server.asked.append((verb, path, body, self.headers.get("Authorization")))
        for end, code, words in self.server.refusals:
            if path.endswith(end) and verb == "POST" or end == "everything":
                self.answer({"message": words}, code)
                return
        if path == "healthz":
            self.answer({"multi_user": False})
        elif path == "experiments":
            named = {"experiment_id": "e1", "display_name": "taskonomy"}
            self.answer(named if verb == "POST" else {"experiments": []})
        elif path == "recurringruns":
            kept = self.server.recurring
            if verb == "POST":
                kept.append({"recurring_run_id": f"q{len(kept)}", **body})
            self.answer(kept[-1] if verb == "POST" else {"recurringRuns": kept})
        elif verb == "POST":
            self.answer({"run_id": "r1", "experiment_id": "e1", "state": "PENDING"})
        else:
            states = self.server.states
            state = states.pop(0) if len(states) > 1 else states[0]
            step = {"display_name": "TrainTasks-0", "state": state, "task_id": "t"}
            run = {"run_id": "r1", "state": state, "run_details": {"task_details": [step]}}
            self.answer(
                run | ({"error": {"message": "out\nof memory"}} if state == "FAILED" else {})
            )


@pytest.fixture
def kubeflow():
    opened = []

    def serve(**words):
        server = Kubeflow(**words)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        opened.append(server)
        return server

    yield serve
    for server in opened:
        server.shutdown()
        server.server_close()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(SPEC)
    return path


def submit(*words):
    return subprocess.run(
        [sys.executable, "-m", "tfx_pipeline", "submit", "--every", "0.1", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_run_is_created_from_both_documents_and_watched_to_its_end(kubeflow, file):
    server = kubeflow(states=("PENDING", "RUNNING", "RUNNING", "SUCCEEDED"))
    done = submit("--host", server.host, file)
    assert done.returncode == 0, done.stderr
    created = [body for verb, path, body, _ in server.asked if (verb, path) == ("POST", "runs")]
    assert len(created) == 1 and created[0]["experiment_id"] == "e1"
    assert created[0]["pipeline_spec"]["pipeline_spec"]["pipelineInfo"]["name"] == "tiny"
    assert "kubernetes" in created[0]["pipeline_spec"]["platform_spec"]["platforms"]
    assert "TrainTasks-0: running" in done.stderr and done.stdout.strip() == "r1"
    assert done.stderr.count("running") == 1


def test_a_run_is_given_the_inputs_that_are_named_and_no_others(kubeflow, file):
    server = kubeflow()
    words = ("--parameter", "data=gs://b/new", "--parameter", "force=the lamp = new", "--no-watch")
    done = submit("--host", server.host, file, *words)
    assert done.returncode == 0, done.stderr
    [created] = [body for verb, path, body, _ in server.asked if (verb, path) == ("POST", "runs")]
    assert created["runtime_config"]["parameters"] == {
        "data": "gs://b/new",
        "force": "the lamp = new",
    }
    done = schedule("--host", server.host, "--file", file, "--parameter", "data=gs://b/new")
    assert done.returncode == 0, done.stderr
    [made] = server.recurring
    assert made["runtime_config"]["parameters"] == {"data": "gs://b/new"}
    assert "--parameter takes NAME=VALUE of data, force" in last(
        submit("--host", server.host, file, "--parameter", "seed=3")
    )


def test_a_token_comes_from_a_file(kubeflow, file, tmp_path):
    server = kubeflow()
    (tmp_path / "token").write_text("secret\n")
    done = submit("--host", server.host, "--token-file", tmp_path / "token", file)
    assert done.returncode == 0, done.stderr
    assert {header for *_, header in server.asked} == {"Bearer secret"}
    assert "secret" not in done.stdout + done.stderr


def last(done):
    assert done.returncode == 1 and "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_a_failed_run_says_which_step_and_why(kubeflow, file):
    server = kubeflow(states=("RUNNING", "FAILED"))
    assert "r1 failed: TrainTasks-0 failed; out of memory" in last(
        submit("--host", server.host, file)
    )


def test_a_refusal_says_the_servers_words(kubeflow, file):
    server = kubeflow(refusals=[("runs", 400, "no such field")])
    assert "refused (400): no such field" in last(submit("--host", server.host, file))


def test_a_server_that_wants_a_token_says_how(kubeflow, file):
    server = kubeflow(refusals=[("everything", 401, "who are you")])
    assert "401" in last(submit("--host", server.host, file))
    assert "--token-file" in last(submit("--host", server.host, file))


def test_nobody_there_is_said_in_one_line(file):
    assert "no Kubeflow Pipelines at http://127.0.0.1:9" in last(
        submit("--host", "http://127.0.0.1:9", file)
    )


def test_a_file_that_is_not_there_is_named(kubeflow, tmp_path):
    server = kubeflow()
    assert "no compiled pipeline at" in last(submit("--host", server.host, tmp_path / "none.yaml"))


def schedule(*words):
    return subprocess.run(
        [sys.executable, "-m", "tfx_pipeline", "schedule", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_recurring_run_is_made_once(kubeflow, file):
    server = kubeflow()
    done = schedule("--host", server.host, "--file", file, "--every", "6h")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "q0"
    [made] = server.recurring
    assert made["trigger"]["periodic_schedule"]["interval_second"] == 21600
    assert made["max_concurrency"] == 1 and made["no_catchup"] is True
    assert made["experiment_id"] == "e1" and made["display_name"] == "taskonomy"
    assert made["pipeline_spec"]["pipeline_spec"]["pipelineInfo"]["name"] == "tiny"
    assert "has a recurring run taskonomy already (q0)" in last(
        schedule("--host", server.host, "--file", file)
    )
    assert len(server.recurring) == 1


def test_a_recurring_run_needs_a_file_and_a_schedule_data(kubeflow):
    assert "--host needs --file" in last(schedule("--host", kubeflow().host))
    assert "schedule needs --data" in last(schedule())


@pytest.mark.parametrize("host", ["foo", "http://foo:port", "http://a b", "//foo"])
def test_what_is_no_address_is_said(host):
    with pytest.raises(RunError, match="expected http://HOST:PORT of its API"):
        connect(host)
