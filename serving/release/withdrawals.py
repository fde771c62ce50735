"""Withdrawn versions whose folders are gone: what they answered with is remembered, so that no
later run pushes them again.
"""

from __future__ import annotations

import json
from pathlib import Path

from models.provenance.atomic import write_json
from serving.release.identity import content_of
from serving.release.push import WITHDRAWN

# In the folder of versions: content of a bundle -> the number that it was served under.
REMOVED = ".withdrawn.json"


def remember(bundle: Path) -> None:
    """note a withdrawn version before it is removed; one that is no whole bundle can be no later
    one's twin, and is passed over.
    """
    name = WITHDRAWN.fullmatch(bundle.name)
    if name is None:
        return
    try:
        content = content_of(bundle)
    except (OSError, ValueError):
        return
    # an error here goes on: what is not noted must not be removed
    write_json(bundle.parent / REMOVED, {**removed(bundle.parent), content: int(name[1])})


def removed(destination: str | Path) -> dict[str, int]:
    """content -> number of the versions that were noted; {} where none were. Raises ValueError for
    a file that says something else.
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
