"""Starts Beam's own job service and a pool of worker processes on this machine: they speak the
protocol of Flink and Spark clusters and need none of their jars.

`with worker_pool(2) as options: ingest(..., beam_args=options)`. On a cluster the same options name
its job service instead.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def worker_pool(workers: int, patience: float = 90) -> Iterator[list[str]]:
    """Yields Beam options for a job service and `workers` worker processes, which are ended with
    the block. Raises OSError if they do not start in time.
    """
    jobs = free_port()
    pool = free_port()
    # The pool starts workers as plain `python`, which must be this interpreter, and they import
    # this repository.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = os.environ | {
        "PATH": path,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    with tempfile.TemporaryDirectory(prefix="beam-") as staging, contextlib.ExitStack() as stack:
        log = os.path.join(staging, "log")
        output = stack.enter_context(open(log, "w"))
        service = ["beam_jobs.ingest.job_service", "--port", str(jobs)]
        service += ["--staging_dir", os.path.join(staging, "staged")]
        workers_pool = ["apache_beam.runners.worker.worker_pool_main", "--service_port", str(pool)]
        for module in (service, workers_pool):
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", *module],
                stdout=output,
                stderr=output,
                env=environment,
                cwd=ROOT,
                # a process group of its own, by which `end` reaches the workers that it starts
                start_new_session=True,
            )
            stack.callback(end, process)
        for port in (jobs, pool):
            wait_for(port, patience, log)
        yield [
            "--runner=PortableRunner",
            f"--job_endpoint=localhost:{jobs}",
            "--environment_type=EXTERNAL",
            f"--environment_config=localhost:{pool}",
            f"--direct_num_workers={workers}",
        ]


def free_port() -> int:
    """Returns a port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int, patience: float, log: str) -> None:
    """Waits until something listens on the port. Raises OSError after `patience` seconds, with the
    end of the log.
    """
    limit = time.monotonic() + patience
    while True:
        try:
            socket.create_connection(("localhost", port), timeout=1).close()
            return
        except OSError as error:
            if time.monotonic() > limit:
                raise OSError(
                    f"Beam's service on port {port} did not start in {patience:.0f} s; it "
                    f"says:\n{Path(log).read_text()[-2000:]}"
                ) from error
            time.sleep(0.1)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and the workers that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 15)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
