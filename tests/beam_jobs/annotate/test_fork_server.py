"""The server that annotation's workers are forked from begins before its starter has imported."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from waiting import wait_for

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
    process = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, cwd=ROOT, env={"PYTHONPATH": "."}
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.split() == ["False", "True", "True", "False", "1"]


def test_an_interruption_while_the_server_imports_is_told_in_a_line(tmp_path):
    command = [sys.executable, "-m", "beam_jobs", "annotate", "--out", str(tmp_path)]
    started = subprocess.Popen(
        [*command, "--buildings", "3", "--views", "3"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a shell's background jobs are begun with Ctrl-C ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )

    def server_imports() -> bool:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if os.getsid(int(folder.name)) == started.pid:
                    words = (folder / "cmdline").read_bytes()
                    loaded = (folder / "maps").read_text()
                    if b"multiprocessing.forkserver" in words and "numpy" in loaded:
                        return True
            except OSError:  # it ended meanwhile
                continue
        return False

    wait_for(server_imports)
    # as a terminal does it: the whole group hears it
    os.killpg(started.pid, signal.SIGINT)
    told = started.communicate(timeout=60)[1]
    assert started.returncode == 130
    lines = [line for line in told.splitlines() if line and not line.startswith("views:")]
    assert lines == ["interrupted; complete buildings are kept, the same command resumes"]
