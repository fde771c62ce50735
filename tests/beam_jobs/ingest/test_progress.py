"""The line that says how far a transfer is."""

import io

from beam_jobs.ingest.progress import Transfers, readable


def test_the_progress_line_says_rate_and_time_left():
    now = [0.0]
    transfers = Transfers(4, stream=io.StringIO(), clock=lambda: now[0], every=10)
    with transfers:
        now[0] = 20.0
        transfers.progress(100_000_000)
        transfers.finished()
        assert transfers.line() == "1 of 4 archives, 100.0 MB, 5.0 MB/s, about 60 s left"
    assert [readable(seconds) for seconds in (42, 720, 12000)] == ["42 s", "12 min", "3 h 20 min"]
