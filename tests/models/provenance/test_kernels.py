"""A kept kernel is that of its sources: an edit of any file that it reads compiles it anew."""

import ast
import os
import shutil
import subprocess
import sys

import pytest

from models.provenance.sources import PACKAGES, REPOSITORY

KERNEL = """
from models.provenance.kernels import njit
from models.step import doubled, STEP

@njit(cache=True)
def moved(x):
    return doubled(x) + STEP
"""
STEP = """
from models.far import FAR
from models.provenance.kernels import njit

STEP = 2 * FAR

@njit(cache=True)
def doubled(x):
    return 2 * x
"""
ASKED = (
    "from models.kernel import moved; answer = moved(10); "
    "print(answer, sum(moved.stats.cache_hits.values()))"
)


@pytest.fixture
def copy(tmp_path):
    """a repository of one kernel, which calls another of a second file, with a third's constant."""
    (tmp_path / "models").mkdir()
    shutil.copytree(REPOSITORY / "models" / "provenance", tmp_path / "models" / "provenance")
    shutil.rmtree(tmp_path / "models" / "provenance" / "__pycache__", ignore_errors=True)
    (tmp_path / "models" / "__init__.py").touch()
    for name, text in (("kernel", KERNEL), ("step", STEP), ("far", "FAR = 1\n")):
        (tmp_path / "models" / f"{name}.py").write_text(text)
    return tmp_path


def answer(copy, **environment):
    """(what the kernel answers, how many compiled forms it found kept), in a process of its own."""
    process = subprocess.run(
        [sys.executable, "-B", "-c", ASKED],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)} | environment,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return tuple(map(int, process.stdout.split()))


def edit(path, old, new):
    """other content, of the same size, at the same time."""
    state = path.stat()
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_a_kernel_is_compiled_anew_after_an_edit_of_what_it_calls_or_reads(copy):
    assert answer(copy) == (22, 0)
    assert answer(copy) == (22, 1)
    edit(copy / "models" / "step.py", "return 2 * x", "return 3 * x")
    assert answer(copy) == (32, 0)
    edit(copy / "models" / "far.py", "FAR = 1", "FAR = 4")
    assert answer(copy) == (38, 0)
    os.utime(copy / "models" / "far.py")
    (copy / "models" / "other.py").write_text("FAR = 7\n")
    assert answer(copy) == (38, 1)


def test_the_same_holds_for_a_folder_of_the_users_own(copy, tmp_path):
    place = {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    assert answer(copy, **place) == (22, 0)
    edit(copy / "models" / "step.py", "STEP = 2", "STEP = 3")
    assert answer(copy, **place) == (23, 0)


def test_every_kernel_of_the_repository_is_made_so():
    made_otherwise = []
    for package in PACKAGES:
        for path in (REPOSITORY / package).rglob("*.py"):
            if path == REPOSITORY / "models" / "provenance" / "kernels.py":
                continue
            text = path.read_text()
            if "njit" not in text:
                continue
            for node in ast.walk(ast.parse(text)):
                is_attribute = isinstance(node, ast.Attribute) and node.attr in ("njit", "jit")
                imported = isinstance(node, ast.ImportFrom) and node.module == "numba"
                if is_attribute or (imported and {"njit", "jit"} & {a.name for a in node.names}):
                    made_otherwise.append((str(path), node.lineno))
    assert not made_otherwise
