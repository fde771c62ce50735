"""Command `measure`: turns per-image losses into an affinity table with intervals."""

from __future__ import annotations

import json
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path

from models.arguments.numbers import natural
from models.arguments.places import named_place
from models.taxonomy.commands.layout import folded, shown, table
from models.taxonomy.evidence.spread import with_spread
from models.taxonomy.evidence.standing import mark, not_ranked
from models.taxonomy.facts import Facts
from models.taxonomy.tournament.loss_tables import store_of
from models.taxonomy.tournament.losses import LossStore
from models.taxonomy.tournament.measurement import measure
from models.taxonomy.tournament.resamples import Resamples
from models.taxonomy.tournament.resampling import bootstrap

SUMMARY = "per-image losses to an affinity table with intervals"


def options(command: ArgumentParser) -> None:
    command.add_argument(
        "--losses",
        type=named_place,
        required=True,
        nargs="+",
        metavar="PLACE",
        help="folders of per-image losses (a run's affinity stores), or CSV files of your own: a "
        "line a transfer and image with the columns target, sources (joined by |), image "
        "(BUILDING/... where intervals are to be over buildings) and loss; control (supervised, "
        "scratch, average; sources empty) and regime are optional",
    )
    command.add_argument(
        "--out", type=named_place, required=True, help="affinities.json or .csv to write"
    )
    command.add_argument(
        "--resamples",
        type=natural,
        default=1000,
        help="bootstrap resamples of the test buildings, or of the images where these name none; "
        "0 for none",
    )
    command.add_argument("--seed", type=natural, default=0, help="seed of the resamples")


def run(options: Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="losses-") as scratch:
        return measured(
            options,
            [store_at(path, Path(scratch, str(i))) for i, path in enumerate(options.losses)],
        )


def measured(options: Namespace, stores: list[LossStore]) -> int:
    affinities = measure(stores)
    intervals = ""
    if options.resamples:
        resamples = bootstrap(stores, resamples=options.resamples, seed=options.seed)
        affinities = with_spread(affinities, resamples)
        intervals = f", intervals: {redrawn_words(resamples)}"
    affinities.save(options.out)
    if options.json:
        print(json.dumps(affinities.diagnostics))
        return 0
    reasons = not_ranked(affinities)
    titles = ["target", "rows", "images", "consist.", "clipped", "gap", "reduc.", "reliab."]
    rows = [
        tournament_row(mark(target, reasons), facts)
        for target, facts in affinities.diagnostics.items()
    ]
    print(table(titles, rows))
    for target, facts in affinities.diagnostics.items():
        if facts.get("warning"):
            print(f"warning: {target}: {facts['warning']}", file=sys.stderr)
    for target, reason in reasons.items():
        print(folded(f"* {target} is not ranked: {reason}", "", "    "))
    text = (
        "consistency: below 0.1 is usual; clipped: comparisons that one side always wins; gap: "
        "near 1 the ranking hangs on little; reducible: some transfer never wins; reliability: "
        "rank correlation of the ranking over redrawn test sets"
    )
    print(folded(text, "", ""))
    print(f"{len(affinities.rows)} rows -> {options.out}{intervals}")
    return 0


def redrawn_words(resamples: Resamples) -> str:
    """Returns in words what was drawn again, and how often."""
    plural = "" if resamples.units == 1 else "s"
    return f"{resamples.units} {resamples.unit}{plural}, redrawn {len(resamples)} times"


def store_at(path: str, scratch: Path) -> LossStore:
    """Returns the store in a folder, or a store that is made in `scratch` from a CSV. Raises
    ValueError for a place that holds neither.
    """
    if Path(path).is_file():
        return store_of(Path(path), scratch)
    if not Path(path).is_dir():
        raise ValueError(
            f"no folder {path}; give a folder of per-image losses, or a CSV file of them"
        )
    store = LossStore(path)
    if not store.targets():
        tables = sorted(file.name for file in Path(path).glob("*.csv"))
        hint = Path(path, tables[0]) if tables else "one that a run has written, or a CSV file"
        raise ValueError(
            f"{path} is no store of losses: no folder in it is a target's (with an images.json); "
            f"give {hint}"
        )
    return store


def tournament_row(name: str, facts: Facts) -> list[str]:
    return [
        name,
        str(facts["transfers"]),
        str(facts["images"]),
        f"{facts['consistency']:.3f}",
        f"{100 * facts['clipped']:.0f} %",
        f"{facts['gap']:.2f}",
        "yes" if facts["reducible"] else "no",
        shown(facts.get("reliability")),
    ]
