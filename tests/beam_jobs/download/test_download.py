"""The download against a server that drops connections, ignores ranges, corrupts bytes and answers
with errors.
"""

import hashlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from beam_jobs.__main__ import main
from beam_jobs.download.download import download
from beam_jobs.download.fetch import FetchError, Patience, fetch
from beam_jobs.ingest.progress import Transfers, readable

QUICK = Patience(attempts=4, pause=0.001, timeout=5)


class Handler(BaseHTTPRequestHandler):
    """serves `server.files`, in the way that `server.moods[path]` says; every request takes the
    next mood of its path.
    """

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        moods = self.server.moods.get(self.path, [])
        mood = moods.pop(0) if moods else "well"
        asked = self.headers.get("Range")
        self.server.asked.append((self.path, asked))
        data = self.server.files.get(self.path)
        if data is None or isinstance(mood, int):
            code = mood if isinstance(mood, int) else 404
            self.send_response(code)
            self.send_header("Content-Length", "0")
            if code == 503:
                self.send_header("Retry-After", "0")
            self.end_headers()
            return
        start = (
            int(asked.removeprefix("bytes=").split("-")[0]) if asked and mood != "no ranges" else 0
        )
        if start and start >= len(data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = data[start:]
        if mood == "corrupt":
            body = body[:-1] + bytes([body[-1] ^ 1])
        self.send_response(206 if asked and mood != "no ranges" else 200)
        if asked and mood != "no ranges":
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 3 if mood == "drop" else len(body)])
        if mood == "drop":
            self.wfile.flush()
            self.close_connection = True

    def log_message(self, *row):
        pass


@pytest.fixture
def server():
    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving.files, serving.moods, serving.asked = {}, {}, []
    serving.address = f"http://127.0.0.1:{serving.server_port}"
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield serving
    serving.shutdown()
    thread.join()
    serving.server_close()


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


# ---- the whole data set ----


def tar_of(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    return buffer.getvalue()


BUILDINGS = {"hanson": "train", "wiconisco": "val", "ihlen": "test"}
FOLDERS = ("rgb", "class_scene", "depth_zbuffer")


@pytest.fixture
def published(server):
    """the server holds three buildings of `tiny` and one that is not of it, with checksums and the
    list.
    """
    for building in (*BUILDINGS, "merom2"):
        for folder in FOLDERS:
            files = {
                f"{folder}/point_0_view_{i}_domain_{folder}.png": (
                    f"{building} {folder} {i}" * 500
                ).encode()
                for i in range(3)
            }
            server.files[f"/set/{building}_{folder}.tar"] = tar_of(files)
    sums(server)
    rows = ["id,train,val,test", "hanson,1,0,0", "wiconisco,0,1,0", "ihlen,0,0,1"]
    server.files["/set/train_val_test_tiny.csv"] = "\r".join(rows).encode()
    return server


def sums(server) -> None:
    tars = {path: data for path, data in server.files.items() if path.endswith(".tar")}
    server.files["/set/md5sum.txt"] = "\n".join(
        f"{hashlib.md5(data).hexdigest()}  {path.removeprefix('/set')}"
        for path, data in tars.items()
    ).encode()


def test_a_subset_arrives_in_the_published_layout_from_a_bad_server(published, tmp_path, capsys):
    published.moods |= {
        "/set/hanson_rgb.tar": ["drop", "drop"],
        "/set/ihlen_rgb.tar": ["corrupt"],
        "/set/wiconisco_rgb.tar": ["drop", "no ranges"],
        "/set/md5sum.txt": [503],
    }
    counts = download(
        f"{published.address}/set/",
        tmp_path / "data",
        "tiny",
        FOLDERS,
        connections=3,
        patience=QUICK,
    )
    assert counts == {"fetched": 9, "kept": 0}
    assert (
        tmp_path / "data" / "ihlen" / "rgb" / "point_0_view_2_domain_rgb.png"
    ).read_bytes() == b"ihlen rgb 2" * 500
    assert not (tmp_path / "data" / "merom2").exists()
    assert (tmp_path / "data" / "splits.csv").read_text().splitlines()[:2] == [
        "id,train,val,test",
        "hanson,1,0,0",
    ]
    assert not list((tmp_path / "data" / ".archives").glob("*.tar")), (
        "archives are removed once unpacked"
    )
    assert "9 of 9 archives" in capsys.readouterr().err
    published.asked.clear()
    assert download(
        f"{published.address}/set", tmp_path / "data", "tiny", FOLDERS, patience=QUICK
    ) == {"fetched": 0, "kept": 9}
    assert not [path for path, _ in published.asked if path.endswith(".tar")]


def test_what_fails_is_named_after_the_rest_has_arrived_and_the_same_call_resumes(
    published, tmp_path
):
    whole = published.files.pop("/set/hanson_rgb.tar")
    with pytest.raises(FetchError, match=r"1 of 9 archives failed.*hanson_rgb.tar.*404"):
        download(f"{published.address}/set", tmp_path, "tiny", FOLDERS, patience=QUICK)
    published.files["/set/hanson_rgb.tar"] = whole
    assert download(f"{published.address}/set", tmp_path, "tiny", FOLDERS, patience=QUICK) == {
        "fetched": 1,
        "kept": 8,
    }


@pytest.mark.parametrize(
    "archive",
    [
        tar_of({"../../evil": b"x", "rgb/a": b"x"}),
        tar_of({"/evil_of_a_test": b"x"}),
        tar_of({"rgb/a": b"x"}, {"rgb/link": "/etc/passwd"}),
        tar_of({"normal/a": b"x"}),
        b"no tar at all" * 100,
        tar_of({"rgb/a": b"x" * 100_000})[:50_000],
    ],
    ids=["climbs out", "absolute", "links out", "another folder", "no tar", "cut"],
)
def test_hostile_and_broken_archives_are_refused(published, tmp_path, archive):
    published.files["/set/hanson_rgb.tar"] = archive
    sums(published)
    with pytest.raises(FetchError, match="hanson_rgb.tar: refused to unpack"):
        download(f"{published.address}/set", tmp_path / "data", "tiny", FOLDERS, patience=QUICK)
    assert (
        not (tmp_path / "evil").exists()
        and not Path("/evil_of_a_test").exists()
        and not (tmp_path / "data" / "hanson" / "rgb").exists()
    )
    assert (tmp_path / "data" / "ihlen" / "rgb").exists()


def test_hostile_names_in_the_list_of_checksums_are_passed_over(published, tmp_path):
    published.files["/set/md5sum.txt"] += (
        b"\n" + b"0" * 32 + b"  ../x_rgb.tar\n" + b"0" * 32 + b"  .._rgb.tar\nrubbish\n"
    )
    assert (
        download(f"{published.address}/set", tmp_path, "tiny", FOLDERS, patience=QUICK)["fetched"]
        == 9
    )


def test_the_list_of_a_subset_is_the_publishers_and_may_be_given(published, tmp_path):
    del published.files["/set/train_val_test_tiny.csv"]
    with pytest.raises(ValueError, match="Give the published list: --splits"):
        download(f"{published.address}/set", tmp_path / "a", "tiny", FOLDERS, patience=QUICK)
    (tmp_path / "train_val_test_tiny.csv").write_bytes(b"id,train,val,test\rhanson,1,0,0\r")
    assert (
        download(
            f"{published.address}/set",
            tmp_path / "a",
            "tiny",
            FOLDERS,
            splits=str(tmp_path),
            patience=QUICK,
        )["fetched"]
        == 3
    )


def test_an_address_that_is_not_the_data_set_is_an_error(published, tmp_path):
    published.files["/set/md5sum.txt"] = b"<html>welcome</html>"
    with pytest.raises(ValueError, match="is it the address of the data set"):
        download(f"{published.address}/set", tmp_path, "tiny", FOLDERS, patience=QUICK)


# ---- the command ----


def command(tmp_path, *more) -> list[str]:
    return ["download", "--subset", "tiny", "--dest", str(tmp_path / "data"), *more]


def test_the_licence_comes_first(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("TASKONOMY_URL", raising=False)
    assert main(command(tmp_path, "--url", "http://127.0.0.1:9")) == 1
    assert "has its own licence" in capsys.readouterr().err and not (tmp_path / "data").exists()
    assert main(command(tmp_path, "--accept-licence", "--plain")) == 1
    assert "no address is given" in capsys.readouterr().err


def test_the_command_fetches_and_ingest_would_find_it(published, tmp_path, capsys):
    assert (
        main(
            command(
                tmp_path,
                "--accept-licence",
                "--plain",
                "--url",
                f"{published.address}/set",
                "--domains",
                "rgb",
            )
        )
        == 0
    )
    assert "3 archives fetched" in capsys.readouterr().out
    from beam_jobs.ingest.listing import buildings, list_building

    trees = buildings(str(tmp_path / "data"))
    assert (
        list(trees) == sorted(BUILDINGS)
        and len(list_building(str(tmp_path / "data"), "ihlen", trees["ihlen"]).views) == 3
    )


def test_the_progress_line_says_rate_and_time_left():
    now = [0.0]
    transfers = Transfers(4, stream=io.StringIO(), clock=lambda: now[0], every=10)
    with transfers:
        now[0] = 20.0
        transfers.progress(100_000_000)
        transfers.finished()
        assert transfers.line() == "1 of 4 archives, 100.0 MB, 5.0 MB/s, about 60 s left"
    assert [readable(seconds) for seconds in (42, 720, 12000)] == ["42 s", "12 min", "3 h 20 min"]
