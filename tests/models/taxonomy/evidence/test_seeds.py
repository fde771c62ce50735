"""One question, asked of measurements that differ in their seeds."""

import json

import pytest
from affinity_tables import graded_table

from models.taxonomy import solve
from models.taxonomy.evidence.seeds import edges_again, seed_rows
from models.taxonomy.program.request import Request

REQUEST = Request(2, 2)


def test_the_same_table_chooses_the_same():
    table = graded_table(4)
    chosen = solve(table, 2, 2)
    first, again = seed_rows([table, table], REQUEST, chosen)
    assert (first["measurement"], again["measurement"]) == (1, 2)
    assert first["spearman"] is None
    assert again["same_sources"] == "yes" and again["edges_again"] == 1
    assert again["quality"] == pytest.approx(chosen.quality)
    assert json.loads(json.dumps([first, again])) == [first, again]


def test_another_table_is_judged_by_itself():
    table, other = graded_table(4), graded_table(5)
    chosen, own = solve(table, 2, 2), solve(other, 2, 2)
    row = seed_rows([table, other], REQUEST, chosen)[1]
    assert row["supervised"] == list(own.supervised)
    assert row["same_sources"] == ("yes" if own.supervised == chosen.supervised else "no")
    assert row["edges_again"] == edges_again(own, chosen)
    assert row["quality"] == pytest.approx(own.quality)


def test_an_edge_is_the_same_in_any_order_of_its_sources():
    chosen = solve(graded_table(4), 2, 2)
    other = solve(graded_table(5), 2, 2)
    same = [
        sum(
            edge.transfer.target == twin.transfer.target
            and edge.way == twin.way
            and set(edge.transfer.sources) == set(twin.transfer.sources)
            for twin in other.edges
        )
        for edge in chosen.edges
    ]
    assert edges_again(other, chosen) == pytest.approx(sum(same) / len(same))
