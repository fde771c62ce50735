"""Configurations by their digest, beside the history: a line names one, and a comparison of two
lines says which fields differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.provenance.atomic import write_json
from models.provenance.digest import digest_of
from tfx_pipeline.config import Config

FOLDER = "configurations"


def keep(run: Path, config: Config) -> dict[str, str]:
    """Writes the configuration's fields, unless they are there, and returns the name and digest
    that a line carries.
    """
    values = config.to_json()
    digest = digest_of(values)
    # by digest: what is there is the same
    path = run / FOLDER / f"{digest}.json"
    if not path.exists():
        write_json(path, values, indent=1)
    return {"name": config.name, "digest": digest}


def fields_of(run: Path, digest: str) -> dict[str, Any]:
    """Returns field (the network's as `network.FIELD`) -> value; {} where they are not kept."""
    try:
        values = json.loads((run / FOLDER / f"{digest}.json").read_text(encoding="utf-8"))
        return dict(flat_items(values))
    except (OSError, ValueError, AttributeError):
        return {}


def flat_items(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flat_items(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def differences(run: Path, before: str, after: str) -> list[str]:
    """Returns `field old -> new` for each field that differs; [] for equal digests, or ones that
    are not kept.
    """
    old, new = fields_of(run, before), fields_of(run, after)
    if not (old and new):
        return []
    names = sorted(name for name in old | new if old.get(name) != new.get(name))
    return [f"{name} {old.get(name)} -> {new.get(name)}" for name in names]
