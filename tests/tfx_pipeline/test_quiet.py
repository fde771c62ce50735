"""The quiet mode silences others, not us."""

import gc
import io
import os
import re
import subprocess
import sys
import weakref
from pathlib import Path

from absl import logging as absl_logging

from tfx_pipeline.quiet import WARNERS, node_progress

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import logging, warnings
from tfx_pipeline import quiet

quiet.before_imports()
for module in ("keras.layers", "models.tasks.task"):
    warnings.warn_explicit(f"warned by {module}", UserWarning, "file.py", 1, module=module)
    logging.getLogger(module).warning("logged by %s", module)
"""


def test_warnings_and_log_lines_of_ours_are_shown_and_those_of_others_are_not():
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "warned by models.tasks.task" in done.stderr
    assert "logged by models.tasks.task" in done.stderr
    assert "keras" not in done.stderr


def test_a_child_shows_our_warnings_and_not_those_of_others():
    """by the environment alone: most children run no line of the quiet mode."""
    child = "import google.api_core, warnings\n" + "".join(
        f'warnings.warn_explicit("by {module}", {category}, "file.py", 1, module="{module}")\n'
        for module in ("models.tasks.task", "serving.errors", *WARNERS)
        for category in ("UserWarning", "FutureWarning", "RuntimeWarning")
    )
    parent = (
        "import subprocess, sys\nfrom tfx_pipeline import quiet\nquiet.before_imports()\n"
        f"sys.exit(subprocess.run([sys.executable, '-c', {child!r}]).returncode)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    done = subprocess.run(
        [sys.executable, "-c", parent], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "by " in line]
    assert [line.split("by ")[1] for line in said] == [
        *["models.tasks.task"] * 3,
        *["serving.errors"] * 3,
    ]
    assert "google" not in done.stderr


def test_a_node_that_fails_is_a_line_like_one_that_ends(caplog):
    """TFX's own words for each; why it failed is told by the error that ends the run."""
    out = io.StringIO()
    with node_progress(3, out):
        absl_logging.info("Component ExampleGen is running.")
        absl_logging.info("Component ExampleGen is finished.")
        absl_logging.info("Component TrainTasks is running.")
        absl_logging.error("Execution %d failed.", 12)
        absl_logging.error("another error")
    lines = [re.sub(r"\d+\.\d s", "N s", line) for line in out.getvalue().splitlines()]
    assert lines == [
        "[ 1/3] ExampleGen ...",
        "[ 1/3] ExampleGen: N s",
        "[ 2/3] TrainTasks ...",
        "[ 2/3] TrainTasks: failed after N s",
    ]
    assert caplog.messages == ["another error"]


def test_what_a_node_leaves_in_cycles_is_gone_when_it_has_ended():
    """collections by chance are rare in a run: here there is none."""

    class Network:
        """refers to itself, as Keras' networks do."""

        def __init__(self):
            self.own = self

    collecting = gc.isenabled()
    gc.disable()
    try:
        with node_progress(1, io.StringIO()):
            absl_logging.info("Component TrainTransfers is running.")
            left = weakref.ref(Network())
            assert left() is not None
            absl_logging.info("Component TrainTransfers is finished.")
            assert left() is None
    finally:
        if collecting:
            gc.enable()
