"""The page and the terminal say where a source from outside ranks, and pages without one say
nothing.
"""

from models.reports.drawing import drawn
from models.reports.outside_sources import outside_lines, outside_sources


def placed(rank, **more):
    facts = {"rank": rank, "low": rank - 1, "high": rank + 2, "of": 27}
    return {**facts, "quality": {"quality": 0.25, "low": 0.2, "high": 0.3}, **more}


def facts():
    rows = [
        {
            "source": source,
            "target": target,
            "alone": placed(rank),
            "pair": placed(9.0, **{"with": "normal"}),
        }
        for source, rank in (("hed", 3.0), ("hed_random", 20.0))
        for target in ("edge_texture", "class_scene")
    ]
    ceiling = {"target": "edge_texture", "channels": 32, "loss": 0.1, "quality": 0.9}
    mean = [
        {"source": "hed", "rank": 4.2, "low": 3.1, "high": 5.3},
        {"source": "normal", "rank": 6.0, "low": 5.0, "high": 7.0},
        {"source": "hed_random", "rank": 19.0, "low": 18.0, "high": 20.0},
    ]
    return {
        "unit": "building",
        "units": 10,
        "resamples": 200,
        "targets": rows,
        "mean": mean,
        "channels": {"hed": 32, "hed_random": 32},
        "ceilings": [ceiling],
    }


POLICY = {"edges": [{"target": "edge_texture", "sources": ["hed", "normal"]}]}


def test_a_source_has_one_table_with_its_control_and_ceiling():
    [table] = outside_sources(facts(), POLICY)["sources"]
    assert (table["name"], table["channels"], table["taken"]) == ("hed", 32, ["edge_texture"])
    first, second = table["rows"]
    assert first["control"]["rank"] == 20.0 and first["ceiling"]["quality"] == 0.9
    assert first["taken"] and not second["taken"] and second["ceiling"] is None


def test_the_page_shows_it():
    shown = outside_sources(facts(), POLICY)
    page = drawn("outside.html", parts={"outside": shown}, marks={}, rules={}, glossary={})
    assert "hed, 32 channels" in page and "The policy takes it for" in page
    assert "0.90" in page and "10 test buildings" in page and ">20 <" in page
    assert "hed_random (outside source)" in page


def test_a_run_without_one_shows_nothing():
    assert outside_sources(None, POLICY) is None and outside_lines(None) == []
    page = drawn("outside.html", parts={"outside": None}, marks={}, rules={}, glossary={})
    assert page == ""


def test_the_terminal_says_it_in_80_columns():
    lines = outside_lines(outside_sources(facts(), POLICY))
    assert lines[0] == "hed: mean rank 4.2 (3.1 to 5.3), 1 of 3 sources"
    assert lines[1].startswith("hed_random: mean rank 19.0")
    assert "takes it for edge_texture" in lines[2]
    assert "3 (2 to 5)" in lines[4] and "20 (19 to 22)" in lines[4] and "0.90" in lines[4]
    assert max(map(len, lines)) <= 80
