"""From the ledger (a work directory that outlives failed executions) into an artifact."""

import os
from collections.abc import Iterable

from models.examples.label_store import LabelStore
from models.provenance.linked import linked
from models.tasks import TASKS


def publish(ledger: str, names: Iterable[str], uri: str) -> None:
    """Links (copies, across file systems) finished directories `names` of `ledger` below `uri`."""
    for name in names:
        # walked, not linked as a whole: a folder has no hard links
        for folder, _, files in os.walk(os.path.join(ledger, name)):
            goal = os.path.join(uri, os.path.relpath(folder, ledger))
            os.makedirs(goal, exist_ok=True)
            for file in files:
                link(os.path.join(folder, file), os.path.join(goal, file))


def publish_as(folder: str, uri: str, name: str) -> None:
    """Links (copies, across file systems) the files of one finished directory into `name` below
    `uri`.
    """
    goal = os.path.join(uri, name)
    os.makedirs(goal, exist_ok=True)
    for file in sorted(os.listdir(folder)):
        link(os.path.join(folder, file), os.path.join(goal, file))


def link(source: str, goal: str) -> None:
    """Makes `goal` a hard link to `source` where the file system allows one, else a copy."""
    linked(source, goal)


def gather(uris: Iterable[str], directory: str) -> str:
    """Links the children of all `uris` (the shards of a stage) below `directory` and returns it; a
    single uri is returned as it is.
    """
    uris = list(uris)
    # one shard is used where it lies
    if len(uris) == 1:
        return uris[0]
    for uri in uris:
        publish(uri, sorted(os.listdir(uri)), directory)
    return directory


def trainable(store: LabelStore, names: Iterable[str]) -> list[str]:
    """Tasks of `names` that the label store has samples of, in every split, and those that need no
    training, which are sources, too: a data set need not hold every label.
    """
    return [name for name in names if store.has(name) or not TASKS[name].trained]
