"""A run that was moved or copied is a run of its own: what it knows of itself lies where it lies.

ML metadata hold absolute places. Those of a run name its own artifacts alone
(RUN/artifacts/NODE/OUTPUT/NUMBER), so that another RUN there is where this one lay before. Such
places are written anew before a run goes on: it would otherwise take outputs from the folder that
stands there now, another run's perhaps, or none.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from models.provenance.atomic import write_json
from models.provenance.seals import SEAL, sha256_of
from tfx_pipeline.history.metadata import METADATA

# Below a run's folder.
ARTIFACTS = "artifacts"
SEALS = "seals"
# What stands for the run's folder in what is compared.
ANYWHERE = "RUN"
# Tables of texts that may hold a place, and the column.
TEXTS = (
    ("Artifact", "uri"),
    ("ArtifactProperty", "string_value"),
    ("ExecutionProperty", "string_value"),
)
# The one file of an artifact that names another artifact: decoded labels say where the records lie.
RECORDS = "DecodeLabels/labels/*/store/images/images.json"


def rewrite_places(run: Path) -> None:
    """Writes the places in a run's metadata anew where it lay elsewhere before; its lock is held.

    A place that the run has no longer (it was pruned) is written too: TFX passes over what is not
    there.
    """
    run = Path(os.path.abspath(run))
    if not (run / METADATA).exists():
        return
    with contextlib.closing(sqlite3.connect(run / METADATA)) as base:
        try:
            before = former_places(base, run)
        except sqlite3.DatabaseError:
            # no tables yet (a run was killed while it made them), or no database: TFX says which
            return
        if not before:
            return
        # files first: as long as the metadata name the former place, all of it is done again
        for described in sorted((run / ARTIFACTS).glob(RECORDS)):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                rewrite_records(described, before, run)
        # one transaction: after a kill all of it, or nothing, is written
        with base:
            for table, column in TEXTS:
                rewrite_column(base, table, column, before, run)


def former_places(base: sqlite3.Connection, run: Path) -> list[Path]:
    """Returns where the run lay before, as its artifacts say."""
    uris = [Path(uri) for (uri,) in base.execute("select distinct uri from Artifact") if uri]
    own = [uri for uri in uris if uri.is_absolute() and uri.parts[-4:-3] == (ARTIFACTS,)]
    return sorted({uri.parents[3] for uri in own} - {run})


def rewrite_column(
    base: sqlite3.Connection, table: str, column: str, before: Iterable[Path], run: Path
) -> None:
    """Writes the places in one column of a table anew."""
    rows = base.execute(f"select rowid, {column} from {table} where {column} is not null")
    for row, text in rows.fetchall():
        now = replace_places(text, before, str(run))
        if now != text:
            # no other column: times are part of TFX's cache keys
            base.execute(f"update {table} set {column} = ? where rowid = ?", (now, row))


def rewrite_records(described: Path, before: Iterable[Path], run: Path) -> None:
    """Writes the place of the records anew in a label store's file, and in the two seals of that
    file. A file that is not as it was sealed is left: it is damaged, and found to be.
    """
    facts = json.loads(described.read_text())
    now = replace_places(facts["examples"], before, str(run))
    if now == facts["examples"]:
        return
    folder = described.parent
    artifact = folder.parents[1]
    outer = run / SEALS / artifact.relative_to(run / ARTIFACTS).with_suffix(".json")
    inner = folder / SEAL
    seals: dict[Path, dict[str, Any]] = {
        path: json.loads(path.read_text()) for path in (inner, outer) if path.exists()
    }
    if seals[inner][described.name] != row_of(described):
        return
    # each holds the digest of the one before
    write_json(described, {**facts, "examples": now})
    write_json(inner, {**seals[inner], described.name: row_of(described)})
    if outer in seals:
        fresh = {str(path.relative_to(artifact)): row_of(path) for path in (described, inner)}
        write_json(outer, {**seals[outer], **fresh})


def row_of(path: Path) -> list[int | str]:
    """Returns a file's row in a seal: size and SHA-256."""
    return [path.stat().st_size, sha256_of(path)]


def without_run_place(text: str, run: Path) -> str:
    """Returns the text with one word for the run's folder: equal for a run that was moved or
    copied.
    """
    return replace_places(text, [run], ANYWHERE)


def replace_places(text: str, before: Iterable[Path], now: str) -> str:
    """Returns a place, or JSON with places, in which those at or below `before` are at or below
    `now`.
    """
    for place in before:
        # whole places alone: neither /a/run in /b/a/run, nor in /a/run2
        if text.startswith(("[", "{")):
            pattern = rf'(?<="){re.escape(json_text(str(place)))}(?=[/"])'
            text = re.sub(pattern, lambda _: json_text(now), text)
        elif text == str(place) or text.startswith(f"{place}/"):
            # once: what follows is where it lies now
            return now + text[len(str(place)) :]
    return text


def json_text(text: str) -> str:
    """Returns the text as JSON writes it inside of quotes."""
    return json.dumps(text)[1:-1]


def parameters_without_place(parameters: Mapping[str, Any], run: Path) -> dict[str, Any]:
    """Returns a node's parameters with one word for the run's folder."""
    return {
        name: without_run_place(value, run) if isinstance(value, str) else value
        for name, value in parameters.items()
    }
