"""The command `python -m beam_jobs ingest`: its arguments, which are checked before Beam is
imported.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

from models.arguments.numbers import count, natural
from models.arguments.places import named_place
from models.examples.splits import read_splits
from models.tasks import check_label_folders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `ingest` to its parser."""
    parser.epilog = (
        "example: python -m beam_jobs ingest --data data --out examples --size 64 --splits "
        "train_val_test_tiny.csv --processes 2"
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--data",
        type=named_place,
        help="folder in the published layout, or its place in an object store",
    )
    where.add_argument(
        "--input-pattern",
        help="as TFX's: '.../span-{SPAN}/version-{VERSION}'; the newest span, of it the "
        "newest version, is read",
    )
    parser.add_argument(
        "--span", type=natural, help="this span of the pattern instead of the newest"
    )
    parser.add_argument(
        "--version", type=natural, help="this version of the span instead of the newest"
    )
    parser.add_argument("--out", type=named_place, required=True, help="folder for the examples")
    parser.add_argument("--size", type=count, default=64, help="side of the training images")
    parser.add_argument(
        "--shards",
        type=count,
        default=4,
        help="files a split; also the pieces of work that processes share",
    )
    parser.add_argument(
        "--splits",
        help="a split list as published (id,train,val,test), e.g. train_val_test_tiny.csv; "
        "buildings outside it are not read",
    )
    parser.add_argument(
        "--processes", type=count, default=1, help="worker processes on this machine"
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="a flawed or missing label file costs the view; default: that label of the view "
        "(counted, a flawed one named), unless it is the picture",
    )
    parser.add_argument(
        "--beam",
        action="append",
        default=[],
        help="an option for Beam, e.g. --beam=--runner=PortableRunner",
    )


def check_folder(root: str | None) -> None:
    """Raises FileNotFoundError if `root` names a folder of this machine that is not there."""
    if root is not None and "://" not in root and not Path(root).is_dir():
        raise FileNotFoundError(
            f"no folder {root}; expected one in the published layout (BUILDING/rgb/*.png, ...)"
        )


def run(options: argparse.Namespace) -> int:
    """Ingests a data set, prints the counts, says on standard error what was lost, and returns the
    exit code.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    warnings.filterwarnings("ignore", category=FutureWarning, module="google")
    # Beam warns that crcmod is missing, for TFRecord files of its own that are not used here.
    logging.getLogger().addFilter(lambda record: "crcmod" not in record.getMessage())
    # An error of the system is told in a line at the end; without this Beam prints a traceback.
    logging.getLogger("apache_beam.runners.common").addFilter(
        lambda record: not (record.exc_info and isinstance(record.exc_info[1], OSError))
    )
    check_label_folders()
    root = options.data
    check_folder(root)
    # after the check: Beam takes seconds to import
    from beam_jobs.ingest import spans
    from beam_jobs.ingest.finish import said_losses
    from beam_jobs.ingest.job import ingest

    facts: dict[str, Any] = {}
    if options.input_pattern:
        span = spans.newest(options.input_pattern, span=options.span, version=options.version)
        root = span.root
        facts = span.facts()
    several = [
        "--direct_running_mode=multi_processing",
        f"--direct_num_workers={options.processes}",
    ]
    counts = ingest(
        root,
        options.out,
        size=options.size,
        shards=options.shards,
        splits=read_splits(options.splits) if options.splits else None,
        only_split=True,
        strict=options.strict,
        beam_args=[*(several if options.processes > 1 else []), *options.beam],
        facts=facts,
    )
    print(json.dumps(counts))
    for line in said_losses(options.out, counts):
        print(line, file=sys.stderr)
    return 0
