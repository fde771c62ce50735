"""A full disk is said, whoever met it; so is the deepest cause of anything else."""

import concurrent.futures
import multiprocessing
import os
import sqlite3

import pytest

from models.networks.training.fit import Interrupted
from tfx_pipeline.faults import disk_full, free_bytes, reason


def write_to_a_full_disk(path: str = "/dev/full") -> None:
    with open(path, "w") as file:
        file.write("something")


def caught(work, *words) -> BaseException:
    with pytest.raises(Exception) as info:
        work(*words)
    return info.value


def test_our_own_write_names_its_folder(tmp_path):
    error = caught(write_to_a_full_disk)
    said = disk_full(OSError(error.errno, error.strerror, str(tmp_path / "encoder.h5")), tmp_path)
    assert said.startswith(f"disk full: {free_bytes(tmp_path) >> 20} MiB free at {tmp_path};")
    assert said.endswith("or use --run OTHER_DIR")


def test_a_write_without_a_name_is_of_the_fullest_folder_that_a_run_writes(tmp_path):
    assert "disk full" in disk_full(caught(write_to_a_full_disk), tmp_path)


def test_a_workers_write_is_known_by_its_cause(tmp_path):
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        error = caught(pool.submit(write_to_a_full_disk).result)
    try:
        raise RuntimeError("node TrainTasks failed") from error
    except RuntimeError as wrapped:
        assert "disk full" in disk_full(wrapped, tmp_path)


def full_database(folder) -> None:
    with sqlite3.connect(folder / "metadata.sqlite") as base:
        base.execute("pragma max_page_count = 2")
        base.execute("create table Execution (name text)")
        for _ in range(100):
            base.execute("insert into Execution values (?)", ("x" * 1000,))


def test_sqlites_own_words_are_translated(tmp_path):
    said = disk_full(caught(full_database, tmp_path), tmp_path)
    assert said.startswith("disk full") and "database" not in said


def test_an_error_of_the_disk_with_room_left_is_not_called_full(tmp_path):
    assert disk_full(sqlite3.OperationalError("disk I/O error"), tmp_path) is None
    assert disk_full(FileNotFoundError(2, "No such file", "x"), tmp_path) is None


def test_beams_words_are_translated(tmp_path):
    import apache_beam as beam

    def job():
        with beam.Pipeline(runner="FnApiRunner") as pipeline:
            numbers = pipeline | beam.Create([1])
            numbers | beam.Map(lambda _: write_to_a_full_disk())

    assert "disk full" in disk_full(caught(job), tmp_path)


def test_the_deepest_cause_is_the_reason():
    try:
        try:
            raise ValueError("room_layout has no test sample")
        except ValueError as inner:
            raise RuntimeError("executor failed") from inner
    except RuntimeError as error:
        assert reason(error) == "room_layout has no test sample"


def stop_training() -> None:
    raise Interrupted("the loss of normal became nan at step 3; lower learning_rate")


@pytest.mark.parametrize("make", [multiprocessing.Pool, concurrent.futures.ProcessPoolExecutor])
def test_a_workers_error_is_told_in_its_own_words(make):
    with make(1) as pool:
        work = getattr(pool, "apply", None) or (lambda call: pool.submit(call).result())
        error = caught(work, stop_training)
    try:
        raise RuntimeError("node TrainTasks failed") from error
    except RuntimeError as wrapped:
        assert reason(wrapped) == (
            "Interrupted: the loss of normal became nan at step 3; lower learning_rate"
        )


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk of its own is mounted by root alone")
def test_a_disk_that_is_really_full_is_named(tmp_path):
    import subprocess

    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine mounts nothing")
    try:
        error = caught((disk / "losses.npz").write_bytes, bytes(1 << 20))
        said = disk_full(error, disk)
        assert said.startswith("disk full: 0 MiB free at ")
    finally:
        subprocess.run(["umount", disk], check=True)
