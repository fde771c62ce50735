"""Remembers what withdrawn versions whose folders are gone answered with, so that no later run
pushes them again.
"""

from __future__ import annotations

import json
from pathlib import Path

from models.provenance.atomic import write_json
from serving.release.identity import content_of
from serving.release.push import WITHDRAWN

# In the folder of versions: content of a bundle -> the number that it was served under.
REMOVED = ".withdrawn.json"


def note_withdrawn(bundle: Path) -> None:
    """Notes what a withdrawn version answered with, beside it, before its folder is removed.

    A folder of another name, and one that holds no whole bundle, is passed over: no later bundle
    can be the same. Raises OSError where the version or the note cannot be read or written,
    ValueError for a damaged note: the folder must not be removed then.
    """
    name = WITHDRAWN.fullmatch(bundle.name)
    if name is None:
        return
    try:
        content = content_of(bundle)
    # any other error ends the removal: a drive that hiccups must not lose the note
    except (FileNotFoundError, ValueError):
        return
    noted = noted_versions(bundle.parent)
    write_json(bundle.parent / REMOVED, {**noted, content: int(name[1])})


def noted_versions(destination: str | Path) -> dict[str, int]:
    """Returns the withdrawn versions that were noted before their removal: content (`content_of`)
    -> number;
    {} where none were. Raises ValueError for a file of another form.
    """
    path = Path(destination) / REMOVED
    try:
        return dict(json.loads(path.read_text()))
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path} does not say which withdrawn versions were removed ({error}); remove it, and "
            "such a version may be pushed again"
        ) from error
