"""What a run asks of the program beside budget and order."""

from made_run import NAMES, table

from components.solve_taxonomy import request_of
from models.tasks import TASKS


def test_a_table_with_networks_from_scratch_offers_them_where_the_run_does():
    assert request_of(table(NAMES), 1, "equal") == {"scratch": True, "free": frozenset()}
    assert request_of(table(NAMES), 0, "equal")["scratch"] is False


def test_a_table_without_networks_from_scratch_offers_none():
    known = table(NAMES).only(lambda row: row.transfer.control != "scratch")
    assert request_of(known, 1, "equal")["scratch"] is False


def test_labels_that_an_algorithm_makes_cost_nothing_under_that_preset():
    free = request_of(table(NAMES), 1, "derived")["free"]
    assert free == {name for name in NAMES if TASKS[name].derivation} and free
