"""A run in a few lines for a terminal."""

from made_run import files, write_run

from models.reports import write_report
from models.reports.summary import buying_words, summary


def test_the_summary_names_what_to_buy_and_what_that_gives(tmp_path):
    text = summary(write_run(tmp_path))
    assert "buy       labels of" in text
    assert "by transfer: quality" in text
    assert "random policies" in text


def test_what_has_no_labels_is_taken_and_not_bought():
    assert buying_words(["normal", "reshading"]) == "labels of 2 tasks: normal, reshading"
    said = buying_words(["normal", "random_projection"])
    assert said == "labels of 1 task: normal; take random_projection too, without labels"


def test_a_run_without_a_policy_says_so(tmp_path):
    assert "no policy was solved" in summary(write_run(tmp_path, files() | {"taxonomies": []}))


def test_the_summary_says_both_programs(tmp_path):
    text = summary(write_run(tmp_path))
    assert "without   networks from scratch on offer: " in text
    assert "with      networks from scratch on offer: " in text


def test_pictures_that_did_not_choose_a_policy_judge_it_where_there_are_some(tmp_path):
    content = files()
    scores = {"gain": 0.5, "quality": 0.125, "transferred": 0.1}
    rows = [{"scratch": scratch, **scores, "in_sample": scores} for scratch in (False, True)]
    content["evidence"]["crossfit"] = rows
    assert summary(write_run(tmp_path, content)).count("that did not choose it 0.12") == 2


def test_networks_of_shares_of_the_labels_are_said_where_there_are_some(tmp_path):
    content = files()
    row = {"views": 1440, "targets": 22, "quality": 0.375, "low": 0.25, "high": 0.5}
    supervised = {"targets": [], "mean": [row]}
    content["evidence"]["amounts"] = {"curves": {"targets": [], "supervised": supervised}}
    text = summary(write_run(tmp_path, content))
    assert "labels    supervised by fewer of them, mean over 22 targets" in text
    assert "0.38 (0.25 to 0.50) of 1,440 views" in text
    assert "labels    supervised" not in summary(write_run(tmp_path / "none"))


def served_facts():
    measured = {"gain": 0.5, "quality": 0.25, "transferred": 0.125, "saved": 0.1}
    served = {"gain": 0.75, "quality": 0.375, "transferred": 0.31, "saved": 0.2}
    edge = {
        "target": "reshading",
        "sources": ["normal"],
        "measured": {"quality": 0.11, "gain": 0.5, "loss": 0.3},
        "served": {"quality": 0.22, "gain": 0.5, "loss": 0.2},
    }
    apart = {"measured": measured, "served": {**served, "quality": 0.36}, "shared": 0.75}
    return {"edges": [edge], "measured": measured, "served": served, "crossfit": apart}


def test_transfers_that_decide_are_told_apart_from_those_with_fewer_labels(tmp_path):
    assert "measured  75 transfers among 5 tasks" in summary(write_run(tmp_path))
    content = files()
    content["evidence"]["transfers"] = 100
    text = summary(write_run(tmp_path, content))
    assert "measured  100 transfers (75 decide, 25 learned from fewer labels) among 5" in text


def test_a_policy_as_served_stands_beside_the_one_measured(tmp_path):
    content = files()
    content["evidence"]["served"] = served_facts()
    folder = write_run(tmp_path, content)
    assert (
        "as served by the 1 exported edges: quality 0.38, 20 % of the labels saved (as measured "
        "0.25, 10 %); on pictures that did not choose the policy 0.36, 20 %" in summary(folder)
    )
    page = write_report(folder).read_text()
    assert "75 % of the transfers" in page and "0.38 (0.36)" in page and "20 % (20 %)" in page


def test_a_policy_that_was_judged_on_no_halves_says_what_it_knows(tmp_path):
    content = files()
    content["evidence"]["served"] = {**served_facts(), "crossfit": None}
    folder = write_run(tmp_path, content)
    assert summary(folder).count("as served by") == 1 and "not choose the" not in summary(folder)
    assert "0.38</td>" in write_report(folder).read_text()
