"""What a run depends on beside data, code and configuration: sources that were added, the schema
that somebody keeps, released tables.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from components.accepted import KEPT_SCHEMA
from components.data_schema import SCHEMA
from models.networks.sources.description import DESCRIBED
from models.provenance.digest import digest_of
from models.provenance.seals import SEAL, sha256_of
from models.taxonomy.evidence.beside_published import tables_digest
from tfx_pipeline.config import Config

# Below a run's folder: a folder a source from outside.
SOURCES = "sources"
# The keys, and how a person calls what they stand for.
NAMES = {
    "sources": "sources from outside",
    "schema": "the kept schema",
    "published": "the released tables",
}


def dependency_digests(run: Path, config: Config) -> dict[str, str]:
    """Returns key of `NAMES` -> digest, of those that there are.

    The accepted data are left out: a run that pushes changes them itself.
    """
    digests = {}
    # a seal holds the digests of the encoder and of its description
    sources = [
        [folder.name, sha256_of(folder / SEAL)]
        for folder in sorted((run / SOURCES).glob("[!.]*"))
        if (folder / DESCRIBED).exists() and (folder / SEAL).exists()
    ]
    if sources:
        digests["sources"] = digest_of(sources)
    schema = run / KEPT_SCHEMA / SCHEMA
    if schema.exists():
        digests["schema"] = sha256_of(schema)[:16]
    # tables that are gone: the run says so, in words of its own
    with contextlib.suppress(OSError):
        if config.published:
            digests["published"] = tables_digest(config.published)
    return digests
