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
