"""Versions come whole, go whole, and never share a number; a push killed at any moment leaves what
served before.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from serving.__main__ import main
from serving.release.push import lost_signature, push, rollback, versions, withdrawn_numbers
from tfx_pipeline.history.journal import HISTORY
from tfx_pipeline.history.waste import SERVED


@pytest.fixture
def bundle(tmp_path) -> Path:
    """as the pusher sees one: files."""
    folder = tmp_path / "bundle"
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(os.urandom(1 << 20))
    (folder / "assets.extra" / "contract.json").write_text("{}")
    return folder


@pytest.fixture
def base(tmp_path) -> Path:
    return tmp_path / "models" / "taxonomy"


def content(folder: Path) -> dict:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_pushed_version_is_the_bundle_under_a_rising_number(bundle, base):
    first, second = push(bundle, base), push(bundle, base)
    assert content(first) == content(second) == content(bundle) and int(first.name) < int(
        second.name
    )
    assert (
        abs(int(first.name) - time.time()) < 60
        and [path.name for path in base.iterdir() if path.name.startswith(".")] == []
    )


def test_what_is_no_model_is_not_pushed(tmp_path, base):
    with pytest.raises(ValueError, match="no SavedModel"):
        push(tmp_path, base)
    assert not base.exists()


def test_a_watcher_never_sees_half_a_version(bundle, base):
    base.mkdir(parents=True)
    seen, stop = [], threading.Event()

    def watch():
        last = False
        while not last:
            last = stop.is_set()  # once more after the last push, so that something is always seen
            for number in versions(base):
                seen.append(content(base / str(number)) == content(bundle))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(10):
        push(bundle, base)
    stop.set()
    watcher.join()
    assert seen and all(seen)


def test_pushes_at_the_same_moment_take_different_numbers(bundle, base):
    made, lock = [], threading.Lock()

    def one():
        version = push(bundle, base)
        with lock:
            made.append(version.name)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8 == len(versions(base))


def test_a_killed_push_leaves_the_old_version_and_the_next_one_cleans_up(bundle, base):
    push(bundle, base)
    before = versions(base)
    code = (
        "import time, serving.release.push; serving.release.push.rename_to_version = lambda *_: "
        "(print('copied', flush=True), time.sleep(600)); "
        f"serving.release.push.push({str(bundle)!r}, {str(base)!r})"
    )  # it stops before the last step, so that the kill comes in time
    pusher = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[3],
    )
    assert pusher.stdout.readline() == b"copied\n"
    pusher.send_signal(signal.SIGKILL)
    pusher.wait()
    left = list(base.glob(".push-*"))
    assert left and versions(base) == before, "killed too late to show anything"
    push(bundle, base)
    assert len(versions(base)) == 2 and not list(base.glob(".push-*"))


def test_a_failed_copy_leaves_nothing(bundle, base, monkeypatch):
    import serving.release.push

    monkeypatch.setattr(
        serving.release.push, "flush", lambda folder: (_ for _ in ()).throw(OSError("disk full"))
    )
    with pytest.raises(OSError, match="disk full"):
        push(bundle, base)
    assert list(base.iterdir()) == []


def test_another_pushes_scratch_is_left_alone_while_its_process_lives(bundle, base):
    base.mkdir(parents=True)
    (base / f".push-{os.getppid()}-1").mkdir()
    push(bundle, base)
    assert (base / f".push-{os.getppid()}-1").exists()


def test_rollback_returns_to_the_version_before(bundle, base):
    first, second = int(push(bundle, base).name), int(push(bundle, base).name)
    assert (
        rollback(base).name == str(first)
        and versions(base) == [first]
        and withdrawn_numbers(base) == [second]
    )
    with pytest.raises(ValueError, match="needs an older one"):
        rollback(base)


def test_rollback_to_a_version_withdraws_all_newer_ones(bundle, base):
    numbers = [int(push(bundle, base).name) for _ in range(4)]
    assert rollback(base, to=numbers[1]).name == str(numbers[1])
    assert versions(base) == numbers[:2] and withdrawn_numbers(base) == numbers[2:]
    with pytest.raises(
        ValueError, match=f"holds no version 7; it holds {numbers[0]}, {numbers[1]}"
    ):
        rollback(base, to=7)


def keys():
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem, public


def test_rollback_passes_over_what_a_server_would_refuse(bundle, base):
    key, trusted = keys()
    signed = push(bundle, base, key)
    assert lost_signature(push(bundle, base)), "unsigned, between two signed ones"
    damaged = push(bundle, base, key)
    (damaged / "saved_model.pb").write_bytes(b"flipped")
    push(bundle, base, key)
    assert rollback(base).name == signed.name and versions(base) == [int(signed.name)]
    push(bundle, base, key)
    other, _ = keys()
    (base / ".withdrawn-1").mkdir()
    assert rollback(base, trusted=trusted).name == signed.name
    push(bundle, base, other)
    assert rollback(base, trusted=trusted).name == signed.name


def test_nothing_is_withdrawn_where_nothing_older_would_serve(bundle, base):
    key, trusted = keys()
    first, second = push(bundle, base), push(bundle, base, key)
    both = [int(first.name), int(second.name)]
    assert not lost_signature(first) and not lost_signature(second)
    with pytest.raises(ValueError, match=f"version {first.name}: it is not signed.*--to N"):
        rollback(base)
    with pytest.raises(ValueError, match=f"version {first.name}: .*no manifest"):
        rollback(base, trusted=trusted)
    assert versions(base) == both
    with pytest.raises(ValueError, match="cannot be gone back to"):
        rollback(base, both[0], trusted)
    assert versions(base) == both
    assert rollback(base, both[0]).name == first.name, "asked for by its number, it is taken"


def test_a_withdrawn_number_is_not_used_again(bundle, base):
    push(bundle, base)
    second = int(push(bundle, base).name)
    rollback(base)
    assert int(push(bundle, base).name) > second


def test_an_interrupted_rollback_leaves_a_served_version(bundle, base, monkeypatch):
    numbers = [int(push(bundle, base).name) for _ in range(3)]
    renames = []

    def stopping(a, b):
        if renames:
            raise OSError("killed")
        renames.append(a)
        os.replace(a, b)

    import serving.release.push

    monkeypatch.setattr(serving.release.push.os, "rename", stopping)
    with pytest.raises(OSError, match="killed"):
        rollback(base, to=numbers[0])
    assert versions(base) == numbers[:2]
    monkeypatch.undo()
    assert rollback(base, to=numbers[0]).name == str(numbers[0])


def test_a_version_withdrawn_by_hand_comes_back_and_goes_again(bundle, base):
    first, second = (int(push(bundle, base).name) for _ in range(2))
    rollback(base)
    os.rename(base / f".withdrawn-{second}", base / str(second))
    (base / f".withdrawn-{second}").mkdir()
    assert rollback(base).name == str(first) and withdrawn_numbers(base) == [second, second]


def test_the_command_rolls_back(bundle, base):
    first, _ = push(bundle, base), push(bundle, base)

    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "serving", *words], capture_output=True, text=True, check=False
        )

    process = run("rollback", str(base))
    assert process.returncode == 0 and process.stdout.strip() == f"serving {first}"
    process = run("rollback", str(base))
    assert (
        process.returncode == 1
        and "needs an older one" in process.stderr
        and "Traceback" not in process.stderr
    )
    process = run("rollback", str(base.parent / "nothing"))
    assert process.returncode == 1 and "no folder of versions" in process.stderr


def test_a_rollback_inside_a_run_names_the_command_that_locks_and_notes_it(tmp_path, capsys):
    served = tmp_path / "run" / SERVED
    older = make_version(served, 1)
    for number in (2, 3):
        make_version(served, number)
    assert main(["rollback", str(served)]) == 0
    assert capsys.readouterr().err == "", "a folder of versions that no run has noted"
    (tmp_path / "run" / HISTORY).touch()
    assert main(["rollback", str(served), "--to", "1"]) == 0
    output = capsys.readouterr()
    assert f"python -m tfx_pipeline rollback {tmp_path / 'run'} 1" in output.err
    assert output.out.strip() == f"serving {older}"


def make_version(base, number):
    folder = base / str(number)
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    return folder
