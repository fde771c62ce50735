"""Compares a run's affinities with the released ones: the agreement, its noise, and what to compare
it with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.evidence.agreement import agreement, matched
from models.taxonomy.evidence.priors import PUBLISHED
from models.taxonomy.facts import Facts
from models.taxonomy.tournament.published import read_published

# Names of the released tables. The first one found is the reference: transfers learned from 16k
# images.
REFERENCES = ("all_affinities_16k", "all_affinities")
# The authors' own measurement with less data, which shows how far another measurement can agree.
CEILING = "all_affinities_1k"
KINDS = (".json", ".pkl")


def beside_published(table: Affinities, folder: str | Path, seed: int = 0) -> Facts | None:
    """Returns how far first-order affinities agree with the released ones in `folder`, or None if
    the tables share no target with enough sources.

    The result is {"reference": file, "spearman", "low", "high" (mean over targets; 95 % over
    sources and targets drawn again), "pairs", "targets": target -> Spearman, "intervals": target ->
    [low, high], "target_specific", "ceiling", "baselines" (as in `agreement`)}. Raises
    FileNotFoundError for a folder without a released table.
    """
    reference_file, ceiling_file = released_tables(folder)
    reference = read_published(reference_file)
    ceiling = None if ceiling_file is None else read_published(ceiling_file)
    # the published spellings are read as ours
    facts = agreement(table, reference, PUBLISHED, ceiling=ceiling, seed=seed)
    by_target: Mapping[str, Facts] = facts["targets"]
    if not by_target:
        return None
    pairs = matched(table, reference, PUBLISHED)
    return {
        "reference": reference_file.name,
        **{name: facts["mean"][name] for name in ("spearman", "low", "high")},
        "pairs": int(np.isfinite(pairs.first).sum()),
        "targets": {name: row["spearman"] for name, row in by_target.items()},
        "intervals": {name: [row["low"], row["high"]] for name, row in by_target.items()},
        "target_specific": facts["target_specific"],
        "ceiling": facts["ceiling"],
        "baselines": facts["baselines"],
    }


def first_there(folder: Path, names: tuple[str, ...]) -> Path | None:
    """Returns the first file with one of these names that is in a folder, or None."""
    paths = (folder / f"{name}{kind}" for name in names for kind in KINDS)
    return next((path for path in paths if path.exists()), None)


def released_tables(folder: str | Path) -> tuple[Path, Path | None]:
    """Returns (the released table that a run is compared with, the table of its ceiling or None) in
    a folder. Raises FileNotFoundError if there is no released table.
    """
    reference = first_there(Path(folder), REFERENCES)
    if reference is None:
        raise FileNotFoundError(
            f"no released affinities in {folder}; expected {' or '.join(REFERENCES)}, as .json or "
            ".pkl (--set published=DIR)"
        )
    return reference, first_there(Path(folder), (CEILING,))


def tables_digest(folder: str | Path) -> str:
    """Returns 16 hex digits of a digest of the released tables that are read from a folder. Raises
    FileNotFoundError if there is none.
    """
    digest = hashlib.sha256()
    # both, because a change of the ceiling changes the evidence
    for path in released_tables(folder):
        digest.update(b"" if path is None else path.read_bytes())
    return digest.hexdigest()[:16]
