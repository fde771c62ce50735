"""Silences the log floods of TensorFlow, TFX, Beam and gRPC, and shows one line a pipeline node
instead.

`before_imports()` must run before TensorFlow is first imported; `after_imports()` says it again,
since absl and TensorFlow reset levels. Warnings and log lines of our own are shown, those of
processes that we start too.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import re
import sys
import time
import warnings
from collections.abc import Iterator
from typing import TextIO

# Modules of others that warn where our children load or train, beyond what Python leaves out by
# itself (deprecations). Whole names, as PYTHONWARNINGS takes no patterns; "ignore" alone would
# silence us too in every child, most of which run no line of this module.
WARNERS = ("google.api_core._python_version_support",)
_ENVIRONMENT = {
    # set unless a person has set them: who asks for a flood gets it
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "GRPC_VERBOSITY": "ERROR",
    "GLOG_minloglevel": "2",
    "ABSL_MIN_LOG_LEVEL": "2",
    "KERAS_BACKEND": "tensorflow",
    "PYTHONWARNINGS": ",".join(f"ignore:::{module}" for module in WARNERS),
    # A GPU's memory as it is needed: nodes start trainers, which need theirs.
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}
# loggers by name: what they log at import comes before any handler of ours
_NOISY = (
    "apache_beam",
    "tensorflow",
    "absl",
    "google",
    "h5py",
    "matplotlib",
    "urllib3",
    "ml_metadata",
    "grpc",
    "numba",
)


# Modules whose warnings and log lines are ours.
_OURS = ("models", "beam_jobs", "components", "tfx_pipeline", "serving")


def before_imports() -> None:
    """Sets the environment that native libraries read once, and log levels that exist already."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    warnings.simplefilter("ignore")
    # warnings of our own are for the person who runs us
    warnings.filterwarnings("default", module=rf"({'|'.join(_OURS)})\.")
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
    quiet_root()


def quiet_root() -> None:
    """Lets through errors of others, who have no level of their own, and warnings of ours."""
    # the root's level is that of everybody who has none
    logging.getLogger().setLevel(logging.ERROR)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.WARNING)


def after_imports() -> None:
    """Sets the levels again that importing TensorFlow and absl has just reset."""
    import tensorflow as tf
    from absl import logging as absl_logging

    # absl has a verbosity and a threshold of standard error: both let lines through
    absl_logging.set_verbosity(absl_logging.ERROR)
    absl_logging.set_stderrthreshold("error")
    quiet_root()
    tf.get_logger().setLevel("ERROR")
    tf.autograph.set_verbosity(0)
    gc.collect()
    # a full collection would walk TensorFlow's and TFX's whole object graph, again and again
    gc.freeze()
    # far fewer collections: what is left changes little
    gc.set_threshold(100_000, 20, 100)


class _NodeLines(logging.Filter):
    """Turns TFX's own "Component X is running./finished.", and "Execution N failed.", into a
    numbered line with its seconds.
    """

    def __init__(self, total: int, out: TextIO) -> None:
        # a filter sees every record before it is dropped, at whatever level it is shown
        super().__init__()
        self.total = total
        self.out = out
        self.number = 0
        self.name = ""
        self.since = time.time()

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        # TFX's own words, alike in both lanes
        match = re.match(r"Component (\S+) is (running|finished)\.", message)
        failed = bool(self.name) and re.match(r"Execution \d+ failed\.", message) is not None
        if match and match[2] == "running":
            self.number += 1
            self.name = match[1]
            self.since = time.time()
            self.say(f"{self.name} ...")
        elif match or failed:
            seconds = f"{time.time() - self.since:.1f} s"
            self.say(f"{self.name}: {'failed after ' if failed else ''}{seconds}")
            self.name = ""
            # what a node leaves is in cycles (networks, and the arrays that they hold): collections
            # are rare, and the next nodes would carry it
            gc.collect()
        self.out.flush()
        # why it failed is told by the error that ends the run
        return record.levelno >= logging.ERROR and not failed

    def say(self, what: str) -> None:
        self.out.write(f"[{self.number:2d}/{self.total}] {what}\n")


@contextlib.contextmanager
def node_progress(total: int, out: TextIO = sys.stderr) -> Iterator[None]:
    """Context in which `out` gets a line when a pipeline node starts, and one when it ends, and
    what an ended node has left in cycles is freed. total: how many nodes there are.
    """
    from absl import logging as absl_logging

    logger, lines = absl_logging.get_absl_logger(), _NodeLines(total, out)
    level = logger.level
    # the lines that are counted are of level INFO
    logger.setLevel(logging.INFO)
    logger.addFilter(lines)
    try:
        yield
    finally:
        logger.removeFilter(lines)
        logger.setLevel(level)
