"""Runs a compiled Kubeflow file as a cluster would, without one: every step a process of its own
with an empty disk, to which its inputs are brought and from which its outputs are taken.

    python -m tfx_pipeline.cluster.emulator FILE --disk DIR --kill TrainTasks-0 "network 2/"

Steps share nothing but the object store (a folder, DIR/store) and the volume that the file mounts.
What it stands in for: Kubeflow's driver (who runs when, with which inputs) and launcher (download,
upload, tries). What it leaves out: containers, resources, conditions, caching, steps side by side.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.arguments.exact import ExactParser
from models.arguments.places import named_path
from models.provenance.stores import MOUNTED, local_path
from tfx_pipeline.cluster.pod import ROOT
from tfx_pipeline.cluster.submit import parameters_of
from tfx_pipeline.faults import RunError

REPOSITORY = Path(__file__).resolve().parents[2]
# what Kubeflow's launcher replaces by the step's call
INVOCATION = "{{$}}"


class StepFailed(Exception):
    """A step that failed as often as it may; the message ends in the step's own last lines."""


@dataclass(frozen=True)
class Try:
    """One try of a step. seconds: wall; cpu: seconds of its process and of those it waited for;
    left: what it wrote into its working folder, which the pod's end deletes.
    """

    step: str
    number: int
    code: int
    seconds: float
    cpu: float
    left: list[str]


@dataclass
class Kill:
    """SIGKILL for the first try of a step, once a line of its log holds `text`."""

    step: str
    text: str


# A step's command, working folder and environment -> its process and the lines that it says.
Start = Callable[[Sequence[str], Path, dict[str, str]], tuple[int, Iterator[str]]]


@dataclass
class Cluster:
    """A compiled file with its object store. Raises StepFailed from `run`."""

    spec: dict[str, Any]
    disk: Path
    start: Start
    kills: Sequence[Kill] = ()
    # Values of the file's inputs, where not as compiled.
    parameters: Mapping[str, str] = field(default_factory=dict)
    tries: list[Try] = field(default_factory=list)
    outputs: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)

    def run(self, say: Callable[[str], None], to: Iterable[str] = ()) -> list[Try]:
        """Runs every step after those that it depends on, or only what the steps `to` need, and
        returns all tries.
        """
        steps = self.needed(to)
        finished_nodes: set[str] = set()
        while len(finished_nodes) < len(steps):
            # the file's order is no order of execution
            name = next(
                name
                for name, step in steps.items()
                if name not in finished_nodes
                and finished_nodes.issuperset(step.get("dependentTasks", []))
            )
            self.run_step(name, steps[name], say)
            finished_nodes.add(name)
        return self.tries

    def needed(self, to: Iterable[str]) -> dict[str, Any]:
        """Returns the steps `to` and all that they depend on; every step if none is named. Raises
        StepFailed for a name that no step has.
        """
        every_step: dict[str, Any] = self.spec["root"]["dag"]["tasks"]
        waiting, steps = list(to) or list(every_step), {}
        while waiting:
            name = waiting.pop()
            if name not in every_step:
                raise StepFailed(f"no step {name}; there are: {', '.join(every_step)}")
            # a diamond: two steps may need the same one
            if name not in steps:
                steps[name] = every_step[name]
                waiting += steps[name].get("dependentTasks", [])
        return {name: step for name, step in every_step.items() if name in steps}

    def run_step(self, name: str, step: dict[str, Any], say: Callable[[str], None]) -> None:
        """Runs one step until it ends well, at most as often as its retry policy says."""
        component = self.spec["components"][step["componentRef"]["name"]]
        executors = self.spec["deploymentSpec"]["executors"]
        container = executors[component["executorLabel"]]["container"]
        most = 1 + int(step.get("retryPolicy", {}).get("maxRetryCount", 0))
        for number in range(most):
            # anew for every try: the pod before left its own folders
            call, outputs = self.invocation(name, step, component)
            pod = self.disk / "pod"
            self.bring(pod, call)
            words = [*container["command"], *container["args"]]
            # the launcher fills in the call where the file has its placeholder
            command = [json.dumps(call) if word == INVOCATION else word for word in words]
            this, lines = self.watched(name, number, command, pod)
            self.tries.append(this)
            say(row(this))
            if this.code == 0:
                # only of a try that ended well: a killed one uploads nothing
                self.take(pod, name, call, outputs)
                return
        raise StepFailed(f"{name} failed {most} times; it said last:\n" + "".join(lines[-15:]))

    def invocation(
        self, name: str, step: dict[str, Any], component: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Returns what the launcher tells a step, and the kinds of its outputs."""
        inputs = step.get("inputs", {})
        values = {key: self.value_of(value) for key, value in inputs.get("parameters", {}).items()}
        artifacts = {}
        for key, value in inputs.get("artifacts", {}).items():
            source = value["taskOutputArtifact"]
            whence = (source["producerTask"], source["outputArtifactKey"])
            artifacts[key] = {"artifacts": self.outputs[whence]}
        kinds = component.get("outputDefinitions", {}).get("artifacts", {})
        # as `compile` wrote it into the file
        root = self.spec["defaultPipelineRoot"]
        outputs = {
            key: {
                "artifacts": [
                    {
                        "name": key,
                        "uri": f"{root}/{name}/{key}",
                        "type": kind["artifactType"],
                        "metadata": {},
                    }
                ]
            }
            for key, kind in kinds.items()
        }
        # a file of the pod, which the launcher reads
        output_path = str(self.disk / "pod" / "out" / "executor_output.json")
        call = {
            "inputs": {"parameterValues": values, "artifacts": artifacts},
            "outputs": {"outputFile": output_path, "artifacts": outputs},
        }
        return call, kinds

    def value_of(self, parameter: dict[str, Any]) -> Any:
        """Returns the value of a step's parameter: a constant, or an input of the file."""
        if "runtimeValue" in parameter:
            return parameter["runtimeValue"]["constant"]
        name = parameter["componentInputParameter"]
        default = self.spec["root"]["inputDefinitions"]["parameters"][name]["defaultValue"]
        return self.parameters.get(name, default)

    def bring(self, pod: Path, call: dict[str, Any]) -> None:
        """Makes an empty disk with the step's inputs, and the folders that its outputs will stand
        in.
        """
        # an empty disk: whatever a step left for the next would be found here
        shutil.rmtree(pod, ignore_errors=True)
        (pod / "folder").mkdir(parents=True)
        for artifact in artifacts_in(call["inputs"]["artifacts"]):
            store = local_path(artifact["uri"], str(self.disk / "store"))
            shutil.copytree(store, local_path(artifact["uri"], str(pod)))
        for artifact in artifacts_in(call["outputs"]["artifacts"]):
            # the launcher makes parents alone: the component's own folder is made by `pod`
            Path(local_path(artifact["uri"], str(pod))).parent.mkdir(parents=True, exist_ok=True)

    def take(self, pod: Path, name: str, call: dict[str, Any], kinds: dict[str, Any]) -> None:
        """Takes a step's outputs into the store, and notes what it said of them for those that
        follow.
        """
        artifacts = json.loads(Path(call["outputs"]["outputFile"]).read_text()).get("artifacts", {})
        for key, value in artifacts.items():
            for artifact in value["artifacts"]:
                # the launcher knows kinds by the file, not by the step
                artifact["type"] = kinds[key]["artifactType"]
                # a step that forgot to turn its folder back into an address
                if "://" not in artifact["uri"]:
                    raise StepFailed(
                        f"{name} told the launcher {artifact['uri']}, no place in a store"
                    )
                goal = local_path(artifact["uri"], str(self.disk / "store"))
                # a second try writes the same place
                shutil.rmtree(goal, ignore_errors=True)
                shutil.copytree(local_path(artifact["uri"], str(pod)), goal)
            self.outputs[name, key] = value["artifacts"]

    def watched(
        self, name: str, number: int, command: list[str], pod: Path
    ) -> tuple[Try, list[str]]:
        """one try, killed where it is to be."""
        since = time.monotonic()
        places = {ROOT: str(pod), MOUNTED: str(self.disk / "store")}
        process, lines = self.start(command, pod / "folder", places)
        output = []
        for line in lines:
            output.append(line)
            due = (kill.text in line for kill in self.kills if kill.step == name)
            # the first try alone: the second must come through
            if number == 0 and any(due):
                # the whole group: a step has workers
                os.killpg(process, signal.SIGKILL)
        # `wait4` tells the processor's time of the step and of all that it waited for
        _, status, usage = os.wait4(process, 0)
        # what is lost with the pod
        file_names = sorted(path.name for path in (pod / "folder").iterdir())
        seconds = time.monotonic() - since
        cpu = usage.ru_utime + usage.ru_stime
        code = os.waitstatus_to_exitcode(status)
        return Try(name, number, code, seconds, cpu, file_names), output


def artifacts_in(artifacts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for value in artifacts.values():
        yield from value["artifacts"]


def row(this: Try) -> str:
    """Returns one line of the table of tries."""
    remains = f"  left {', '.join(this.left)}" if this.left else ""
    return (
        f"{this.step:22s} try {this.number + 1}  exit {this.code:3d}  {this.seconds:6.1f} s  "
        f"{this.cpu:6.1f} s of CPU{remains}"
    )


def start_process(
    command: Sequence[str], folder: Path, environment: dict[str, str]
) -> tuple[int, Iterator[str]]:
    """Starts a step in a new interpreter, as in a container."""
    process = subprocess.Popen(
        [sys.executable, *command[1:]],
        cwd=folder,
        # the image has our packages on its path
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # a group of its own, which a kill ends as a whole
        start_new_session=True,
    )
    assert process.stdout is not None
    return process.pid, process.stdout


def fork_process(
    command: Sequence[str], folder: Path, environment: dict[str, str]
) -> tuple[int, Iterator[str]]:
    """Starts a step in a fork of this process, which has imported TFX once for all: the same, only
    sooner.
    """
    # forked from the process that has imported TFX: seconds less a step
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        code = 1
        try:
            os.setsid()
            os.close(reading)
            # numbers of the process, not Python's streams: libraries write there, too
            os.dup2(writing, 1)
            os.dup2(writing, 2)
            os.chdir(folder)
            os.environ.update({"PYTHONPATH": str(REPOSITORY), **environment})
            from tfx_pipeline.cluster import pod

            code = pod.main(list(command[3:]))
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            # without Python's way out, which is the parent's
            os._exit(code)
    # the child's copy alone stays open: reading ends with it
    os.close(writing)
    return process, os.fdopen(reading, encoding="utf-8", errors="replace")


def preload() -> None:
    """Imports what every step imports."""
    from tfx_pipeline import quiet

    quiet.before_imports()
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor  # noqa: F401

    import tfx_pipeline.pipeline  # noqa: F401

    quiet.after_imports()


def main(arguments: list[str] | None = None) -> int:
    words = ExactParser(
        prog="python -m tfx_pipeline.cluster.emulator",
        description="Run a compiled Kubeflow file step by step on this machine.",
        epilog="example: python -m tfx_pipeline.cluster.emulator taskonomy.yaml --disk DIR",
    )
    words.add_argument("file", type=named_path, help="what `compile` wrote (.yaml)")
    words.add_argument(
        "--disk", type=named_path, required=True, help="object store and pods' disks"
    )
    words.add_argument(
        "--kill",
        nargs=2,
        action="append",
        default=[],
        metavar=("STEP", "TEXT"),
        help="kill the step's first try when its log says the text; repeat",
    )
    words.add_argument(
        "--to", nargs="+", default=[], metavar="STEP", help="these steps and what they need"
    )
    words.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an input of the file, such as force=REASON; repeat",
    )
    words.add_argument("--fork", action="store_true", help="steps are forks: TFX is imported once")
    options = words.parse_args(arguments)
    try:
        parameters = parameters_of(options.parameter)
    except RunError as error:
        words.error(str(error))
    import yaml

    # the first document; the second is Kubernetes' part
    spec = next(yaml.safe_load_all(options.file.read_text()))
    if options.fork:
        preload()
    disk = options.disk.resolve()
    cluster = Cluster(
        spec,
        disk,
        fork_process if options.fork else start_process,
        [Kill(*kill) for kill in options.kill],
        parameters,
    )
    try:
        tries = cluster.run(say, options.to)
    except StepFailed as failed:
        print(f"error: {failed}", file=sys.stderr)
        return 1
    total = sum(this.cpu for this in tries)
    bad = sum(this.code != 0 for this in tries)
    # a kill that never happened proves nothing
    for step, text in options.kill:
        if not any(this.step == step and this.code != 0 for this in tries):
            missed = f"it never said {text!r}, or ended as it said so"
            print(f"error: {step} was not killed: {missed}", file=sys.stderr)
            return 1
    print(f"{len(tries) - bad} steps ended well, {bad} tries failed; {total:.0f} s of CPU")
    return 0


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
