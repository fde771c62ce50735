"""One file from a server that drops connections, ignores ranges, corrupts bytes and answers with
errors.
"""

import hashlib
import itertools

import pytest

from beam_jobs.download.fetch import FetchError, Patience, fetch

QUICK = Patience(attempts=4, pause=0.001, timeout=5)
DATA = bytes(range(256)) * 4000
MD5 = hashlib.md5(DATA).hexdigest()


def got(server, tmp_path, moods, md5=MD5, **options) -> bytes:
    server.files["/file"], server.moods["/file"] = DATA, list(moods)
    assert fetch(
        f"{server.address}/file", tmp_path / "file", md5, patience=QUICK, **options
    ) == len(DATA)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    return (tmp_path / "file").read_bytes()


@pytest.mark.parametrize(
    "moods",
    [
        ["well"],
        [
            "drop",
            "drop",
            "drop",
            "drop",
            "drop",
            "drop",
            "drop",
        ],  # more often than patience allows without progress
        ["drop", "no ranges"],
        ["drop", "no ranges", "well"],
        ["corrupt", "well"],
        ["corrupt", "drop", "corrupt", "well"],
        [500, 503, "drop", 502, "well"],
        [429, "well"],
    ],
    ids=str,
)
def test_a_file_arrives_whole_whatever_the_server_does_on_the_way(server, tmp_path, moods):
    assert got(server, tmp_path, moods) == DATA


def test_what_is_here_already_is_not_asked_for_again(server, tmp_path):
    (tmp_path / ".file.part").write_bytes(DATA[:500_000])
    assert got(server, tmp_path, ["well"]) == DATA
    assert server.asked == [("/file", "bytes=500000-")]


def test_a_part_that_was_complete_when_the_process_died_is_kept(server, tmp_path):
    (tmp_path / ".file.part").write_bytes(DATA)
    assert got(server, tmp_path, ["well"]) == DATA


def test_a_part_of_another_file_is_thrown_away(server, tmp_path):
    (tmp_path / ".file.part").write_bytes(b"x" * (len(DATA) + 5))
    assert got(server, tmp_path, ["well"]) == DATA
    (tmp_path / "file").unlink()
    (tmp_path / ".file.part").write_bytes(b"x" * 1000)
    assert got(server, tmp_path, ["well"]) == DATA


def test_a_file_that_never_fits_its_checksum_is_refused_after_three_tries_and_leaves_nothing(
    server, tmp_path
):
    server.files["/file"] = DATA
    with pytest.raises(FetchError, match="three downloads differ from the checksum"):
        fetch(f"{server.address}/file", tmp_path / "file", "0" * 32, patience=QUICK)
    assert not list(tmp_path.iterdir()) and len(server.asked) == 3


def test_a_missing_file_is_not_asked_for_twice(server, tmp_path):
    with pytest.raises(FetchError, match="404"):
        fetch(f"{server.address}/file", tmp_path / "file", None, patience=QUICK)
    assert len(server.asked) == 1


def test_a_server_that_stays_down_ends_the_patience_with_growing_pauses(server, tmp_path):
    server.files["/file"], server.moods["/file"] = DATA, [500] * 99
    pauses = []
    with pytest.raises(FetchError, match="500 .*tried 4 times"):
        fetch(
            f"{server.address}/file", tmp_path / "file", None, patience=QUICK, sleep=pauses.append
        )
    assert pauses == [0.001, 0.002, 0.004]


def test_without_a_network_the_error_says_so(tmp_path):
    with pytest.raises(FetchError, match="Is there a network"):
        fetch("http://127.0.0.1:9/file", tmp_path / "file", None, patience=QUICK)


def test_progress_counts_what_stays(server, tmp_path):
    counted = []
    got(server, tmp_path, ["drop", "no ranges", "corrupt", "drop"], progress=counted.append)
    assert sum(counted) == len(DATA) and min(counted) < 0


@pytest.mark.parametrize(
    "part, moods, stays",
    [
        (DATA[:500_000], ["well"], len(DATA) - 500_000),
        (DATA[:500_000], ["no ranges"], len(DATA)),
        (DATA[:500_000], ["drop", "no ranges"], len(DATA)),
        (b"x" * (len(DATA) + 5), ["well"], len(DATA)),
        (b"x" * 1000, ["well", "well"], len(DATA)),
        (DATA, ["well"], 0),
    ],
)
def test_progress_never_takes_back_what_an_earlier_process_fetched(
    server, tmp_path, part, moods, stays
):
    (tmp_path / ".file.part").write_bytes(part)
    counted = []
    got(server, tmp_path, moods, progress=counted.append)
    assert min(itertools.accumulate(counted), default=0) >= 0 and sum(counted) == stays


# ---- the whole data set ----
