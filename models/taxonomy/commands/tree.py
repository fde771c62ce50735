"""Command `tree`: prints which tasks are alike."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

import numpy as np

from models.taxonomy.commands.inputs import table_of
from models.taxonomy.commands.layout import folded, table
from models.taxonomy.commands.options import table_options
from models.taxonomy.evidence.similarity import members, similarity_tree

SUMMARY = "which tasks are alike"


def options(command: ArgumentParser) -> None:
    table_options(command)
    command.add_argument("--method", choices=("ward", "average"), default="ward", help="linkage")


def run(options: Namespace) -> int:
    tree = similarity_tree(table_of(options), options.method)
    if options.json or not tree["linkage"]:
        print(json.dumps(tree))
        return 0
    clusters = members(np.array(tree["linkage"]))
    rows = [
        [
            f"{step[2]:.2f}",
            f"{100 * support:.0f} %",
            ", ".join(tree["names"][i] for i in sorted(cluster)),
        ]
        for step, cluster, support in zip(tree["linkage"], clusters, tree["support"])
    ]
    print(table(["distance", "support", "tasks that form a cluster"], rows, left=0))
    text = (
        f"cophenetic correlation {tree['cophenetic']:.3f} (of the tree's distances with the "
        "data's); support: share of bootstrap replicates over targets with the same cluster"
    )
    print(folded(text))
    return 0
