"""What the server of annotation's processes loads before it forks them."""

import json
import subprocess
import sys

COUNTED = """
import json, sys, threading
import numpy as np
from numba.core.registry import CPUDispatcher
from beam_jobs.annotate import preloaded
from beam_jobs.annotate.view_labels import pixel_labels

def signatures():
    labels = [name for name in sys.modules if name.startswith("models.tasks.labels")]
    modules = [sys.modules[name] for name in labels]
    kernels = {k.py_func.__qualname__: k for m in modules for k in vars(m).values()
               if isinstance(k, CPUDispatcher)}
    return {name: len(kernel.signatures) for name, kernel in kernels.items()}

before = signatures()
preloaded.SIZE = 96
pixel_labels(preloaded.stripes(), preloaded.Camera(np.zeros(3), np.eye(3), 1.2))
print(json.dumps([before, signatures(), threading.active_count(),
                  [name for name in sys.modules if name.startswith("embreex")]]))
"""


def test_label_kernels_are_loaded_before_processes_are_forked_and_no_thread_is_running():
    process = subprocess.run([sys.executable, "-c", COUNTED], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    before, after, threads, ray_caster = json.loads(process.stdout)
    assert before["interesting"] == before["merged"] == before["raise_to_size"] == 1
    assert after == before, "another picture asks for no other form of a kernel"
    assert threads == 1 and not ray_caster, "no fork copies a thread or the lock that it holds"


def test_the_collector_is_still_until_all_is_loaded_and_leaves_it_alone():
    code = (
        "import gc; from beam_jobs.annotate import uncollected; off = gc.isenabled(); "
        "from beam_jobs.annotate import preloaded; "
        "print(off, gc.isenabled(), gc.get_freeze_count())"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    off, on, frozen = process.stdout.split()
    assert (off, on) == ("False", "True") and int(frozen) > 100_000
