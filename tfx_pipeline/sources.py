"""`add-source`: any frozen encoder becomes a source of a run, and the run's taxonomy is made anew;
its labels, networks and measured transfers stay as they are. `remove-source` takes it away again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.arguments.numbers import count, natural
from models.arguments.places import named_path

if TYPE_CHECKING:
    from tfx_pipeline.config import Config

# The node that is told both what the run is configured with, and where its data are.
REPORT = "WriteReport"
# The node whose labels say which views there are, and its output.
LABELS = ("DecodeLabels", "labels")
# Nodes between the encoded views and the new taxonomy.
UNTIL_TAXONOMY = (
    "PredictTransfers",
    "TrainTransfers",
    "JoinLosses",
    "MeasureAffinities",
    "SolveTaxonomy",
)


@dataclass(frozen=True)
class FinishedRun:
    """The newest run that came to its report: its configuration, its data, and the label store of
    its views (None: not known).
    """

    config: Config
    data: Path
    labels: Path | None


def add_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds both verbs."""
    text = "make any frozen encoder a source of a run, and its taxonomy anew"
    command = commands.add_parser("add-source", help=text, description=text)
    command.set_defaults(action=raising_run_errors(do_add_source), resumes=True)
    command.epilog = (
        "example: python -m tfx_pipeline add-source hed --run runs/demo --encoder hed.keras "
        "--size 128 --preprocess caffe --random-control"
    )
    command.add_argument("name", help="small letters, digits and _; no task's name")
    command.add_argument(
        "--encoder",
        type=named_path,
        required=True,
        metavar="FILE",
        help="a .keras or .onnx file, the folder of a SavedModel, or .npz or .npy features a view",
    )
    command.add_argument(
        "--size",
        type=natural,
        default=0,
        help="side of its pictures in pixels (default, and 0: the run's)",
    )
    command.add_argument(
        "--preprocess",
        default="unit",
        help="unit [0, 1] (default), signed [-1, 1], bytes [0, 255], lite, imagenet, caffe",
    )
    command.add_argument("--mean", type=number_list, help="R,G,B of pictures in [0, 1]")
    command.add_argument("--std", type=number_list, help="R,G,B of pictures in [0, 1]")
    command.add_argument("--layer", default="", help="layer of a .keras model (default: its last)")
    command.add_argument(
        "--channels", type=count, default=8, help="principal components that are kept (default: 8)"
    )
    command.add_argument(
        "--random-control",
        action="store_true",
        help="beside it NAME_random: the same .keras model, weights drawn anew",
    )
    add_run(command, "only add it; the next `run` measures it")
    text = "take such a source away again, and make the taxonomy without it"
    command = commands.add_parser("remove-source", help=text, description=text)
    command.set_defaults(action=raising_run_errors(do_remove_source), resumes=True)
    command.epilog = "example: python -m tfx_pipeline remove-source hed --run runs/demo"
    command.add_argument("name", help="of the source; its random control goes with it")
    add_run(command, "only remove it; the next `run` goes without it")


def add_run(command: argparse.ArgumentParser, later: str) -> None:
    """Adds the options of both verbs: the run, and that it goes on at another time. later: help of
    the second.
    """
    command.add_argument(
        "--run", type=named_path, default=Path("runs/demo"), help="the run (default: runs/demo)"
    )
    command.add_argument("--later", action="store_true", help=later)


def number_list(text: str) -> tuple[float, ...]:
    """Returns the numbers of `--mean` and `--std`."""
    # argparse turns a ValueError into its own message
    return tuple(float(part) for part in text.split(","))


def raising_run_errors(
    action: Callable[[argparse.Namespace], int],
) -> Callable[[argparse.Namespace], int]:
    """Returns `action` with its SourceErrors raised as RunErrors: a source that cannot be used is
    the person's to mend, like a field of the configuration.
    """

    def run(options: argparse.Namespace) -> int:
        from models.networks.sources.description import SourceError
        from tfx_pipeline.faults import RunError

        try:
            return action(options)
        except SourceError as error:
            raise RunError(str(error)) from error

    return run


def do_add_source(options: argparse.Namespace) -> int:
    """Adds a source and, unless `--later`, makes the new taxonomy; returns 0. Raises SourceError,
    RunError.
    """
    from models.networks.sources.description import check_name
    from tfx_pipeline.faults import RunError
    from tfx_pipeline.run_lock import lock_run

    # errors in order of what they cost: name, run, file, then the encoder itself
    check_name(options.name)
    check_run(options.run)
    if not options.encoder.exists():
        raise RunError(f"--encoder {options.encoder}: there is no such file")
    # before the encoder is read: a run that cannot go on should say so at once
    last = run_to_go_on_with(options.run, options.later)
    from models.networks.sources.encode import views_of
    from models.networks.sources.register import add_source
    from tfx_pipeline.history.beside import SOURCES

    preprocessing = {"mean": options.mean, "deviation": options.std}
    # of a run that has not finished its pictures' side is not known
    preprocessing |= {"run_size": last.config.image_size if last else None}
    # only while files are written: the run that follows takes the lock itself
    with lock_run(options.run):
        added = add_source(
            options.run / SOURCES,
            options.name,
            options.encoder,
            preprocess=options.preprocess,
            random_control=options.random_control,
            size=options.size,
            layer=options.layer,
            channels=options.channels,
            views=views_of(last.labels, last.config.network) if last and last.labels else (),
            # defaults are the registry's, not ours
            **{name: value for name, value in preprocessing.items() if value is not None},
        )
    for source in added:
        print(f"{source.name}: {options.run / SOURCES / source.name}", file=sys.stderr)
        # features of a file cannot be computed for a new picture
        if not source.served:
            print(
                f"  {source.name} is measured; a bundle cannot hold a source of the form "
                f"{source.form}, and the run's policies take none of it",
                file=sys.stderr,
            )
    return 0 if last is None or options.later else run_again(last, options.run)


def do_remove_source(options: argparse.Namespace) -> int:
    """Removes a source and, unless `--later`, makes the taxonomy without it; returns 0. Raises
    SourceError, RunError.
    """
    check_run(options.run)
    last = run_to_go_on_with(options.run, options.later)
    # after these checks: Keras takes seconds to import
    from models.networks.sources.register import remove_source
    from tfx_pipeline.history.beside import SOURCES
    from tfx_pipeline.run_lock import lock_run

    with lock_run(options.run):
        for name in remove_source(options.run / SOURCES, options.name):
            print(f"{name}: removed from {options.run / SOURCES}", file=sys.stderr)
    return 0 if last is None or options.later else run_again(last, options.run)


def check_run(run: Path) -> None:
    """Raises RunError where there is no run."""
    from tfx_pipeline.faults import RunError
    from tfx_pipeline.history.metadata import METADATA

    if not (run / METADATA).exists():
        raise RunError(f"no run at {run}; `python -m tfx_pipeline run` makes one")


def run_to_go_on_with(run: Path, later: bool) -> FinishedRun | None:
    """Returns the newest finished run at `run`, None where there is none. Raises RunError unless it
    can go on now, or its sources are for a `later` one.
    """
    from tfx_pipeline.faults import RunError

    last = last_run(run)
    if last is None and not later:
        raise RunError(
            f"the run at {run} has not finished; finish it first, or change its sources with "
            "--later"
        )
    if last is not None and not later:
        check_data(last, run)
    return last


def run_again(last: FinishedRun, run: Path) -> int:
    """Runs the pipeline with the sources that the run has now, prints what came of it, and returns
    0.
    """
    from tfx_pipeline.local import run_pipeline

    places = run_pipeline(last.config, last.data, run)
    for line in rank_lines(places["report"].parent):
        print(line)
    print(taxonomy_time(run))
    for name, place in places.items():
        print(f"{name:9s} {place}")
    return 0


def rank_lines(report: Path) -> list[str]:
    """Returns lines on where the sources from outside rank."""
    from models.reports.outside_sources import outside_lines, outside_sources
    from models.reports.run_files import load_run

    run = load_run(report)
    return outside_lines(outside_sources(run.evidence.get("sources"), run.chosen))


def taxonomy_time(run: Path) -> str:
    """Returns a line on what the newest run took from encoded views to a new taxonomy."""
    from tfx_pipeline.history.metadata import run_graphs

    nodes = run_graphs(run)[-1].executions
    took = {each.node: each.seconds for each in nodes if each.node.startswith(UNTIL_TAXONOMY)}
    times = ", ".join(f"{node} {seconds:.1f}" for node, seconds in took.items())
    return f"from encoded views to a new taxonomy: {sum(took.values()):.0f} s ({times})"


def last_run(run: Path) -> FinishedRun | None:
    """Returns the run of the newest finished report; None where there is none."""
    from tfx_pipeline.config import from_json
    from tfx_pipeline.history.metadata import DONE, run_graphs

    for graph in reversed(run_graphs(run)):
        for each in graph.executions:
            parameters = each.parameters
            if (
                each.node == REPORT
                and each.state in DONE
                and {"config", "root"} <= parameters.keys()
            ):
                # RUN/artifacts/NODE/OUTPUT/NUMBER, where the run lay then
                uris = each.outputs.get("report", [])
                before = [Path(os.path.abspath(uri)).parents[3] for uri in uris]
                labels = graph.artifacts.get("/".join(LABELS))
                return FinishedRun(
                    from_json(json.loads(parameters["config"])),
                    place_after_move(Path(parameters["root"]), before, run),
                    place_after_move(Path(labels), before, run) / "store" if labels else None,
                )
    return None


def place_after_move(path: Path, before: Sequence[Path], run: Path) -> Path:
    """Returns where a path is now that lay below a run's folder, of a run that was moved or copied;
    another path as it is. before: where the run lay.
    """
    full = Path(os.path.abspath(path))
    for folder in before:
        if full.is_relative_to(folder) and folder != Path(os.path.abspath(run)):
            return run / full.relative_to(folder)
    return path


def check_data(last: FinishedRun, run: Path) -> None:
    """Raises RunError where the data of the run are gone: nothing is added to it then."""
    from tfx_pipeline.data_place import check_data_there
    from tfx_pipeline.faults import RunError

    try:
        check_data_there(str(last.data))
    except FileNotFoundError as error:
        raise RunError(
            f"the data of the run are no longer at {last.data}; put them back, or change "
            "its sources with --later and name them: "
            f"`python -m tfx_pipeline run --data DIR --run {run}`"
        ) from error
