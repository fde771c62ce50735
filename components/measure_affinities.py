"""Per-image losses -> tournament -> AHP -> affinity table, and how sure it is."""

import json
import os
from typing import Any, Dict, List

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import AffinityTable, LossBank


@component
def MeasureAffinities(
    losses: InputArtifact[List[LossBank]],
    affinities: OutputArtifact[AffinityTable],
    resamples: Parameter[int],
    seed: Parameter[int],
    work: Parameter[str],
    code: Parameter[str],
) -> None:
    """Writes the affinity tables of a run. losses: the shards of TrainTransfers, each holding some
    targets. resamples: number of resamples of the test buildings, or of the images where these name
    no building. work: folder in which finished tournaments are kept.

    affinities.json: the table of the amount of data that decides, with intervals; resamples.npz:
    the bootstrap behind them. Where smaller amounts, or networks of shares of the labels, were
    measured too: amounts.json, all amounts on one scale; curves.json, what each target reaches by
    amount, with intervals over test buildings.
    half-0.json and half-1.json: tables of the two halves of the test images, so that a policy of
    one can be judged by the other; absent where a target has a single test image. sources.json:
    ranks of sources from outside, beside the ceilings of their grids; absent without such sources.
    """
    from components.content import files_below, say_content
    from models.provenance.atomic import write_json
    from models.taxonomy import (
        LossStore,
        bootstrap,
        curves,
        halves,
        measure,
        outside,
        source_ranks,
        supervised_curves,
        with_spread,
    )

    os.makedirs(affinities.uri, exist_ok=True)
    # shards hold targets apart: together they are one measurement
    stores = [LossStore(os.path.join(shard.uri, "losses")) for shard in losses]
    # a tournament costs most of this node, and is kept by the losses it was made of
    cache = os.path.join(work, "tournaments")
    # "" is the regime that decides
    table = measure(stores, cache=cache, regime="")
    draws = bootstrap(stores, resamples=resamples, seed=seed, regime="")
    draws.save(os.path.join(affinities.uri, "resamples.npz"))
    with_spread(table, draws).save(os.path.join(affinities.uri, "affinities.json"))
    # all regimes on the scale of the first table, whose rows stay as they are
    everything = measure(stores, cache=cache)
    draws_of_curves = max(resamples, 200)
    shares = supervised_curves(stores, resamples=draws_of_curves, seed=seed)
    if len(everything.regimes) > 1 or shares["targets"]:
        everything.save(os.path.join(affinities.uri, "amounts.json"))
        drawn = curves(stores, resamples=draws_of_curves, seed=seed) | {"supervised": shares}
        write_json(os.path.join(affinities.uri, "curves.json"), drawn, indent=1)
    try:
        for number, half in enumerate(halves(stores, cache=cache)):
            half.save(os.path.join(affinities.uri, f"half-{number}.json"))
    # a target with one test picture: the table stands without halves
    except ValueError as error:
        print(f"  {error}")
    foreign = sorted(outside(table.sources))
    if foreign:
        ranks = source_ranks(stores, foreign, resamples=max(resamples, 200), seed=seed)
        shards = [outside_facts(shard.uri) for shard in losses]
        facts = {
            **ranks,
            "channels": {name: width for one in shards for name, width in one["widths"].items()},
            "ceilings": [row for one in shards for row in one["ceilings"]],
        }
        write_json(os.path.join(affinities.uri, "sources.json"), facts, indent=1)
    say_content(affinities, files_below(affinities.uri))


def outside_facts(uri: str) -> Dict[str, Any]:
    """What a shard of TrainTransfers says of sources from outside: {"widths": source -> channels,
    "ceilings": rows}.
    """
    with open(os.path.join(uri, "calibration.json")) as file:
        facts = json.load(file)
    return {"widths": facts.get("widths", {}), "ceilings": facts.get("ceilings", [])}
