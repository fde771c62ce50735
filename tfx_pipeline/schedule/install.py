"""A schedule that the machine keeps: a systemd timer of the user, or a line of cron. Printed first,
written on request.

Its name is that of the run's folder with a digest of where that lies, since two runs may be called
alike.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from models.provenance.atomic import write_text
from models.provenance.digest import digest_of
from tfx_pipeline.faults import HELD, RunError

ROOT = Path(__file__).resolve().parents[2]
SYSTEMD = "systemd"
CRON = "cron"
KINDS = (SYSTEMD, CRON)
# What decides which results come out, or where they go, and is no option: a timer starts without
# the environment of whoever installs it.
ENVIRONMENT = (
    "KERAS_BACKEND",
    "CUDA_VISIBLE_DEVICES",
    "JAX_PLATFORMS",
    "XLA_FLAGS",
    "XLA_PYTHON_CLIENT_MEM_FRACTION",
    "XLA_PYTHON_CLIENT_PREALLOCATE",
    "TF_FORCE_GPU_ALLOW_GROWTH",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "TASKONOMY_STORES",
    "TMPDIR",
)
# Those of them that hold folders, which a timer must find from another one.
OF_FOLDERS = ("LD_LIBRARY_PATH", "PYTHONPATH", "TASKONOMY_STORES", "TMPDIR")
USER_UNITS = Path(".config") / "systemd" / "user"


def files_of(
    kind: str, arguments: list[str], every: float, run: Path, environment: Mapping[str, str]
) -> dict[str, str]:
    """Returns file name -> text of a schedule. arguments: of `python -m tfx_pipeline`; every:
    seconds; environment: what `kept_variables` found. Raises RunError for a pause that cron cannot
    say.
    """
    name = f"{plain_name(run)}-{digest_of(str(run.resolve()))[:8]}"
    command = [sys.executable, "-m", "tfx_pipeline", *arguments]
    if kind == CRON:
        return {name: cron_line(command, every, run, environment)}
    return {
        f"{name}.service": service(command, run, environment),
        f"{name}.timer": timer(name, every),
    }


def kept_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns those of `ENVIRONMENT` that are set, folders by their full paths."""
    variables = {name: environment[name] for name in ENVIRONMENT if environment.get(name)}
    for name in OF_FOLDERS:
        if name in variables:
            folders = [each for each in variables[name].split(os.pathsep) if each]
            variables[name] = os.pathsep.join(map(os.path.abspath, folders))
    return variables


def plain_name(run: Path) -> str:
    """Returns a name made of the folder's alone, as units of earlier code were called."""
    # letters that file names and units may have
    return "taskonomy-" + (re.sub(r"[^A-Za-z0-9_.-]+", "-", run.absolute().name) or "run")


def service(command: list[str], run: Path, environment: Mapping[str, str]) -> str:
    """Returns the text of systemd's service. Its exit code 75 is no failure: another run holds the
    folder, and the next tick comes.
    """
    variables = "".join(
        f"Environment={quote(escape_percent(f'{name}={value}'))}\n"
        for name, value in environment.items()
    )
    folder = escape_percent(str(run.absolute()))
    return f"""[Unit]
Description=Taskonomy: retrain {folder} if data, code or configuration changed

[Service]
Type=oneshot
WorkingDirectory={escape_percent(str(ROOT))}
{variables}ExecStart={" ".join(map(quote_word, command))}
SuccessExitStatus={HELD}
TimeoutStopSec=30
Nice=10
"""


def timer(name: str, every: float) -> str:
    return f"""[Unit]
Description=Taskonomy: look every {every:.0f} s

[Timer]
Unit={name}.service
OnActiveSec=1min
OnUnitInactiveSec={every:.0f}s

[Install]
WantedBy=timers.target
"""


def escape_percent(text: str) -> str:
    """Returns a text in which % begins no specifier of systemd."""
    return text.replace("%", "%%")


def quote_word(word: str) -> str:
    """Returns a word of ExecStart, where $ begins a variable."""
    # systemd fills in $ and %
    word = escape_percent(word).replace("$", "$$")
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./$-]+", word):
        return word
    return quote(word)


def quote(text: str) -> str:
    """Returns a text in quotes of systemd, in which no signs have a meaning but % and, in
    ExecStart, $.
    """
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def cron_line(command: list[str], every: float, run: Path, environment: Mapping[str, str]) -> str:
    """Returns the line for cron, in which a bare % would end the command. The line makes the folder
    of its log: a run has not been yet.
    """
    here, place = shlex.quote(str(ROOT)), shlex.quote(str(run.absolute()))
    log = shlex.quote(str(run.absolute() / "schedule.log"))
    variables = "".join(f"{name}={shlex.quote(value)} " for name, value in environment.items())
    start = f"{variables}{shlex.join(command)} >> {log} 2>&1"
    words = f"cd {here} && mkdir -p {place} && {start}"
    # cron ends a command at %
    return f"{cron_times(every)} {words}\n".replace("%", "\\%")


def cron_times(every: float) -> str:
    """Returns the five fields of a line for cron. every: seconds. Raises RunError where they cannot
    say it.
    """
    # whole ones: 24 % 1.5 is 0, too
    minutes, seconds = divmod(every, 60)
    hours, beside = divmod(minutes, 60)
    # */40 would run at 0 and 40 minutes, and then after 20
    if not seconds and 1 <= minutes < 60 and 60 % minutes == 0:
        return f"*/{minutes:.0f} * * * *"
    if not seconds and not beside and 1 <= hours <= 24 and 24 % hours == 0:
        return f"0 */{hours:.0f} * * *" if hours < 24 else "0 3 * * *"
    raise RunError(
        f"cron cannot say every {every:.0f} s: give --every in whole minutes that divide an hour, "
        "whole hours that divide a day, or 1d; or use --install systemd"
    )


def install(
    files: dict[str, str], kind: str, folder: Path | None, run: Path, *, yes: bool
) -> list[str]:
    """Writes the files if `yes`, and returns lines for the person: what would be written, or what
    was and what to do next. folder: where to (default for systemd: the user's units). run: whose
    schedule it is.
    """
    if folder is None and kind == SYSTEMD:
        folder = Path.home() / USER_UNITS
    lines = [line for name, text in files.items() for line in (f"# {name}", text)]
    if not yes:
        place = f"to {folder}" if folder else "to the folder that --to names"
        return [*lines, f"# nothing was written; --yes writes it {place}"]
    if folder is None:
        # cron has no folder of a user's own
        raise RunError("cron needs --to DIR; or add the line by hand: crontab -e")
    for name, text in files.items():
        write_text(folder / name, text)
    lines = [f"wrote {folder / name}" for name in files]
    if kind == SYSTEMD:
        units = next(name for name in files if name.endswith(".timer"))
        return [
            *lines,
            *(f"systemctl --user disable --now {timer}" for timer in older_timers(folder, run)),
            f"systemctl --user daemon-reload && systemctl --user enable --now {units}",
            # a user's units end with the last session otherwise
            "loginctl enable-linger  # so that it goes on when you are not logged in",
        ]
    (name,) = files
    old = folder / plain_name(run)
    if old.exists() and is_schedule_of(old, run):
        lines.append(f"# take the line of {old} out of your crontab: it is of this run, too")
    return [*lines, f"(crontab -l; cat {shlex.quote(str(folder / name))}) | crontab -"]


def older_timers(folder: Path, run: Path) -> list[str]:
    """Returns the timer that earlier code wrote for this very run, by its folder's name alone; []
    for none.
    """
    name = plain_name(run)
    timer = f"{name}.timer"
    there = (folder / timer).exists() and is_schedule_of(folder / f"{name}.service", run)
    return [timer] if there else []


def is_schedule_of(file: Path, run: Path) -> bool:
    """Does a unit, or a line for cron, run the schedule of this folder?"""
    if not file.exists():
        return False
    place = str(run.absolute())
    words = {quote_word(place), shlex.quote(place).replace("%", "\\%")}
    text = file.read_text(encoding="utf-8")
    return any(re.search(rf"--run {re.escape(word)}(\s|$)", text) for word in words)
