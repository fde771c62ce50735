"""Simpler ways to spend a budget."""

from affinity_tables import PUBLISHED, graded_table, there

from models.taxonomy import solve
from models.taxonomy.evidence.baselines import baselines
from models.taxonomy.program.request import Request
from models.taxonomy.tournament.published import read_any


def test_baselines_never_beat_the_taxonomy():
    table, request = (
        graded_table(2),
        Request(3, 2, cost={f"t{i}": 1 + (i % 3) / 2 for i in range(6)}),
    )
    rows = baselines(table, request, solve(table, 3, 2, cost=request.cost))
    assert [row["name"] for row in rows] == ["this taxonomy", "greedy", "single best source"]
    assert rows[0]["objective"] >= rows[1]["objective"] - 1e-9


@there
def test_features_of_object_classification_are_a_baseline_on_the_released_data():
    table, request = read_any(PUBLISHED / "all_affinities_16k.json"), Request(2, 2)
    rows = {row["name"]: row for row in baselines(table, request, solve(table, 2, 2))}
    assert rows["object classification features"]["supervised"] == ["class_1000"]
    assert rows["object classification features"]["objective"] < rows["this taxonomy"]["objective"]
