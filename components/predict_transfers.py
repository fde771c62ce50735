"""How well each transfer should do, before any is trained: proxies from stored representations and
labels.
"""

import json
import os
import time

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import LabelBank, ProxyTable, RepresentationBank


@component
def PredictTransfers(
    labels: InputArtifact[LabelBank],
    representations: InputArtifact[RepresentationBank],
    proxies: OutputArtifact[ProxyTable],
    targets: Parameter[str],
    order: Parameter[int],
    split: Parameter[str],
    images: Parameter[int],
    code: Parameter[str],
):
    """targets: JSON list. order: 1 or 2, sets of so many sources at most. split: that transfers
    learn from. images: most samples a target.
    """
    from itertools import combinations

    from models.examples.label_store import LabelStore
    from models.networks.task_networks.representations import RepresentationStore
    from models.networks.transfers.proxy_inputs import proxy_inputs
    from models.taxonomy import proxy_scores

    store, bank = (
        LabelStore(os.path.join(labels.uri, "store")),
        RepresentationStore(os.path.join(representations.uri, "store")),
    )
    since, rows = time.time(), []
    for target in json.loads(targets):
        if not store.has(target):
            continue
        features, answers = proxy_inputs(
            store, bank, target, bank.sources, split=split, limit=images
        )
        sets = [some for size in range(1, order + 1) for some in combinations(bank.sources, size)]
        rows += [
            {**row, "target": target}
            for row in proxy_scores(features, answers, features[target], sets)
        ]
    os.makedirs(proxies.uri, exist_ok=True)
    with open(os.path.join(proxies.uri, "proxies.json"), "w") as file:
        json.dump({"proxies": rows, "seconds": time.time() - since, "images": images}, file)
    print(
        f"  {len(rows)} transfers predicted from representations alone: "
        f"{time.time() - since:.1f} s",
        flush=True,
    )
