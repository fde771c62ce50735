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
    """Writes proxies.json: a row a transfer. targets: JSON list. order: largest number of sources
    of a transfer, 1 or 2. split: that transfers learn from. images: most samples a target. work:
    folder with the ledger of predictions that were made.
    """
    from components.content import say_content
    from components.proxies import Predictor
    from models.examples.label_store import LabelStore
    from models.networks.task_networks.representations import RepresentationStore
    from models.provenance.atomic import write_json

    since = time.time()
    predictor = Predictor(
        LabelStore(os.path.join(labels.uri, "store")),
        RepresentationStore(os.path.join(representations.uri, "store")),
        os.path.join(work, "proxies"),
        split,
        images,
    )
    target_names = [target for target in json.loads(targets) if predictor.store.has(target)]
    predictable = [target for target in target_names if predictor.predictable(target)]
    if len(predictable) < len(target_names):
        few = ", ".join(target for target in target_names if target not in predictable)
        print(f"  not predicted, for too few samples of the {split} split: {few}", flush=True)
    rows = predictor.all_rows(predictable, order)
    seconds = time.time() - since
    facts = {"proxies": rows, "seconds": seconds, "images": images}
    write_json(os.path.join(proxies.uri, "proxies.json"), facts)
    # rows alone: seconds differ from run to run
    say_content(proxies, rows)
    print(
        f"  {len(rows)} transfers predicted from representations alone, {predictor.fresh} of them "
        f"now: {seconds:.1f} s",
        flush=True,
    )
