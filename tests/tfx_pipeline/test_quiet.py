"""The quiet mode silences others, not us."""

import subprocess
import sys
from pathlib import Path

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
