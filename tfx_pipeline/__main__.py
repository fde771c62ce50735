"""python -m tfx_pipeline demo | run | config | compile | schedule"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfx_pipeline.config import Config


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
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
        ("schedule", "run again whenever the data changed (for cron or a systemd timer)"),
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
        if name in ("demo", "run", "schedule"):
            command.add_argument(
                "--run",
                type=Path,
                default=Path("runs/demo"),
                help="folder for artifacts, metadata, served versions (default: runs/demo)",
            )
        if name in ("run", "compile", "schedule"):
            command.add_argument("--data", required=True, help="folder in the published layout")
        if name == "compile":
            command.add_argument("--out", type=Path, default=Path("taskonomy.yaml"))
            command.add_argument(
                "--image", default="taskonomy:latest", help="container image of every step"
            )
            command.add_argument(
                "--root", required=True, help="where the cluster keeps artifacts (an object store)"
            )
    return top


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    from tfx_pipeline import quiet

    quiet.before_imports()
    from tfx_pipeline.config import ConfigError, configuration, shards_of
    from tfx_pipeline.local import RunError

    try:
        shards = shards_of(options.shards) if options.shards else []
        config = configuration(options.config, [*options.set, *shards])
        return globals()[f"do_{options.command}"](config, options)
    except (ConfigError, RunError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; finished work is kept, the same command resumes", file=sys.stderr)
        return 130


def do_demo(config: Config, options: argparse.Namespace) -> int:
    from tfx_pipeline.demo import demo

    return demo(config, options.run)


def do_run(config: Config, options: argparse.Namespace) -> int:
    from tfx_pipeline.local import run_pipeline

    for name, place in run_pipeline(config, Path(options.data), options.run).items():
        print(f"{name:9s} {place}")
    return 0


def do_config(config: Config, options: argparse.Namespace) -> int:
    import json

    print(json.dumps(config.to_json(), indent=1))
    return 0


def do_compile(config: Config, options: argparse.Namespace) -> int:
    from tfx_pipeline.kubeflow import compile_pipeline

    print(
        compile_pipeline(
            config, data=options.data, root=options.root, image=options.image, out=options.out
        )
    )
    return 0


def do_schedule(config: Config, options: argparse.Namespace) -> int:
    from tfx_pipeline.schedule import run_if_changed

    return run_if_changed(config, Path(options.data), options.run)


if __name__ == "__main__":
    sys.exit(main())
