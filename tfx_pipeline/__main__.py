"""python -m tfx_pipeline demo | run | add-source | remove-source | config | compile | submit
| schedule | history | diff | prune | rollback | trace | schema
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from models.arguments.command import UserError, run_command
from models.arguments.exact import ExactParser
from models.arguments.numbers import duration, natural
from models.arguments.places import named_path, named_place
from tfx_pipeline import sources
from tfx_pipeline.history.commands import add_commands
from tfx_pipeline.schedule.commands import (
    add_parameter,
    add_schedule_arguments,
    add_window,
    start_schedule,
)

# for types alone: `--help` must not wait for TensorFlow's import
if TYPE_CHECKING:
    from tfx_pipeline.config import Config

# command -> what it leaves behind when it is interrupted; those that take long say it themselves
# (`stopping.stoppable`), the others leave nothing
LEFT = {"submit": "what was submitted goes on (submit --watch RUN)"}


def parser() -> argparse.ArgumentParser:
    top: argparse.ArgumentParser = ExactParser(
        prog="python -m tfx_pipeline",
        description="The Taskonomy pipeline: from a folder of views to a served taxonomy.",
        epilog="example: python -m tfx_pipeline run --data DIR --run runs/mine --config laptop "
        "--set default_budget=4",
    )
    # a verb's own defaults take the place of this one
    top.set_defaults(resumes=False)
    commands = top.add_subparsers(dest="command", required=True)
    for name, action, text in (
        ("demo", do_demo, "make the procedural data set, run the pipeline on it, serve and ask"),
        ("run", do_run, "run the pipeline on your data"),
        ("config", do_config, "print a configuration as JSON"),
        ("compile", do_compile, "write the pipeline for Kubeflow Pipelines"),
        ("schedule", do_schedule, "run again whenever data, code or configuration changed"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(action=action, resumes=True)
        command.add_argument(
            "--config", default="laptop", help="paper, laptop or smoke (default: laptop)"
        )
        command.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help="replace one field; repeat as needed",
        )
        command.add_argument(
            "--shards",
            metavar="TASKS,TRANSFERS",
            help="parallel nodes of TrainTasks and of TrainTransfers (same results for any number)",
        )
        if name in ("run", "compile", "schedule"):
            command.add_argument(
                "--beam",
                action="append",
                default=[],
                metavar="OPTION",
                help="an option for every Beam stage, e.g. --beam=--runner=PortableRunner; repeat",
            )
        if name in ("demo", "run", "schedule"):
            command.add_argument(
                "--run",
                type=named_path,
                default=Path("runs/demo"),
                help="folder for artifacts, metadata, served versions (default: runs/demo)",
            )
        if name in ("run", "compile", "schedule"):
            command.add_argument(
                "--force",
                default="",
                metavar="REASON",
                help="go on where a gate refuses; the reason is kept in its verdict",
            )
        if name in ("run", "compile", "schedule"):
            command.add_argument(
                "--data",
                type=named_place,
                required=name != "schedule",
                # `schedule --host` has its data in the compiled file
                help="folder in the published layout, or a pattern of such with {SPAN}",
            )
        if name in ("run", "schedule"):
            add_window(command)
        if name == "schedule":
            add_schedule_arguments(command)
        if name == "compile":
            add_cluster_arguments(command)
    add_submit(commands)
    add_commands(commands)
    add_schema(commands)
    sources.add_arguments(commands)
    return top


def add_schema(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb that shows and keeps what data look like."""
    text = "what changed in the newest data's schema against the kept one"
    command = commands.add_parser("schema", help=text, description=text)
    command.set_defaults(action=do_schema)
    command.epilog = "example: python -m tfx_pipeline schema runs/mine --accept"
    command.add_argument("run", type=named_path, help="folder of the run")
    command.add_argument("--accept", action="store_true", help="keep it from now on")


def add_submit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb that runs a compiled file."""
    text = "run a compiled file on Kubeflow Pipelines, and watch it"
    command = commands.add_parser("submit", help=text, description=text)
    command.set_defaults(action=do_submit)
    command.epilog = (
        "example: python -m tfx_pipeline submit --host http://127.0.0.1:8888 taskonomy.yaml"
    )
    command.add_argument(
        "file",
        type=named_path,
        nargs="?",
        default=Path("taskonomy.yaml"),
        help="that `compile` wrote (default: taskonomy.yaml)",
    )
    command.add_argument("--host", required=True, help="of the API (its v2beta1), http://...")
    command.add_argument("--token-file", type=named_path, help="file with a bearer token")
    command.add_argument("--name", default="taskonomy", help="of the run (default: taskonomy)")
    command.add_argument(
        "--experiment", default="taskonomy", help="that the run belongs to (default: taskonomy)"
    )
    add_parameter(command)
    command.add_argument("--no-watch", action="store_true", help="end when it is submitted")
    command.add_argument("--watch", metavar="RUN", help="watch this run instead of a new one")
    command.add_argument(
        "--every",
        type=duration,
        metavar="TIME",
        default=15.0,
        help="between two looks: 15, 15s or 1m (default: 15 seconds)",
    )


def add_cluster_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what `compile` is told about the cluster."""
    command.epilog = (
        "example: python -m tfx_pipeline compile --config paper --data gs://BUCKET/data --root "
        "gs://BUCKET/runs --image REGISTRY/taskonomy:1 --out taskonomy.yaml"
    )
    command.add_argument(
        "--out",
        type=named_path,
        default=Path("taskonomy.yaml"),
        help=".yaml for Kubeflow Pipelines, .json for Vertex AI (default: taskonomy.yaml)",
    )
    command.add_argument(
        "--image", default="taskonomy:latest", help="container image of every step"
    )
    command.add_argument(
        "--root", required=True, help="where the cluster keeps artifacts (gs://, s3://, minio://)"
    )
    command.add_argument(
        "--work",
        default="/work",
        help="where every step sees the shared volume: ledgers, served versions (default: /work)",
    )
    command.add_argument(
        "--volume",
        default="taskonomy",
        help="the shared volume's claim, ReadWriteMany (default: taskonomy)",
    )
    command.add_argument(
        "--resources",
        type=named_path,
        metavar="FILE",
        help="YAML, stage: {cpu: 8, memory: 32G, gpu: 1}; `default` is of all others",
    )
    command.add_argument(
        "--retries",
        type=natural,
        default=2,
        help="how often a step that failed is tried again (default: 2)",
    )


def main(arguments: list[str] | None = None) -> int:
    """Runs a command and returns its exit code."""
    # a ValueError that is none of ours is a defect, and keeps its traceback
    return run_command(dispatch, arguments, errors=(UserError, OSError), left=LEFT)


def dispatch(words: list[str]) -> int:
    """Exit code of one command. words: as typed, since a message says them again."""
    # before any import of ours: errors of the command line come at once
    options = parser().parse_args(words)
    from tfx_pipeline import quiet

    # environment variables that TensorFlow and gRPC read once, when they are imported
    quiet.before_imports()
    action: Callable[[argparse.Namespace], int] = options.action
    if not options.resumes:
        return action(options)
    from tfx_pipeline.stopping import resume_command, stoppable

    # a schedule in the foreground lets its tick write the history's line
    gently = getattr(options, "every", None) is not None
    with stoppable(resume_command(words), gently=gently):
        return action(options)


def config_of(options: argparse.Namespace) -> Config:
    """The configuration that the options describe. Raises ConfigError."""
    from tfx_pipeline.config import configuration, shards_of

    # `--shards` is two fields by another name
    shards = shards_of(options.shards) if options.shards else []
    return configuration(options.config, [*options.set, *shards])


def beam_of(options: argparse.Namespace) -> list[str]:
    """The options for Beam, all of them known to it. Raises BeamOptionError."""
    from beam_jobs.options import checked

    return checked(options.beam)


def do_demo(options: argparse.Namespace) -> int:
    from tfx_pipeline.demo import demo

    return demo(config_of(options), options.run)


def do_run(options: argparse.Namespace) -> int:
    config, beam = config_of(options), beam_of(options)
    from tfx_pipeline.data_place import data_folder
    from tfx_pipeline.local import run_pipeline

    data = Path(data_folder(options.data, options.run, options.window))
    places = run_pipeline(config, data, options.run, beam=beam, force=options.force)
    for name, place in places.items():
        print(f"{name:9s} {place}")
    return 0


def do_schedule(options: argparse.Namespace) -> int:
    return start_schedule(config_of(options), options, beam_of(options))


def do_config(options: argparse.Namespace) -> int:
    import json

    print(json.dumps(config_of(options).to_json(), indent=1))
    return 0


def do_compile(options: argparse.Namespace) -> int:
    config, beam = config_of(options), beam_of(options)
    from tfx_pipeline.kubeflow import compile_pipeline

    print(
        compile_pipeline(
            config,
            data=options.data,
            root=options.root,
            image=options.image,
            out=options.out,
            work=options.work,
            volume=options.volume,
            resources=options.resources,
            retries=options.retries,
            beam=beam,
            force=options.force,
        )
    )
    return 0


def do_submit(options: argparse.Namespace) -> int:
    """Prints the run's id to stdout and its steps to stderr."""
    from tfx_pipeline.cluster import submit

    parameters = submit.parameters_of(options.parameter)
    # before a connection is made: a missing file is no matter of the server
    if not options.watch:
        submit.check_file(options.file)
    client = submit.connect(options.host, submit.token_in(options.token_file))
    run = options.watch or submit.create(
        client,
        options.host,
        options.file,
        name=options.name,
        experiment=options.experiment,
        parameters=parameters,
    )
    # alone on standard output, for whoever calls us in a script
    print(run, flush=True)
    if not options.no_watch:
        submit.watch(client, options.host, run, say=report_step, every=options.every)
    return 0


def do_schema(options: argparse.Namespace) -> int:
    from tfx_pipeline.faults import RunError
    from tfx_pipeline.kept_schema import review

    try:
        lines = review(options.run, options.accept)
    except ValueError as error:
        raise RunError(str(error)) from error
    print(*lines, sep="\n")
    return 0


def report_step(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
