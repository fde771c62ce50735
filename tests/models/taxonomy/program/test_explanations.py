"""Why a taxonomy is what it is."""

import re

import pytest
from affinity_tables import regime_table

from models.taxonomy import Affinities, Transfer, solve
from models.taxonomy.affinities import Row
from models.taxonomy.program.explanations import explanation
from models.taxonomy.program.request import Request


def test_an_explanation_says_what_each_source_is_worth():
    table = regime_table(4)
    lines, facts = explanation(table, Request(2, 2))
    for row in facts["sources"]:
        other = solve(table, 2, 2, forbidden=frozenset({row["name"]}))
        assert row["lost"] == pytest.approx(lines.objective - other.objective)
        assert row["lost"] >= 0 and row["name"] not in other.supervised


def test_the_runner_up_may_be_training_from_scratch_where_it_is_on_offer():
    rows = [Row(Transfer(("x",), "a"), 0.25), Row(Transfer((), "a", control="scratch"), 0.2)]
    table = Affinities(tuple(rows), {})
    for offered, means in ((True, "from scratch"), (False, None)):
        policy, facts = explanation(table, Request(1, 1, scratch=offered))
        assert facts["edges"][0]["next_means"] == means
        assert facts["sources"][0]["lost"] is None or offered


@pytest.mark.parametrize(
    "sources, words",
    [
        ("ab", "1 other policy is exactly as good"),
        ("abcdef", "5 other policies are exactly as good"),
        ("abcdefghijklmnop", "at least 1[01] other policies are exactly as good"),
    ],
)
def test_ties_are_counted_beyond_the_policies_that_are_listed(sources, words):
    rows = [Row(Transfer((source,), target), 0.5) for source in sources for target in "xy"]
    facts = explanation(Affinities(tuple(rows), {}), Request(1, 1))[1]
    assert re.match(words, facts["tie"])
    assert len(facts["next"]) == min(3, len(sources) - 1)
