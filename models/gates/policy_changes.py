"""Says in words how a new policy differs from the served one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What `models.taxonomy.program.taxonomy.Taxonomy.to_json` returns.
Policy = Mapping[str, Any]


def way(policy: Policy, target: str) -> str | None:
    """Returns how a policy answers a target, in words; None if it does not."""
    edge = next((edge for edge in policy["edges"] if edge["target"] == target), None)
    if edge is None:
        return None
    if edge.get("control") == "scratch":
        return "a network from scratch on little data"
    if not edge["sources"]:
        return "its own network"
    return f"a transfer from {' and '.join(edge['sources'])}"


def changed_ways(served_policy: Policy, candidate: Policy) -> dict[str, str]:
    """Returns target -> what answers it now and before, for those targets that the two policies
    answer differently.
    """
    changes = {}
    for target in (edge["target"] for edge in candidate["edges"]):
        before, now = way(served_policy, target), way(candidate, target)
        if before is not None and now is not None and before != now:
            changes[target] = f"answered by {now}, before by {before}"
    return changes


def explained(served_policy: Policy, candidate: Policy) -> list[str]:
    """Returns lines that say whose labels are bought, whose are not any more, and which targets are
    answered in another way.
    """
    old, new = set(served_policy["supervised"]), set(candidate["supervised"])
    lines = [f"labels of {name} are supervised now" for name in sorted(new - old)]
    lines += [f"labels of {name} are no longer supervised" for name in sorted(old - new)]
    lines += [
        f"{target}: {change}"
        for target, change in sorted(changed_ways(served_policy, candidate).items())
    ]
    before = {edge["target"] for edge in served_policy["edges"]}
    now = {edge["target"] for edge in candidate["edges"]}
    lines += [f"{target} is answered for the first time" for target in sorted(now - before)]
    return lines + [f"{target} is not answered any more" for target in sorted(before - now)]
