"""Worker processes of this machine: nothing is logged, and errors are those of one process."""

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from beam_jobs.ingest.local_runner import as_in_one_process
from beam_jobs.options import LOCAL_RUNNER


def numbers(words, processes):
    """a job that reads words as numbers."""
    options = [f"--runner={LOCAL_RUNNER}", f"--direct_num_workers={processes}"]
    if processes > 1:
        options.append("--direct_running_mode=multi_processing")
    with beam.Pipeline(options=PipelineOptions(options)) as pipeline:
        pipeline | beam.Create(words) | beam.Reshuffle() | "Read" >> beam.Map(int)


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_of_the_data_is_a_line(processes, capfd):
    with pytest.raises(ValueError, match=r"'four' \[while running 'Read'\]$") as raised:
        numbers(["3", "four"], processes)
    assert "\n" not in str(raised.value)
    assert "sdk_worker" not in capfd.readouterr().err


def test_workers_log_nothing(capfd):
    numbers(["3", "4"], 2)
    output = capfd.readouterr()
    assert (output.out, output.err) == ("", "")


@pytest.mark.parametrize(
    "text, kind, words",
    [
        ("Traceback\nOSError: old\n\nOSError: [Errno 28] full\n\n", OSError, "[Errno 28] full"),
        ("Traceback\nValueError: no view", ValueError, "no view"),
        ("Traceback\nOSError: disk\nTypeError: ours", RuntimeError, "ours"),
        ("Worker subprocess exited", RuntimeError, "exited"),
    ],
)
def test_only_the_last_line_tells_of_the_error(text, kind, words):
    error = as_in_one_process(RuntimeError(text))
    assert type(error) is kind
    assert str(error).endswith(words)
