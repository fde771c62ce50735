"""Are two bundles the same model? By what they answer with, not by where they were made."""

from __future__ import annotations

import json
from pathlib import Path

from models.provenance.digest import digest_of
from serving.bundle.assets import EXTRA, LINEAGE
from serving.bundle.manifest import MANIFEST, digest, digests
from serving.release.push import versions

# Of a lineage: the folder it was built in, and a digest of the code that built it.
PATHS = ("artifact", "code")
GRAPH = "saved_model.pb"


def content_of(bundle: str | Path) -> str:
    """16 hex digits of weights, graph, contract, policy, data and networks. Raises ManifestError,
    OSError, ValueError for what is no whole bundle.
    """
    bundle = Path(bundle)
    files = digests(bundle)
    lineage = f"{EXTRA}/{LINEAGE}"
    story = json.loads((bundle / lineage).read_text())
    files[lineage] = digest_of({key: story[key] for key in sorted(story) if key not in PATHS})
    files[GRAPH] = graph_digest(bundle / GRAPH)
    return digest_of(files)


def graph_digest(path: Path) -> str:
    """of a SavedModel by its entries: protobuf writes the entries of a map in any order."""
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    return digest_of(model.SerializeToString(deterministic=True).hex())


def newest_version(destination: str | Path) -> Path | None:
    """the folder that a server answers from; None where nothing was pushed yet."""
    if not Path(destination).is_dir():
        return None
    served = versions(destination)
    return Path(destination) / str(served[-1]) if served else None


def served_address(destination: str | Path) -> str:
    """changes with the version that is served; "" for none. It is cheap: a manifest is read."""
    newest = newest_version(destination)
    if newest is None:
        return ""
    manifest = newest / MANIFEST
    return digest(manifest)[:16] if manifest.exists() else newest.name
