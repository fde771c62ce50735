"""A policy judged on test images that did not choose it."""

import numpy as np
import pytest

from models.taxonomy import LossStore, Transfer, evaluate, halves, measure, solve_all
from models.taxonomy.evidence.crossfit import cross_fitted, first_half, group_of, means_of, split_of
from models.taxonomy.program.request import Request
from models.taxonomy.program.taxonomy import Edge

VIEWS = [f"building{b}/point_{p}/view_0" for b in range(4) for p in range(10)]


def noise_store(directory, sources=12) -> LossStore:
    """every source is as good as another: what a choice gains on its own images is luck."""
    store, rng = LossStore(directory), np.random.default_rng(0)
    for target in "abc":
        store.set_images(target, VIEWS)
        for i in range(sources):
            store.append(Transfer((f"s{i}",), target), rng.random(len(VIEWS)))
        store.append(Transfer((), target, control="scratch"), rng.random(len(VIEWS)))
        store.append(Transfer((), target, control="supervised"), rng.random(len(VIEWS)))
        store.append(Transfer((), target, control="average"), rng.random(len(VIEWS)) + 0.2)
    return store


def test_halves_are_whole_buildings_and_share_no_image(tmp_path):
    of_first = split_of({"a": VIEWS, "b": [f"{VIEWS[0]}+{VIEWS[1]}", f"{VIEWS[-1]}+{VIEWS[-2]}"]})
    sides = {image.split("/")[0]: of_first(image) for image in VIEWS}
    assert all(of_first(image) == sides[image.split("/")[0]] for image in VIEWS)
    assert sum(sides.values()) == 2
    first, second = halves(noise_store(tmp_path))
    assert first.diagnostics["a"]["images"] == second.diagnostics["a"]["images"] == 20


def test_a_single_building_is_split_by_points_and_the_largest_group_goes_first():
    one = [view for view in VIEWS if view.startswith("building0/")]
    of_first = split_of({"a": one})
    assert sum(map(of_first, one)) == 5
    several = [f"one/point_{i // 3}/view_{i % 3}" for i in range(12)]
    of_first = split_of({"a": several})
    sides = [{of_first(view) for view in several[3 * i : 3 * i + 3]} for i in range(4)]
    assert [len(side) for side in sides] == [1, 1, 1, 1], "views of a point stay together"
    assert first_half(["a/1", "a/2", "a/3", "b/1", "c/1", "d/1"], 1) == {"a"}
    with pytest.raises(ValueError, match="1 of a"):
        split_of({"a": VIEWS[:1]})


def test_a_sample_of_several_views_is_of_the_group_of_its_first():
    pair = "a/point_1/view_2+b/point_3/view_4"
    assert [group_of(pair, depth) for depth in (1, 2, 3)] == [
        "a",
        "a/point_1",
        "a/point_1/view_2",
    ]
    # a view that begins several samples counts once: a is no larger than b
    assert first_half(["a/1+a/2", "a/1+a/3", "b/1+b/2", "b/3", "c/1"], 1) == {"b"}
    of_first = split_of({"t": ["a/1/1+a/1/2", "a/1/2+a/1/1"]})
    assert [of_first(name) for name in ("a/1/1", "a/1/2")] == [True, False]


def test_transferred_is_what_transfers_reach_and_not_bought_counts_scratch_too():
    own = Edge(Transfer((), "a", control="supervised"), 1.0, 1.0, 0.5)
    reached = Edge(Transfer(("a",), "b"), 1.0, 0.6, 0.2)
    alone = Edge(Transfer((), "c", control="scratch"), 1.0, 0.5, 0.8)
    assert means_of([own, reached, alone]) == pytest.approx(
        {"gain": 0.7, "quality": 0.5, "transferred": 0.2, "not_bought": 0.5}
    )
    assert means_of([own, alone])["transferred"] is None
    assert means_of([own])["not_bought"] is None


def test_what_a_choice_gains_by_luck_is_gone_on_other_images(tmp_path):
    tables = halves(noise_store(tmp_path))
    facts = cross_fitted(tables, Request(2, 1))
    assert facts["in_sample"]["transferred"] > 0.55
    assert facts["transferred"] < facts["in_sample"]["transferred"] - 0.05
    assert abs(facts["transferred"] - 0.5) < 0.1


def test_evidence_judges_with_training_from_scratch_and_without(tmp_path):
    store = noise_store(tmp_path)
    table = measure(store)
    answers = solve_all(table, [2], [1], scratch=True)
    book = evaluate(
        table, answers, budget=2, order=1, policies=50, halves=halves(store), scratch=True
    )
    assert [row["scratch"] for row in book["crossfit"]] == [False, True]
    assert book["scratch"] and set(book["not_ranked"]) <= set("abc")


def test_transfers_alone_are_left_out_where_they_reach_not_every_target(tmp_path):
    store, random = LossStore(tmp_path), np.random.default_rng(0)
    # a source of its own for each of three targets, of which one may be bought
    for target, source in zip("abc", ("s0", "s1", "s2")):
        store.set_images(target, VIEWS)
        rows = [Transfer((source,), target)]
        rows += [
            Transfer((), target, control=name) for name in ("scratch", "supervised", "average")
        ]
        for row in rows:
            store.append(row, random.random(len(VIEWS)))
    table = measure(store)
    answers = solve_all(table, [1], [1], scratch=True)
    book = evaluate(
        table, answers, budget=1, order=1, policies=50, halves=halves(store), scratch=True
    )
    assert [row["scratch"] for row in book["crossfit"]] == [True]
    assert [row["scratch"] for row in book["offers"]] == [True]
    assert book["tree"] == {"names": [], "linkage": [], "cophenetic": None, "support": []}
