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
    work: Parameter[str],
    code: Parameter[str],
) -> None:
    """targets: JSON list. order: 1 or 2, sets of so many sources at most. split: that transfers
    learn from. images: most samples a target. work: the ledger of predictions that were made.
    """
    from components.content import say_content
    from components.proxies import Predictor
    from models.examples.label_store import LabelStore
    from models.networks.task_networks.representations import RepresentationStore

    since = time.time()
    predictor = Predictor(
        LabelStore(os.path.join(labels.uri, "store")),
        RepresentationStore(os.path.join(representations.uri, "store")),
        os.path.join(work, "proxies"),
        split,
        images,
    )
    asked = [target for target in json.loads(targets) if predictor.store.has(target)]
    known = [target for target in asked if predictor.predictable(target)]
    if len(known) < len(asked):
        few = ", ".join(target for target in asked if target not in known)
        print(f"  not predicted, for too few samples of the {split} split: {few}", flush=True)
    rows = predictor.all_rows(known, order)
    os.makedirs(proxies.uri, exist_ok=True)
    seconds = time.time() - since
    with open(os.path.join(proxies.uri, "proxies.json"), "w") as file:
        json.dump({"proxies": rows, "seconds": seconds, "images": images}, file)
    # rows alone: seconds differ from run to run
    say_content(proxies, rows)
    print(
        f"  {len(rows)} transfers predicted from representations alone, {predictor.fresh} of them "
        f"now: {seconds:.1f} s",
        flush=True,
    )
