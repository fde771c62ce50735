"""A compiled file as a run of a Kubeflow Pipelines server (its API v2beta1), watched to its end."""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from tfx_pipeline.faults import RunError
from tfx_pipeline.kubeflow import INPUTS

Answer = TypeVar("Answer")

GOOD = ("SUCCEEDED", "SKIPPED")
BAD = ("FAILED", "CANCELED")
# How many questions about a watched run may go unanswered in a row.
PATIENCE = 10


def connect(host: str, token: str | None = None, timeout: float = 10) -> Any:
    """Returns kfp's client of the server at `host` (http://...). token: a bearer token. Raises
    RunError where nothing answers there, or something else does.
    """
    address = host.rstrip("/")
    # asked by hand first: whatever answers there, or nothing, can then be said in one line
    try:
        question = urllib.request.Request(f"{address}/apis/v2beta1/healthz")
        if token:
            question.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(question, timeout=timeout) as answer:
            json.load(answer)
    except urllib.error.HTTPError as error:
        raise RunError(
            f"{address} answers {error.code} {error.reason}; "
            # 401 and 403 mean that somebody asks who one is
            + ("give --token-file FILE" if error.code in (401, 403) else "is it Kubeflow's API?")
        ) from error
    # what is no address (`foo`, a port that is no number) is said in other types than silence
    except (OSError, ValueError, http.client.HTTPException) as error:
        # urllib's errors hold the reason inside
        why = getattr(error, "reason", error)
        raise RunError(
            f"no Kubeflow Pipelines at {address}: {why}; expected http://HOST:PORT of its API "
            "(kubectl port-forward svc/ml-pipeline 8888:8888)"
        ) from error
    # seconds to import: only where a server answers
    import kfp

    return ask_server(address, functools.partial(kfp.Client, host=address, existing_token=token))


def ask_server(address: str, call: Callable[[], Answer]) -> Answer:
    """Returns the answer of the server at `address` to `call`. Raises RunError, in one line, where
    it refuses or stays silent.
    """
    import kfp_server_api
    import urllib3

    try:
        # kfp prints links to stdout, which is ours for the run's id
        with contextlib.redirect_stdout(sys.stderr):
            return call()
    except kfp_server_api.ApiException as error:
        raise RunError(f"{address} refused ({error.status}): {words_of(error)}") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise RunError(f"{address} does not answer: {type(error).__name__}") from error


def words_of(error: Any) -> str:
    """Returns what an answer with an error says, in one line."""
    try:
        # errors of the API are JSON, those of a proxy before it are pages
        body = json.loads(error.body)
        text = body.get("message") or body.get("error") or error.reason
    except (TypeError, ValueError, AttributeError):
        text = error.body or error.reason
    return " ".join(str(text).split())[:500]


def token_in(file: Path | None) -> str | None:
    """Returns the bearer token that a file holds, None without a file. Raises RunError for a file
    that cannot be read.
    """
    try:
        return file.read_text().strip() if file else None
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"--token-file {file} cannot be read: {error}") from error


def parameters_of(words: Iterable[str]) -> dict[str, str]:
    """Returns {input of the compiled file: value} of words NAME=VALUE. Raises RunError."""
    values = {}
    for word in words:
        name, equals, value = word.partition("=")
        if name not in INPUTS or not equals:
            raise RunError(
                f"--parameter takes NAME=VALUE of {', '.join(INPUTS)}, such as "
                f"data=gs://BUCKET/data; got {word!r}"
            )
        values[name] = value
    return values


def create(
    client: Any,
    address: str,
    file: Path,
    *,
    name: str,
    experiment: str,
    parameters: Mapping[str, str] | None = None,
) -> str:
    """Starts a run of `file` in an experiment, which is made where there is none, and returns the
    run's id. parameters: values of the file's inputs that are not as compiled. Raises RunError.
    """
    check_file(file)
    group = ask_server(address, functools.partial(client.create_experiment, name=experiment))
    run = ask_server(
        address,
        functools.partial(
            client.run_pipeline,
            group.experiment_id,
            name,
            pipeline_package_path=str(file),
            params=dict(parameters or {}),
        ),
    )
    return str(run.run_id)


def create_recurring(
    client: Any,
    address: str,
    file: Path,
    *,
    name: str,
    experiment: str,
    every: int,
    parameters: Mapping[str, str] | None = None,
) -> str:
    """Makes a recurring run of `file` and returns its id: every so many seconds, one run at a time,
    and none in place of those that were missed. Raises RunError, also where there is one of that
    name.
    """
    check_file(file)
    group = ask_server(address, functools.partial(client.create_experiment, name=experiment))
    answer = ask_server(
        address,
        functools.partial(
            client.list_recurring_runs, page_size=100, experiment_id=group.experiment_id
        ),
    )
    # kfp would make a second one of the same name
    for each in answer.recurring_runs or []:
        if each.display_name == name:
            raise RunError(
                f"{address} has a recurring run {name} already ({each.recurring_run_id}); delete "
                "it there first"
            )
    recurring = ask_server(
        address,
        functools.partial(
            client.create_recurring_run,
            group.experiment_id,
            name,
            interval_second=every,
            # a run that takes longer than its pause must not meet itself
            max_concurrency=1,
            # after an outage: one run, not all that were missed
            no_catchup=True,
            pipeline_package_path=str(file),
            params=dict(parameters or {}),
        ),
    )
    return str(recurring.recurring_run_id)


def check_file(file: Path) -> None:
    """Raises RunError where nothing was compiled."""
    if not file.is_file():
        raise RunError(
            f"no compiled pipeline at {file}; `python -m tfx_pipeline compile --out {file} ...` "
            "writes it"
        )


def watch(
    client: Any, address: str, run: str, *, say: Callable[[str], None], every: float = 15
) -> None:
    """Waits until the run ends, and says a line for each change of a step's state. every: seconds
    between two questions. Raises RunError if the run ends badly, or if the server stays silent,
    where the run may go on.
    """
    states: dict[str, str] = {}
    silent = 0
    # the server may be restarted while a run goes on: a few silences in a row are borne
    while True:
        try:
            answer = ask_server(address, functools.partial(client.get_run, run))
            silent = 0
        except RunError as error:
            silent += 1
            # a refusal (4xx) does not go away by asking again
            if silent >= PATIENCE or " refused (4" in str(error):
                raise RunError(
                    f"{error}; run {run} may go on there: submit --host {address} --watch {run}"
                ) from error
            time.sleep(every)
            continue
        # before its end is looked at: the last states are said, too
        say_changes(answer, states, say)
        if answer.state in GOOD:
            return
        if answer.state in BAD:
            raise RunError(f"run {run} {answer.state.lower()}: {failure_text(answer)}")
        time.sleep(every)


def tasks_of(run: Any) -> list[Any]:
    """Returns the steps that the server tells of, in order of their start."""
    # other servers leave these fields out
    details = getattr(run, "run_details", None)
    return list(getattr(details, "task_details", None) or [])


def say_changes(run: Any, states: dict[str, str], say: Callable[[str], None]) -> None:
    """Says a line for each state that changed since `states`, which is brought up to date."""
    for task in tasks_of(run):
        if task.state and states.get(task.display_name) != task.state:
            states[task.display_name] = task.state
            say(f"{task.display_name}: {task.state.lower()}")


def failure_text(run: Any) -> str:
    """Returns which steps of a run failed, and what the server says of it, in one line."""
    failed = [task.display_name for task in tasks_of(run) if task.state == "FAILED"]
    steps = f"{', '.join(sorted(set(failed)))} failed" if failed else ""
    message = getattr(getattr(run, "error", None), "message", "") or ""
    return (
        "; ".join(part for part in (steps, " ".join(message.split())) if part) or "no reason given"
    )
