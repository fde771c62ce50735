"""How requests are batched, as a file says it."""

import pytest

from serving.server.batch_parameters import Parameters, read_parameters


def test_a_file_is_read_with_the_originals_names(tmp_path):
    path = tmp_path / "batching.config"
    path.write_text(
        "max_batch_size { value: 8 } batch_timeout_micros { value: 2000 }\n"
        "max_enqueued_batches { value: 5 } num_batch_threads { value: 2 }\n"
        "allowed_batch_sizes: 1 allowed_batch_sizes: 8 pad_variable_length_inputs: true\n"
        'thread_pool_name { value: "pool" }'
    )
    assert read_parameters(path) == Parameters(
        max_batch_size=8,
        batch_timeout_micros=2000,
        max_enqueued_batches=5,
        num_batch_threads=2,
        allowed_batch_sizes=(1, 8),
        pad_variable_length_inputs=True,
        thread_pool_name="pool",
    )


def test_what_a_file_leaves_out_has_the_originals_default(tmp_path):
    (tmp_path / "empty").write_text("")
    found = read_parameters(tmp_path / "empty")
    assert found == Parameters()
    assert (found.max_batch_size, found.max_enqueued_batches, found.timeout) == (1000, 10, 0)


def test_threads_are_the_cores_of_this_process_not_of_the_machine(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 5, 7})
    assert Parameters().num_batch_threads == 3


@pytest.mark.parametrize(
    "text, words",
    [
        ("max_batch_size { value: 0 }", "batching parameters are positive"),
        ("batch_timeout_micros { value: -1 }", "batching parameters are positive"),
        ("max_batch_size { value: 4 } allowed_batch_sizes: 2", "must rise and end .*of 4"),
        ("max_batch_size { value: 4 } allowed_batch_sizes: [4, 2, 4]", "must rise and end"),
        ("max_batch_sizes { value: 4 }", "Invalid protobuf file"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(tmp_path, text, words):
    (tmp_path / "file").write_text(text)
    with pytest.raises(ValueError, match=words):
        read_parameters(tmp_path / "file")


def test_large_batches_are_run_in_pieces_where_splitting_is_on():
    sizes = {"max_batch_size": 64, "max_execution_batch_size": 8, "allowed_batch_sizes": (4, 8)}
    found = Parameters(**sizes, enable_large_batch_splitting=True)
    assert found.execution == 8 and found.most_waiting == 80
    with pytest.raises(ValueError, match="maximum of 64"):
        Parameters(**sizes)
