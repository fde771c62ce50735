"""`make look`: shows the repository's finished report and solves its affinities, before anything is
trained and before the large packages are installed. Uses the standard library alone.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import webbrowser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "models" / "reports" / "example"
NEEDED = ("numpy", "scipy", "cvxopt")
PLACE = ROOT / ".venv" / "look"  # beside the large environment, which `make setup` fills


class InstallError(Exception):
    """The small environment could not be made. The message says what to do."""


def main() -> int:
    try:
        return shown_and_solved()
    except InstallError as error:
        print(f"error: {error}; the report needs none of it", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command begins again", file=sys.stderr)
        return 130


def shown_and_solved() -> int:
    page = EXAMPLE / "index.html"
    print(f"report    {page}", flush=True)
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(page.as_uri())  # elsewhere a text browser would take over the terminal
    python = interpreter()
    command: list[str] = [python, "-m", "models.taxonomy", "solve"]
    command += ["--affinities", "models/reports/example/affinities.csv", "--budget", "6"]
    print(f"solved    python {' '.join(command[1:])}", flush=True)
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def interpreter() -> str:
    """Returns the path of a Python that can solve: this one, or that of a small environment made
    for it. Raises InstallError.
    """
    if all(importlib.util.find_spec(name) for name in NEEDED):
        return sys.executable
    python = PLACE / "bin" / "python"
    if not (PLACE / ".ready").exists():
        print(f"install   {', '.join(NEEDED)} into {PLACE.relative_to(ROOT)}", flush=True)
        make = [sys.executable, "-m", "venv", str(PLACE)]
        done(make, "give this Python its venv module (Debian: apt-get install python3-venv)")
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(locked(NEEDED))
            file.flush()
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            pip += ["--no-deps", "--require-hashes", "-r", file.name]
            done(pip, "see to the network, or to pip's own settings (PIP_INDEX_URL, PIP_NO_INDEX)")
        # written last, so that an interrupted installation starts again
        (PLACE / ".ready").touch()
    return str(python)


def done(command: list[str], advice: str) -> None:
    """Runs a command. Raises InstallError with its last line of output if it fails."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        # pip's last line is its error; that of venv may be on either stream
        lines = (ran.stdout + ran.stderr).strip().splitlines() or [f"exit code {ran.returncode}"]
        raise InstallError(
            f"{' '.join(command[1:3])} failed ({lines[-1].strip()}); {advice} and run "
            "`make look` again"
        )


def locked(names: tuple[str, ...]) -> str:
    """Returns the lines of the lock file for some packages, with versions and hashes."""
    lines = []
    keep = False
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        # hashes are on indented lines below their package
        if line and not line.startswith((" ", "#")):
            keep = line.split("==")[0] in names
        if keep and not line.lstrip().startswith("#"):
            lines.append(line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
