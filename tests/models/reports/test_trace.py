"""The page of a version leads from each answer to what it was made of, without a network."""

import pytest
from chromium import Watched, assert_accessible

from models.reports.trace import Answer, Network, Trace, connected, placed, render_trace


def answer(target, way, *sources, quality=0.5):
    return Answer(target, way, sources, "a" * 16, "closed form", quality, None, "b" * 16)


def network(name):
    record = {"steps": 3, "seconds": 1.25, "parameters": 10, "win_average": 0.75}
    task = name.partition(" ")[0]
    return Network(name, task, f"{len(name):016x}", record, "c" * 16, {"train": 40})


TRACE = Trace(
    version=7,
    state="serves",
    pushed="2026-11-28 10:30",
    bundle={"folder": "runs/<b>mine</b>", "signed": "no"},
    answers=[
        answer("reshading", "transfer", "normal", "jigsaw"),
        answer("normal", "supervised"),
        answer("keypoints2d", "scratch", quality=None),
    ],
    networks=[network("normal"), network("jigsaw"), network("keypoints2d from scratch")],
    data={"hash": "d" * 16, "count": 81, "buildings": "a, b"},
    code={"TrainTasks": "e" * 16},
    config={"name": "smoke"},
    artifacts=[("TrainTasks/networks", "artifacts/TrainTasks/networks/7", False)],
    verdicts=[{"gate": "CheckData", "passed": False, "reasons": ["noise"], "forced": "it is so"}],
    unknown=["The history has no line of its push."],
)


def test_every_answer_has_a_way_to_the_views():
    boxes = placed(TRACE)
    lines = connected(TRACE, boxes)
    ways = {
        target: [line for line in lines if target in line.answers]
        for target in ("reshading", "normal", "keypoints2d")
    }
    # to its networks, to their labels, to the views
    assert {target: len(edges) for target, edges in ways.items()} == {
        "reshading": 6,
        "normal": 3,
        "keypoints2d": 3,
    }
    assert boxes["network normal"].answers == ("reshading", "normal")
    assert boxes["network keypoints2d from scratch"].title == "2D keypoints, from scratch"


def test_boxes_of_a_column_do_not_overlap():
    for kind in ("answer", "network", "label"):
        places = [box.middle for box in placed(TRACE).values() if box.kind == kind]
        assert all(later - earlier >= 28 for earlier, later in zip(places, places[1:]))


def test_the_page_names_what_an_answer_was_made_of_and_escapes_it():
    page = render_trace(TRACE)
    for words in (
        "a" * 16,
        "b" * 16,
        "c" * 16,
        "d" * 16,
        "e" * 16,
        "removed",
        "overruled: it is so",
    ):
        assert words in page, words
    assert "<b>mine</b>" not in page and "runs/&lt;b&gt;mine" in page
    assert "older than" not in page and "no line of its push" in page


def test_a_version_of_which_little_is_known_is_a_page_too():
    page = render_trace(
        Trace(7, "withdrawn", "?", {}, [answer("normal", "supervised")], [], {}, {}, {}, [])
    )
    assert "It was withdrawn" in page and "an unknown number of views" in page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_one_answer_and_is_accessible(browser, tmp_path, scheme):
    path = tmp_path / "trace.html"
    path.write_text(render_trace(TRACE))
    watched = Watched(browser.new_page(color_scheme=scheme))
    page = watched.page
    page.goto(path.as_uri())
    page.locator("[data-kind=answer][data-key=reshading]").click()
    assert page.locator("path.on").count() == 6
    assert page.locator(".box.on").count() == 1 + 2 + 2 + 1
    assert page.url.endswith("#reshading")
    page.locator("[data-kind=answer][data-key=reshading]").press("Enter")
    assert page.locator(".chosen").count() == 0
    assert_accessible(page, scheme)
    assert watched.complaints == [] and watched.requests == []
    page.close()
