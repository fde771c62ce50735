"""How commands end, the same for every package: Ctrl-C, a reader that has gone, a full disk, closed
streams.
"""

import errno
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from models.arguments.endings import INTERRUPTED, PIPE_CLOSED, exit_code_of

ROOT = Path(__file__).parents[3]


def child(body: str, **streams) -> subprocess.CompletedProcess:
    """a process whose command is `body`, the inside of a function that returns its code."""
    lines = "\n    ".join(body.splitlines())
    script = (
        "import os, signal, sys\nfrom models.arguments.endings import exit_code_of\n"
        # a shell's background job is born with the signal ignored
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"def run():\n    {lines}\n    return 3\nsys.exit(exit_code_of(run, 'a half is kept'))"
    )
    expected = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, text=True, timeout=60, check=False, **expected
    )


def closed_pipe() -> int:
    """the end to write to of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def test_a_command_that_ends_by_itself_keeps_its_code_and_its_words():
    process = child("print('said')")
    assert (process.returncode, process.stdout, process.stderr) == (3, "said\n", "")


@pytest.mark.parametrize("words", ["'x'", "'x' * 100_000"], ids=["held", "written at once"])
@pytest.mark.parametrize("gone", [["stdout"], ["stdout", "stderr"]], ids=["one", "both"])
def test_a_reader_that_has_gone_is_no_error(words, gone):
    writing = closed_pipe()
    process = child(f"print({words})", **dict.fromkeys(gone, writing))
    os.close(writing)
    assert process.returncode == PIPE_CLOSED
    assert not process.stderr


def test_a_broken_pipe_of_the_commands_own_goes_on_to_the_caller():
    def run() -> int:
        raise BrokenPipeError(errno.EPIPE, "a server has gone")

    with pytest.raises(BrokenPipeError, match="a server"):
        exit_code_of(run)


@pytest.mark.parametrize("words", ["'x'", "'x' * 100_000"], ids=["held", "written at once"])
def test_an_output_that_takes_no_more_is_told_in_a_line(words):
    with open("/dev/full", "w") as full:
        process = child(f"print({words})", stdout=full)
    assert process.returncode == 1
    assert process.stderr == (
        "error: disk full: no room for what standard output goes to; free some\n"
    )


def test_a_file_on_a_full_disk_is_named():
    process = child("raise OSError(28, 'No space left on device', 'table.json')")
    assert process.returncode == 1
    assert process.stderr == "error: disk full: no room for table.json; free some\n"


def test_closed_streams_are_no_trouble_and_their_numbers_stay_taken(tmp_path):
    shell = (
        f"{sys.executable} -c 'import sys; from models.arguments.endings import exit_code_of\n"
        'sys.exit(exit_code_of(lambda: print("lost") or (open(sys.argv[1], "w").fileno() < 3)))\''
        f" {tmp_path / 'file'} >&- 2>&-"
    )
    assert subprocess.run(["sh", "-c", shell], cwd=ROOT, timeout=60, check=False).returncode == 0


def test_an_interruption_is_one_line_that_says_what_is_left():
    process = child("os.kill(os.getpid(), signal.SIGINT)")
    assert (process.returncode, process.stderr) == (INTERRUPTED, "interrupted; a half is kept\n")


def test_what_a_library_makes_of_an_interruption_is_not_told():
    body = (
        "try:\n    os.kill(os.getpid(), signal.SIGINT)\n"
        "except KeyboardInterrupt:\n    raise ImportError('how to install it') from None"
    )
    process = child(body)
    assert (process.returncode, process.stderr) == (INTERRUPTED, "interrupted; a half is kept\n")


def test_other_errors_go_on_and_the_signal_is_handled_as_before():
    def run() -> int:
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        raise LookupError("no such row")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(LookupError, match="no such row"):
            exit_code_of(run)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_ignored_interruption_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert exit_code_of(lambda: os.kill(os.getpid(), signal.SIGINT) or 0) == 0
    finally:
        signal.signal(signal.SIGINT, before)


# program -> verbs of it and words of what is left behind when they are interrupted
INTERRUPTIONS = {
    "beam_jobs": {"annotate": "buildings", "download": "fetched", "agreement": "", "sheet": ""},
    "models.reports": {"open": ""},
    "models.taxonomy": {"solve": "", "significance": ""},
    "serving": {"ask": "answers", "validate": "", "push": ""},
    "tfx_pipeline": {"submit": "submitted", "history": "", "trace": "", "config": ""},
}


@pytest.mark.parametrize("program", INTERRUPTIONS)
def test_every_package_ends_so_and_says_what_is_true_of_the_verb(program, monkeypatch, capsys):
    module = importlib.import_module(f"{program}.__main__")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "dispatch", interrupted)
    for verb, left in INTERRUPTIONS[program].items():
        assert module.main([verb]) == INTERRUPTED
        output = capsys.readouterr().err
        assert output.count("\n") == 1 and output.startswith("interrupted")
        assert (left in output) if left else output == "interrupted\n", verb


PIPES = {
    "models.reports": ["open", "HERE"],
    "serving": ["sbom", "--out", "HERE/bills"],
    "tfx_pipeline": ["config"],
}


@pytest.mark.parametrize("program", PIPES)
def test_every_package_ends_quietly_where_nobody_reads(program, tmp_path):
    (tmp_path / "index.html").write_text("a page")
    words = [word.replace("HERE", str(tmp_path)) for word in PIPES[program]]
    writing = closed_pipe()
    # no browser: there is none to be shown
    process = subprocess.run(
        [sys.executable, "-m", program, *words],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "BROWSER": "true"},
    )
    os.close(writing)
    assert (process.returncode, process.stderr) == (PIPE_CLOSED, "")
