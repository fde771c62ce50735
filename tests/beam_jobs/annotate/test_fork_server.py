"""The server that annotation's workers are forked from begins before its starter has imported."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

BEGUN = """
import sys
from beam_jobs.annotate import fork_server
if __name__ == "__main__":
    context = fork_server.begin("beam_jobs.annotate.procedural")
    print("numba" in sys.modules, fork_server.begin("beam_jobs.annotate.meshes") is context)
    with context.Pool(2) as pool:
        print(pool.apply(eval, ("'beam_jobs.annotate.procedural' in __import__('sys').modules",)))
        print(pool.apply(eval, ("'beam_jobs.annotate.meshes' in __import__('sys').modules",)))
        print(pool.apply(eval, ("__import__('os').environ['OPENBLAS_NUM_THREADS']",)))
"""


def test_workers_have_what_the_first_beginning_asked_for_and_the_starter_has_imported_nothing(
    tmp_path,
):
    script = tmp_path / "begun.py"
    script.write_text(BEGUN)
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, cwd=ROOT, env={"PYTHONPATH": "."}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["False", "True", "True", "False", "1"]
