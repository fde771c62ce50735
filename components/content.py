"""What an artifact holds, as a digest: a node whose inputs hold the same need not run again.

TFX's cache compares artifacts by their number, so that a node that ran again, to the same end,
would have everything after it run again. `tfx_pipeline.local` compares by this digest instead.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from typing import Any

from models.provenance.digest import digest_of

CONTENT = "content"


def say_content(artifact: Any, content: object) -> None:
    """Sets an artifact's digest. content: what the artifact holds, as JSON knows values (the
    addresses of its parts).
    """
    artifact.set_string_custom_property(CONTENT, digest_of(content))


# Files of records: the manifest beside them has the digest of each record.
RECORDS = ".tfrecord.gz"


def files_below(uri: str) -> list[tuple[str, str]]:
    """(path below `uri`, SHA-256) of every file there but those of records, sorted by folder."""
    rows = []
    for folder, _, files in sorted(os.walk(uri)):
        for name in sorted(files):
            # a manifest has the digest of each record; gigabytes need not be read again
            if not name.endswith(RECORDS):
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                # names below the artifact: its own folder differs from run to run
                rows.append((os.path.relpath(path, uri), digest))
    return rows


def addresses_below(uri: str, names: Iterable[str], described: str) -> dict[str, str]:
    """Name -> address, which stands in the file `described` (`network.json` or the like) of its
    folder below `uri`.
    """
    addresses = {}
    for name in names:
        with open(os.path.join(uri, name, described)) as file:
            # by address, not by files: weights of the same address may differ in the last bit
            addresses[name] = json.load(file)["address"]
    return addresses
