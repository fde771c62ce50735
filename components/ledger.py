"""From the ledger (a work directory that outlives failed executions) into an artifact."""

import os
from collections.abc import Iterable

from models.examples.label_store import LabelStore
from models.provenance.linked import linked
from models.tasks import TASKS


def publish(ledger: str, names: Iterable[str], uri: str) -> None:
    """hard-link (or copy, across file systems) the finished directories `names` of `ledger` below
    `uri`.
    """
    for name in names:
        # walked, not linked as a whole: a folder has no hard links
        for folder, _, files in os.walk(os.path.join(ledger, name)):
            goal = os.path.join(uri, os.path.relpath(folder, ledger))
            os.makedirs(goal, exist_ok=True)
            for file in files:
                link(os.path.join(folder, file), os.path.join(goal, file))


def publish_as(folder: str, uri: str, name: str) -> None:
    """hard-link (or copy) the files of one finished directory into `name` below `uri`."""
    goal = os.path.join(uri, name)
    os.makedirs(goal, exist_ok=True)
    for file in sorted(os.listdir(folder)):
        link(os.path.join(folder, file), os.path.join(goal, file))


def link(source: str, goal: str) -> None:
    """a hard link where the file system allows one, else a copy."""
    linked(source, goal)


def gather(uris: Iterable[str], directory: str) -> str:
    """one directory with the children of all `uris` (the shards of a stage); a single uri is
    itself.
    """
    uris = list(uris)
    # one shard is used where it lies
    if len(uris) == 1:
        return uris[0]
    for uri in uris:
        publish(uri, sorted(os.listdir(uri)), directory)
    return directory


def labelled(store: LabelStore, names: Iterable[str]) -> list[str]:
    """the tasks of `names` that the label store `store` can train and judge, and those that need no
    training: a data set need not hold every label.
    """
    # tasks without labels that need no training are sources, too
    return [name for name in names if store.has(name) or not TASKS[name].trained]
