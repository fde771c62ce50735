"""The download against a server that drops connections, ignores ranges, corrupts bytes and answers
with errors.
"""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from beam_jobs.__main__ import main
from beam_jobs.download.download import download
from beam_jobs.download.fetch import FetchError, Patience

QUICK = Patience(attempts=4, pause=0.001, timeout=5)


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


def test_folders_that_the_server_does_not_list_are_named_after_the_rest_has_arrived(
    published, tmp_path
):
    for folder in ("rgb", "depth_zbuffer"):
        del published.files[f"/set/hanson_{folder}.tar"]
    del published.files["/set/ihlen_rgb.tar"]
    sums(published)
    with pytest.raises(FetchError) as caught:
        download(f"{published.address}/set", tmp_path, "tiny", FOLDERS, patience=QUICK)
    said = str(caught.value)
    assert "3 folders that were asked for are not in" in said and "--domains" in said
    assert "rgb/hanson, depth_zbuffer/hanson, rgb/ihlen" in said
    assert len(list(tmp_path.glob("*/*/*view_0*"))) == 6
    # what lies here from elsewhere is there, too
    for place in ("hanson/rgb", "hanson/depth_zbuffer", "ihlen/rgb"):
        (tmp_path / place).mkdir(parents=True)
    counts = download(f"{published.address}/set", tmp_path, "tiny", FOLDERS, patience=QUICK)
    assert counts == {"fetched": 0, "kept": 6}


def test_a_building_that_the_release_lacks_is_said_and_no_fault(published, tmp_path, capsys):
    published.files["/set/train_val_test_tiny.csv"] += b"\rbrinnon,1,0,0"
    counts = download(f"{published.address}/set", tmp_path, "tiny", FOLDERS, patience=QUICK)
    assert counts["fetched"] == 9
    assert "not whole, as published: brinnon (no rgb)" in capsys.readouterr().err


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
