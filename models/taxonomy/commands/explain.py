"""Command `explain`: prints why a taxonomy was chosen: its edges with their runners-up, what each
source is worth, and the next best policies.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from models.taxonomy.commands.inputs import request_of, table_of, unranked
from models.taxonomy.commands.layout import folded, table
from models.taxonomy.commands.options import request_options
from models.taxonomy.commands.policy_text import edge_lines, header, policy_reasons
from models.taxonomy.commands.solve import reason
from models.taxonomy.commands.terms import foot
from models.taxonomy.facts import Facts
from models.taxonomy.program.explanations import explanation

SUMMARY = (
    "why this taxonomy: edges and runners-up, what each source is worth, the next best policies"
)


def options(command: ArgumentParser) -> None:
    request_options(command)


def run(options: Namespace) -> int:
    affinities = table_of(options)
    request = request_of(options, affinities)
    reasons = unranked(options, affinities)
    policy, facts = explanation(affinities, request)
    if options.json:
        print(json.dumps({**policy.to_json(), **facts, "not_ranked": reasons}))
        return 0
    notes = {e.transfer.target: reason(affinities, request, policy, e) for e in policy.edges}
    print(header(policy, request))
    print("\nwhy each edge (affinity; the next best that the same sources allow)")
    print(edge_lines(policy, reasons, notes))
    print("\nwhat each source is worth (objective lost if its labels cannot be had)")
    print(table(["source", "lost", "instead"], [source_row(row) for row in facts["sources"]]))
    print("\nnext best policies")
    for row in facts["next"]:
        supervised = ", ".join(row["supervised"]) or "nothing"
        text = f"{row['objective'] - policy.objective:+.6f}  {supervised}"
        print(folded(text, "  ", " " * 13))
    print(folded(f"\n{facts['tie']}"))
    marked = policy_reasons(reasons, policy)
    if marked:
        print(f"\n{marked}")
    print(f"\n{foot('affinity', 'objective', 'gain', 'quality')}")
    return 0


def source_row(row: Facts) -> list[str]:
    if row["lost"] is None:
        return [row["name"], "all", "some target would no longer be reached"]
    return [row["name"], f"{row['lost']:.4f}", ", ".join(row["instead"]) or "nothing"]
