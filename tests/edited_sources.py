"""A copy of the sources that addresses are derived from, so that a test can edit them.

What runs stays as it is: only the addresses see the edit, as a later run of edited code would.
"""

import os
import shutil
from collections.abc import Callable

from models.provenance import closure, sources


def copy_of_sources(folder, monkeypatch) -> Callable[[str, str, str], None]:
    """derive addresses from a copy below `folder` from now on; -> edit(path, old, new)."""
    for package in sources.PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(sources.REPOSITORY / package, folder / package, ignore=ignored)
    shutil.copy(sources.REPOSITORY / "BUILD", folder / "BUILD")
    monkeypatch.setattr(sources, "REPOSITORY", folder)
    closure.forget()

    def edit(path: str, old: str, new: str) -> None:
        place = folder / path
        text = place.read_text()
        assert old in text, f"{path} has no {old!r}: the test must follow the code"
        changed = place.stat().st_mtime_ns + 10**9
        place.write_text(text.replace(old, new, 1))
        os.utime(place, ns=(changed, changed))

    return edit
