"""python -m tfx_pipeline demo | run | add-source | remove-source | config | compile | submit
| schedule | history | diff | prune | rollback | trace | schema
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from models.arguments.endings import ended
from models.arguments.exact import ExactParser
from models.arguments.places import named_path, named_place
from tfx_pipeline import sources
from tfx_pipeline.history.commands import DO, add_commands
from tfx_pipeline.schedule.commands import (
    add_parameter,
    add_schedule_arguments,
    add_window,
    do_schedule,
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
    commands = top.add_subparsers(dest="command", required=True)
    for name, text in (
        ("demo", "make the procedural data set, run the pipeline on it, serve and ask"),
        ("run", "run the pipeline on your data"),
        ("config", "print a configuration as JSON"),
        ("compile", "write the pipeline for Kubeflow Pipelines"),
        ("schedule", "run again whenever data, code or configuration changed"),
    ):
        command = commands.add_parser(name, help=text, description=text)
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
    """the verb that shows and keeps what data look like."""
    text = "what changed in the newest data's schema against the kept one"
    command = commands.add_parser("schema", help=text, description=text)
    command.epilog = "example: python -m tfx_pipeline schema runs/mine --accept"
    command.add_argument("run", type=named_path, help="folder of the run")
    command.add_argument("--accept", action="store_true", help="keep it from now on")


def add_submit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """the verb that runs a compiled file."""
    text = "run a compiled file on Kubeflow Pipelines, and watch it"
    command = commands.add_parser("submit", help=text, description=text)
    command.epilog = (
        "example: python -m tfx_pipeline submit --host http://127.0.0.1:8888 taskonomy.yaml"
    )
    command.add_argument("file", type=named_path, nargs="?", default=Path("taskonomy.yaml"))
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
        "--every", type=float, default=15, help="seconds between two looks (default: 15)"
    )


def add_cluster_arguments(command: argparse.ArgumentParser) -> None:
    """what `compile` is told about the cluster."""
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
        "--retries", type=int, default=2, help="of a step that failed (default: 2)"
    )


def main(arguments: list[str] | None = None) -> int:
    # as typed: a message says the same words again
    words = sys.argv[1:] if arguments is None else arguments
    try:
        return ended(lambda: begun(words), LEFT.get(words[0], "") if words else "")
    # any type: what ours are called is imported only now
    except Exception as error:
        from beam_jobs.options import BeamOptionError
        from tfx_pipeline.config import ConfigError
        from tfx_pipeline.faults import RunError

        if not isinstance(error, (BeamOptionError, ConfigError, RunError, FileNotFoundError)):
            raise
        print(f"error: {error}", file=sys.stderr)
        return error.code if isinstance(error, RunError) else 1


def begun(words: list[str]) -> int:
    # before any import of ours: errors of the command line come at once
    options = parser().parse_args(words)
    from tfx_pipeline import quiet

    # environment variables that TensorFlow and gRPC read once, when they are imported
    quiet.before_imports()
    return carried_out(options, words)


def carried_out(options: argparse.Namespace, words: list[str]) -> int:
    """the exit code of one command. words: as typed."""
    from beam_jobs.options import checked
    from tfx_pipeline.config import configuration, shards_of
    from tfx_pipeline.stopping import resume_command, stoppable

    # these commands need no configuration, and some of them no TFX either
    if options.command == "submit":
        return do_submit(options)
    if options.command == "schema":
        return do_schema(options)
    if options.command in DO:
        return DO[options.command](options)
    if options.command in sources.DO:
        with stoppable(resume_command(words)):
            return do_sources(options)
    # `--shards` is two fields by another name
    shards = shards_of(options.shards) if options.shards else []
    config = configuration(options.config, [*options.set, *shards])
    if getattr(options, "beam", None):
        options.beam = checked(options.beam)
    # a schedule in the foreground lets its tick write the history's line
    gently = getattr(options, "every", None) is not None
    with stoppable(resume_command(words), gently=gently):
        if options.command == "schedule":
            return do_schedule(config, options)
        code: int = globals()[f"do_{options.command}"](config, options)
        return code


def do_demo(config: Config, options: argparse.Namespace) -> int:
    from tfx_pipeline.demo import demo

    return demo(config, options.run)


def do_run(config: Config, options: argparse.Namespace) -> int:
    from tfx_pipeline.data_place import placed
    from tfx_pipeline.local import run_pipeline

    data = Path(placed(options.data, options.run, options.window))
    places = run_pipeline(config, data, options.run, beam=options.beam, force=options.force)
    for name, place in places.items():
        print(f"{name:9s} {place}")
    return 0


def do_sources(options: argparse.Namespace) -> int:
    """a source of no use is one line on stderr."""
    from models.networks.sources.description import SourceError
    from tfx_pipeline.faults import RunError

    try:
        return sources.DO[options.command](options)
    # a source that cannot be used is the person's to mend, like a field of the configuration
    except SourceError as error:
        raise RunError(str(error)) from error


def do_config(config: Config, options: argparse.Namespace) -> int:
    import json

    print(json.dumps(config.to_json(), indent=1))
    return 0


def do_compile(config: Config, options: argparse.Namespace) -> int:
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
            beam=options.beam,
            force=options.force,
        )
    )
    return 0


def do_submit(options: argparse.Namespace) -> int:
    """the run's id to stdout, its steps to stderr."""
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
