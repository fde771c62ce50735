"""A run in a few lines for a terminal."""

from made_run import files, write_run

from models.reports.summary import summary


def test_the_summary_names_what_to_buy_and_what_that_gives(tmp_path):
    text = summary(write_run(tmp_path))
    assert "buy       labels of" in text
    assert "by transfer: quality" in text
    assert "random policies" in text


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
