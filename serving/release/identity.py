"""Tells which bundles are the same model: by what they answer with, not by where they were made."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from models.provenance.digest import digest_of
from serving.bundle.assets import EXTRA, LINEAGE
from serving.bundle.manifest import MANIFEST, digest, digests
from serving.release.push import WITHDRAWN, versions

# Of a lineage: the folder it was built in, and a digest of the code that built it.
PATHS = ("artifact", "code")
GRAPH = "saved_model.pb"
# In names that TensorFlow makes of a function's: `map_while_cond_23827___redundant_placeholder0`.
COUNTER = re.compile(r"(?<=_)\d+(?=___|\b)")


def content_of(bundle: str | Path) -> str:
    """Returns a digest of weights, graph, contract, policy, data and networks, 16 hex digits.
    Raises FileNotFoundError or ValueError (ManifestError is one) for what is no whole bundle,
    another OSError for files that cannot be read now.
    """
    bundle = Path(bundle)
    files = digests(bundle)
    lineage = f"{EXTRA}/{LINEAGE}"
    story = json.loads((bundle / lineage).read_text())
    if not isinstance(story, dict):
        raise ValueError(f"{bundle / lineage}: expected a JSON object, got {type(story).__name__}")
    # without PATHS: the same model built in another folder would differ in them
    files[lineage] = digest_of({key: story[key] for key in sorted(story) if key not in PATHS})
    files[GRAPH] = graph_digest(bundle / GRAPH)
    return digest_of(files)


def is_same_model(candidate: str | Path, other: str | Path) -> bool:
    """Returns whether two bundles hold the same model; what is no whole bundle is not the same as
    any. Raises OSError for files that cannot be read now: nobody knows then.
    """
    try:
        return content_of(candidate) == content_of(other)
    except (FileNotFoundError, ValueError):
        return False


def graph_digest(path: Path) -> str:
    """Returns the SHA-256 of a SavedModel's entries. It does not depend on the order in which
    protobuf writes a map, nor on the numbers in functions' names, which TensorFlow counts through a
    process. Raises ValueError for a file that is no SavedModel.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    try:
        model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except DecodeError as error:
        raise ValueError(f"{path} is no SavedModel: {error}") from error
    digest = hashlib.sha256()
    for graph in model.meta_graphs:
        # in sorted order: protobuf writes functions in the order in which they were made
        for text in take_out_functions(graph.graph_def):
            digest.update(text.encode())
    digest.update(model.SerializeToString(deterministic=True))
    return digest.hexdigest()


def take_out_functions(graph: Any) -> list[str]:
    """Removes the functions of a GraphDef and returns them as text. The counter in a function's
    name is replaced by its rank among the counters, there and in the nodes that call it.
    """
    functions = list(graph.library.function)
    # by size, so that their order stays as they were made
    counters = sorted({counter_of(name_of(function)) for function in functions})
    places = {str(counter): str(place) for place, counter in enumerate(counters)}

    def in_order(text: str) -> str:
        return COUNTER.sub(lambda match: places.get(match[0], match[0]), text)

    texts = sorted(in_order(str(function)) for function in functions)
    del graph.library.function[:]
    for node in graph.node:
        for value in node.attr.values():
            # attributes that name a function hold its counter, too
            for called in (value.func, *value.list.func) if names_functions(value) else ():
                called.name = in_order(called.name)
    return texts


def names_functions(value: Any) -> bool:
    """Returns whether a node's attribute names functions."""
    return bool(value.HasField("func") or (value.HasField("list") and len(value.list.func)))


def name_of(function: Any) -> str:
    return str(function.signature.name)


def counter_of(name: str) -> int:
    """Returns the number at the end of a function's name; -1 where there is none."""
    number = re.search(r"(\d+)$", name)
    return int(number[1]) if number else -1


def newest_version(destination: str | Path) -> Path | None:
    """Returns the folder of the version that a server answers from; None where nothing was pushed
    yet.
    """
    # nothing pushed yet is no error for a gate: there is nothing to compare with
    if not Path(destination).is_dir():
        return None
    numbers = versions(destination)
    return Path(destination) / str(numbers[-1]) if numbers else None


def withdrawn_versions(destination: str | Path) -> list[Path]:
    """Returns the folders of the versions that were taken out of service, in the order of their
    names.
    """
    if not Path(destination).is_dir():
        return []
    return sorted(path for path in Path(destination).iterdir() if WITHDRAWN.fullmatch(path.name))


def served_address(destination: str | Path) -> str:
    """Returns a text that changes with the version that is served; "" where none is. It is cheap:
    the manifest alone is read.
    """
    newest = newest_version(destination)
    if newest is None:
        return ""
    manifest = newest / MANIFEST
    # bundles of before manifests have their number alone
    return digest(manifest)[:16] if manifest.exists() else newest.name
