"""The first screen of the page: the question, what to buy, what it saves, how good it is and how
sure.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.reports.noise import RULES, lucky_sources, noise_marks
from models.reports.policy_figures import PolicyFigures, policy_figures
from models.reports.run_files import Run
from models.reports.summary import mean_win
from models.reports.words import count, plural, rate, sampled_units, share, titles
from models.taxonomy.facts import Facts
from models.taxonomy.program.costs import without_labels

GOOD = "good"
DOUBT = "doubt"
PLAIN = "plain"
SURE = 0.01  # p value below which a policy is called better than chance
TRAINED = 0.8  # share of held-out pictures on which trained networks beat a constant, at least
NOISY = 0.5  # share of targets with a mark of noise from which a saving is not relied on
APART = "Counted without the tasks that are bought, and without their labels"
STABLE = 0.5  # share of resampled test sets that choose the same sources


@dataclass(frozen=True)
class Verdict:
    """A sentence that says how sure something is. tone: "good", "doubt" or "plain"."""

    tone: str
    text: str


@dataclass(frozen=True)
class Headline:
    """The contents of the first screen. policy, figures: None if the run solved nothing. buy: the
    supervised tasks that have labels. take: those that have none.

    saving_doubt: why the saving is not to be relied on; "" if no rule says so.
    """

    policy: Facts | None
    figures: PolicyFigures | None
    buy: tuple[str, ...]
    take: tuple[str, ...]
    asked: str
    scratch_words: str
    saving: Facts | None
    saving_words: str
    saving_doubt: str
    quality_words: str
    verdicts: tuple[Verdict, ...]
    marks: dict[str, list[str]]


def headline(run: Run) -> Headline:
    policy = run.chosen
    figures = policy_figures(policy, run.rows) if policy else None
    marks = noise_marks(run)
    saving = saving_of(run)
    supervised = policy["supervised"] if policy else []
    bare = without_labels(supervised)
    return Headline(
        policy=policy,
        figures=figures,
        buy=tuple(name for name in supervised if name not in bare),
        take=tuple(name for name in supervised if name in bare),
        asked=asked(run),
        scratch_words=scratch_words(figures),
        saving=saving,
        saving_words=saving_words(saving),
        saving_doubt=saving_doubt(run, saving, marks),
        quality_words=quality_words(figures),
        verdicts=tuple(verdicts(run, marks)),
        marks=marks,
    )


def asked(run: Run) -> str:
    """Returns the run's question in a few sentences."""
    targets = {row["target"] for row in run.rows}
    sources = {name for row in run.rows for name in row["sources"]}
    little = {edge["images"] for edge in ledger_edges(run) if edge["images"]}
    taught = f", each learned from {count(max(little))} labelled pictures" if little else ""
    beside = run.all_transfers - run.transfers
    more = f" {count(beside)} more, with fewer labels, decide nothing." if beside > 0 else ""
    return (
        f"{plural(len(targets), 'task')} must be answered. For which of {len(sources)} candidate "
        "sources should all pictures be labelled, when every other task is reached from those? "
        f"{count(run.transfers)} transfers were measured{taught}.{more}"
    )


def ledger_edges(run: Run) -> list[Facts]:
    edges: list[Facts] = (run.evidence.get("ledger") or {}).get("edges", [])
    return edges


def saving_of(run: Run) -> Facts | None:
    """Returns the row of the savings table at the run's own budget and order, or None."""
    rows: list[Facts] = run.evidence.get("headline", [])
    asked_for = (run.default_budget, run.default_order)
    return next((row for row in rows if (row["budget"], row["order"]) == asked_for), None)


def saving_words(saving: Facts | None) -> str:
    """Returns in words the saving over all targets, then over those that are not bought."""
    words = all_saving_words(saving)
    not_bought = saving.get("not_bought") if saving else None
    if not not_bought:
        return words
    return f"{words} {APART}: {share(not_bought['saved'])}."


def all_saving_words(saving: Facts | None) -> str:
    if saving is None:
        return "What it saves was not computed in this run."
    if saving["saved"] > 0:
        capped = " (more than that was not measured)" if saving["capped"] else ""
        return (
            f"It takes {count(saving['images'])} labels where learning every task for itself to "
            f"the same mean quality takes {count(saving['independent'])}{capped}."
        )
    return (
        f"It saves nothing: it takes {count(saving['images'])} labels, and learning every task "
        f"for itself reaches the same mean quality with {count(saving['independent'])}."
    )


def saving_doubt(run: Run, saving: Facts | None, marks: dict[str, list[str]]) -> str:
    """Returns in a sentence the rules of noise that apply to the saving; "" if none does."""
    if saving is None:
        return ""
    targets = {row["target"] for row in run.rows}
    win = mean_win(run)
    same = (run.evidence.get("stability") or {}).get("same")
    not_bought = saving.get("not_bought")
    saves_nothing = not_bought is not None and not_bought["saved"] <= 0
    rules = {
        "the task networks are barely trained": win is not None and win < TRAINED,
        f"{len(marks)} of {plural(len(targets), 'target')} carry a mark of noise": len(marks)
        # at least 1, so that the rule does not hold for a run without targets
        >= NOISY * max(len(targets), 1),
        "that the choice beats random ones is not shown surely": any(
            verdict.tone == DOUBT for verdict in chance_verdicts(run)
        ),
        "other test pictures would choose other sources": same is not None and same < STABLE,
        "at the run's own budget the targets that are not bought save nothing": saves_nothing,
    }
    reasons = [words for words, holds in rules.items() if holds]
    return f"Not to be relied on: {'; '.join(reasons)}." if reasons else ""


def scratch_words(figures: PolicyFigures | None) -> str:
    """Returns in words how many targets the policy leaves to training from scratch; "" if none."""
    return f", {figures.scratch} more from scratch" if figures and figures.scratch else ""


def quality_words(figures: PolicyFigures | None) -> str:
    """Returns in words whether transfers beat training from scratch, on the same targets."""
    if figures is None or not figures.transferred or figures.quality_transferred is None:
        return ""
    if figures.scratch_quality is None:
        return "Learning from scratch was not measured on these targets."
    difference = figures.quality_transferred - figures.scratch_quality
    beside = f"Learning the same targets from scratch reaches {rate(figures.scratch_quality)}"
    if difference > 0.02:
        return f"{beside}: the transfers are better."
    if difference < -0.02:
        return f"{beside}: on average the transfers are worse."
    return f"{beside}: no difference to speak of."


def verdicts(run: Run, marks: dict[str, list[str]]) -> list[Verdict]:
    """Returns how sure the result is, one sentence for each fact, with the doubts included."""
    sentences = [*solver_verdict(run), *chance_verdicts(run), *stability_verdicts(run)]
    if run.seeds:
        sentences.append(seed_verdict(run.seeds))
    targets = {row["target"] for row in run.rows}
    if marks:
        kinds = [
            RULES[key].name for key in dict.fromkeys(k for keys in marks.values() for k in keys)
        ]
        text = (
            f"{len(marks)} of {plural(len(targets), 'target')} carry a mark of noise "
            f"({', '.join(kinds)})."
        )
        sentences.append(Verdict(DOUBT, text))
    win = mean_win(run)
    if win is not None and win < TRAINED:
        text = (
            f"The task networks beat a constant answer on only {share(win)} of held-out pictures: "
            "they are barely trained, and what is measured from them is little more than a trial."
        )
        sentences.append(Verdict(DOUBT, text))
    return sentences


def solver_verdict(run: Run) -> list[Verdict]:
    policy = run.chosen
    if policy is None:
        return [Verdict(DOUBT, "No policy was solved in this run.")]
    if policy["status"] == "optimal":
        text = "Given these affinities, no other choice within the budget is better (proven)."
        return [Verdict(GOOD, text)]
    return [
        Verdict(DOUBT, f"The solver stopped early: the choice is {policy['status']}, unproven.")
    ]


def chance_verdicts(run: Run) -> list[Verdict]:
    """Returns the verdicts of both tests against random policies; a p value at its floor is given
    as a bound.
    """
    significance: Facts | None = run.evidence.get("significance")
    if not significance or significance.get("p") is None:
        return [Verdict(DOUBT, "The choice was not compared with random ones.")]
    tests = [("random policies", significance)]
    fairer = significance.get("best_edges")
    if fairer and fairer.get("p") is not None:
        tests.append(("random sources with their best transfers (the fairer test)", fairer))
    return [
        Verdict(GOOD if test["p"] <= SURE else DOUBT, chance_words(name, test))
        for name, test in tests
    ]


def chance_words(name: str, test: Facts) -> str:
    policies = test["policies"]
    # the policy itself counts among the draws, so p is never lower
    floor = 1 / (policies + 1)
    # with a tolerance for rounding
    if test["p"] <= floor * 1.001:
        return (
            f"Better than all {count(policies)} {name} (p at most {floor:.2g}; more draws would be "
            "needed to say how far)."
        )
    surely = "Better than" if test["p"] <= SURE else "Not clearly better than"
    return f"{surely} {name}: {test['p']:.1%} of {count(policies)} do at least as well."


def stability_verdicts(run: Run) -> list[Verdict]:
    stability: Facts | None = run.evidence.get("stability")
    if not stability:
        return [Verdict(DOUBT, "How the choice changes with the test pictures was not measured.")]
    same = stability["same"]
    tone = GOOD if same >= STABLE else DOUBT
    text = (
        f"{share(same)} of {stability['solves']} test sets redrawn from {sampled_units(stability)} "
        "choose exactly these sources."
    )
    sentences = [Verdict(tone, text)]
    lucky = lucky_sources(run)
    if lucky:
        words = "its choice is" if len(lucky) == 1 else "their choice is"
        sentences.append(Verdict(DOUBT, f"{titles(lucky)}: {words} luck (fewer than half agree)."))
    if not run.seeds:
        sentences.append(
            Verdict(PLAIN, "Everything was trained once; other seeds may choose others.")
        )
    return sentences


def seed_verdict(rows: list[Facts]) -> Verdict:
    """Returns how many measurements with other seeds choose the same sources. rows: those of
    `seeds.json`.
    """
    # the first row is the run's own measurement
    others = rows[1:]
    same = sum(row["same_sources"] == "yes" for row in others)
    edges = [row["edges_again"] for row in others if row["edges_again"] is not None]
    again = f", and {share(sum(edges) / len(edges))} of its edges" if edges else ""
    words = plural(len(others), "measurement")
    text = f"{same} of {words} with other seeds choose exactly these sources{again}."
    return Verdict(GOOD if others and same >= STABLE * len(others) else DOUBT, text)
