"""The data that were accepted last: what the gate before training compares new data with.

`RUN/accepted` holds profile.json (`models.gates.profile`), schema.pbtxt and TFDV's statistics of
the data whose bundle was pushed last; `RUN/schema/schema.pbtxt`, where somebody keeps one, is the
schema instead of that one.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any, Dict, Optional, Union

from components.content import files_below, say_content
from components.data_schema import SCHEMA, SPLITS, statistics_file
from models.provenance.atomic import atomic_folder, recover, write_json
from models.provenance.digest import digest_of

PROFILE = "profile.json"
STATISTICS = "statistics"
FIGURES = "figures.json"
# Below a run's folder.
ACCEPTED = "accepted"
KEPT_SCHEMA = "schema"


def accepted_folder(run: Union[str, Path]) -> str:
    """Folder of a run that holds what new data are compared with."""
    return os.path.join(run, ACCEPTED)


def accepted_address(run: Union[str, Path]) -> str:
    """Digest of what a run's data are compared with, 16 hex digits; "" while there is nothing. It
    is a parameter of the node that compares, since TFX's cache sees parameters and no folders.
    """
    # a kill in the middle of `accept` loses nothing to compare with
    recover(os.path.join(run, ACCEPTED))
    # the schema that somebody keeps counts, too: another one means another verdict
    folders = [os.path.join(run, name) for name in (ACCEPTED, KEPT_SCHEMA)]
    # figures of a server are no part of what data are compared with
    files = [row for folder in folders for row in files_below(folder) if row[0] != FIGURES]
    return digest_of(files) if files else ""


def schema_beside(accepted: Union[str, Path]) -> Optional[Path]:
    """Schema that data must keep: the one that somebody chose, else that of the accepted data."""
    # the chosen one first: it outlives data that are accepted later
    by_hand = Path(accepted).parent / KEPT_SCHEMA / SCHEMA
    own = Path(accepted) / SCHEMA
    return next((path for path in (by_hand, own) if path.exists()), None)


def accepted_profile(accepted: Union[str, Path]) -> Optional[Dict[str, Any]]:
    """Profile of the accepted data (`models.gates.profile`); None where none were accepted yet."""
    recover(accepted)
    path = Path(accepted) / PROFILE
    content: Dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return content or None


def write_evidence(uri: str, profile: object, schema: str, statistics: str) -> None:
    """Writes into a gate's artifact all that later data will be compared with. schema: path of the
    inferred schema. statistics: folder of StatisticsGen's artifact.
    """
    os.makedirs(uri, exist_ok=True)
    write_json(os.path.join(uri, PROFILE), profile)
    # as inferred: it is curated when something is held against it, so that a change of that rule
    # reaches old data, too
    shutil.copyfile(schema, os.path.join(uri, SCHEMA))
    for split in SPLITS:
        goal = statistics_file(os.path.join(uri, STATISTICS), split)
        os.makedirs(os.path.dirname(goal), exist_ok=True)
        shutil.copyfile(statistics_file(statistics, split), goal)


def accept(
    uri: str, accepted: Union[str, Path], figures: Optional[Dict[str, float]] = None
) -> None:
    """Makes the data of a gate's artifact the accepted ones. figures: of the server on the bundle
    that was pushed.
    """
    # whole or not at all: the next gate reads all of it
    with atomic_folder(accepted) as scratch:
        for name in (PROFILE, SCHEMA):
            shutil.copyfile(os.path.join(uri, name), scratch / name)
        shutil.copytree(os.path.join(uri, STATISTICS), scratch / STATISTICS)
        # an empty file of figures says that none were measured
        write_json(scratch / FIGURES, figures or {})


def say_evidence(verdict: Any, goes_on: bool) -> None:
    """Sets the content of a data gate's artifact: whether one may go on, and the profile, which
    later gates see. Words may differ from run to run and do not count.
    """
    files = [row for row in files_below(verdict.uri) if row[0] == PROFILE]
    say_content(verdict, [goes_on, files])
