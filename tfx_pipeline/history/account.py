"""What a run came to, from the artifacts that it left: data, measures, policy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# NODE/OUTPUT -> folder.
Artifacts = Mapping[str, str]


def facts_in(artifacts: Artifacts, output: str, *names: str) -> dict[str, Any]:
    """Returns what a JSON file of an artifact holds; {} where either is not there, or cannot be
    read.
    """
    if output not in artifacts:
        return {}
    try:
        content = json.loads(Path(artifacts[output]).joinpath(*names).read_text(encoding="utf-8"))
    # half-written or pruned: the history says less, and goes on
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def data_of(artifacts: Artifacts) -> dict[str, Any]:
    """Returns the hash of the manifest, the views of each split, and the number of buildings."""
    # the index is small; the manifest lists every view
    index = facts_in(artifacts, "ExampleGen/examples", "index", "index.json")
    if not index:
        return {}
    return {
        "hash": index["hash"],
        "views": index["views"],
        "buildings": len(index["buildings"]),
    }


def metrics_of(artifacts: Artifacts) -> dict[str, Any]:
    """Returns the measures of the policy that is served: quality and gain in [0, 1], saved (share
    of labels), p against random policies, and that in words.
    """
    evidence = facts_in(artifacts, "EvaluateTaxonomy/evidence", "evidence.json")
    policy_key = (evidence.get("budget"), evidence.get("order"))
    rows = [
        row
        for row in evidence.get("headline", [])
        if (row.get("budget"), row.get("order")) == policy_key
    ]
    policy = facts_in(artifacts, "TrainPolicy/transfers", "policy.json")
    significance = evidence.get("significance") or {}
    measures = {
        "quality": policy.get("quality"),
        "gain": policy.get("gain"),
        "saved": rows[0].get("saved") if rows else None,
        "p": significance.get("p"),
        "significance": significance.get("verdict"),
    }
    # what is not known has no entry: 0 would be a measure
    return {name: value for name, value in measures.items() if value is not None}


def policy_of(artifacts: Artifacts) -> dict[str, Any]:
    """Returns the policy's budget, order, supervised tasks, and edges: target -> {sources, way,
    quality, gain}.
    """
    policy = facts_in(artifacts, "TrainPolicy/transfers", "policy.json")
    if not policy:
        return {}
    edges = {
        edge["target"]: {
            "sources": edge["sources"],
            # an edge without a control is a transfer
            "way": edge.get("control") or "transfer",
            "quality": edge.get("quality"),
            "gain": edge.get("gain"),
        }
        for edge in policy["edges"]
    }
    return {
        "budget": policy["budget"],
        "order": policy["order"],
        "supervised": policy["supervised"],
        "edges": edges,
    }
