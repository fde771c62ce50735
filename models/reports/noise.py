"""The written rules that decide what is noise. Every mark on the page comes from one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.reports.run_files import Run
from models.taxonomy.facts import Facts


@dataclass(frozen=True)
class Rule:
    """One rule. name: short, as it is shown beside a target. text: the rule with its limit, for the
    reader.
    """

    name: str
    text: str


CONSISTENCY = 0.1  # Saaty's usual limit for a comparison matrix
CLIPPED = 0.2
SEEDS = 0.5
CONSTANT = 0.98
LUCK = 0.5

RULES: Mapping[str, Rule] = {
    "seeds": Rule(
        "seeds disagree",
        "two trainings of the same transfers with other seeds rank the sources with a correlation "
        f"below {SEEDS}",
    ),
    "consistency": Rule(
        "inconsistent comparisons",
        f"the consistency ratio of the tournament is above {CONSISTENCY}, the usual limit",
    ),
    "clipped": Rule(
        "clipped win rates",
        f"more than {CLIPPED:.0%} of the win rates lie at the clip: one transfer wins on every "
        "test image, and by how much is not known",
    ),
    "ranking": Rule(
        "ranking is noise",
        "the ranking of sources cannot be told from chance on these test images",
    ),
    "not_ranked": Rule(
        "not ranked",
        "no source beats the average answer by more than luck, or seeds disagree on the order "
        "of the sources",
    ),
    "constant": Rule(
        "near-constant answers",
        "the best transfer's mean test loss is not at least "
        f"{1 - CONSTANT:.0%} below that of one constant answer for every picture",
    ),
}


def noise_marks(run: Run) -> dict[str, list[str]]:
    """Returns target -> keys of `RULES` that apply to it. Targets without a mark are left out."""
    diagnostics: Mapping[str, Facts] = run.affinities.get("diagnostics", {})
    seeds = {row.get("target"): row.get("between_seeds") for row in run.calibration}
    constant = constant_targets(run.rows)
    unranked: Facts = run.evidence.get("not_ranked") or {}
    targets = dict.fromkeys([*diagnostics, *constant, *unranked])
    marks: dict[str, list[str]] = {}
    for target in targets:
        facts = diagnostics.get(target, {})
        agreement = seeds.get(target)
        holds = {
            "seeds": agreement is not None and agreement < SEEDS,
            "consistency": facts.get("consistency", 0) > CONSISTENCY,
            "clipped": facts.get("clipped", 0) > CLIPPED,
            "ranking": bool(facts.get("warning")),
            "not_ranked": target in unranked,
            "constant": target in constant,
        }
        if any(holds.values()):
            marks[target] = [name for name, holding in holds.items() if holding]
    return marks


def constant_targets(rows: list[Facts]) -> set[str]:
    """Returns the targets that no transfer answers clearly better than the best constant does."""
    average: dict[str, float] = {}
    best: dict[str, float] = {}
    for row in rows:
        loss, target = row.get("mean_loss"), row["target"]
        if loss is None:
            continue
        if row.get("control") == "average":
            average[target] = loss
        elif row.get("control") is None:
            best[target] = min(loss, best.get(target, loss))
    return {
        name for name, loss in best.items() if name in average and loss >= CONSTANT * average[name]
    }


def lucky_sources(run: Run) -> list[str]:
    """Returns the policy's sources that fewer than half of the resampled test sets choose again."""
    stability: Facts = run.evidence.get("stability") or {}
    shares: Mapping[str, float] = stability.get("chosen", {})
    # without resamples nothing is known about luck, so no source is called lucky
    supervised = run.chosen["supervised"] if run.chosen and shares else []
    return [name for name in supervised if shares.get(name, 0.0) < LUCK]
