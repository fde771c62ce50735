"""The image as far as it can be checked without a container runtime: what it copies is there and is
all that a step imports, and nobody runs as root.
"""

import re
from pathlib import Path

from models.provenance.sources import PACKAGES
from tfx_pipeline.kubeflow import ENTRY

ROOT = Path(__file__).resolve().parents[1]
LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()


def words(instruction):
    return [line.split()[1:] for line in LINES if line.startswith(instruction + " ")]


def test_what_is_copied_is_there_and_not_ignored():
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    copied = {name for row in words("COPY") if not row[0].startswith("--") for name in row[:-1]}
    assert copied == kept
    assert all((ROOT / name).exists() for name in copied)
    assert set(PACKAGES) <= copied


def test_the_last_stage_runs_as_a_user_by_number():
    last = max(i for i, line in enumerate(LINES) if line.startswith("FROM "))
    users = [line.split()[1] for line in LINES[last:] if line.startswith("USER ")]
    assert users and re.fullmatch(r"[1-9]\d+:[1-9]\d+", users[-1])


def test_the_entry_of_a_step_is_a_module_that_is_copied():
    assert (ROOT / (ENTRY[-1].replace(".", "/") + ".py")).is_file()


def test_the_environment_is_made_by_the_lock_alone():
    text = "\n".join(LINES)
    assert "make setup" in text and "make gpu" in text
    assert not re.search(r"pip install|https?://", text)
