"""Trainers beside each other share cores and a GPU's memory."""

import concurrent.futures
import multiprocessing
import os

from models.networks.training.workers import begin_worker, machine_shared_by

NAMES = (
    "OMP_NUM_THREADS",
    "TF_FORCE_GPU_ALLOW_GROWTH",
    "XLA_PYTHON_CLIENT_PREALLOCATE",
    "XLA_PYTHON_CLIENT_MEM_FRACTION",
)


def of_workers(processes: int) -> list[dict[str, str]]:
    """what each trainer's environment says, read in the trainer."""
    spawn = multiprocessing.get_context("spawn")
    with (
        machine_shared_by(processes),
        concurrent.futures.ProcessPoolExecutor(processes, spawn, begin_worker) as pool,
    ):
        return [
            {name: pool.submit(os.getenv, name, "").result() for name in NAMES}
            for _ in range(processes)
        ]


def test_each_of_three_trainers_is_told_to_leave_memory_of_a_gpu_to_the_others(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for environment in of_workers(3):
        assert environment["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
        assert environment["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
        assert 3 * float(environment["XLA_PYTHON_CLIENT_MEM_FRACTION"]) <= 0.9
        assert int(environment["OMP_NUM_THREADS"]) <= max(1, len(os.sched_getaffinity(0)) // 3)
    assert not any(name in os.environ for name in NAMES)


def test_a_share_of_memory_that_somebody_has_set_stays(monkeypatch):
    monkeypatch.setenv("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.2")
    (environment,) = of_workers(1)
    assert environment["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.2"
    assert os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.2"
