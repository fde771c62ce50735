"""What a tick of a schedule is told: all that decides about a run, and nothing of the schedule."""

import pytest

from tfx_pipeline.__main__ import main, parser
from tfx_pipeline.schedule import every
from tfx_pipeline.schedule.commands import OF_A_TICK, tick_words, with_paths

# Options about the schedule, or for one run alone (`check_once`).
NOT_OF_A_TICK = {
    *("every", "install", "to", "yes", "again", "force"),
    *("host", "file", "token_file", "parameter"),
}
WORDS = [
    *("schedule", "--every=6h", "--data", "my data/span-{SPAN}", "--install", "cron", "--yes"),
    *("--to", "x", "--set", "steps=3", "--beam=--direct_num_workers=4", "--set", "seed=1"),
    *("--hook=--every", "--run", "r", "--window", "3", "--config", "smoke", "--shards", "2,3"),
]


def test_a_tick_is_told_what_decides_about_a_run():
    told = tick_words(parser().parse_args(WORDS))
    again = parser().parse_args(told)
    asked = parser().parse_args(WORDS)
    assert {name: getattr(again, name) for name in OF_A_TICK} == {
        name: getattr(asked, name) for name in OF_A_TICK
    }
    plain = parser().parse_args(["schedule", "--data", "d"])
    assert all(getattr(again, name) == getattr(plain, name) for name in NOT_OF_A_TICK)


def test_every_option_is_of_a_tick_or_of_the_schedule():
    names = {*vars(parser().parse_args(["schedule", "--data", "d"]))}
    # which verb it is, and how it is run
    assert names - {"command", "action", "resumes"} == {*OF_A_TICK, *NOT_OF_A_TICK}


def test_elsewhere_paths_are_whole_and_a_store_is_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    there = parser().parse_args(with_paths(parser().parse_args(WORDS)))
    assert (there.data, there.run) == (f"{tmp_path}/my data/span-{{SPAN}}", tmp_path / "r")
    words = ["schedule", "--data", "gs://b/d", "--run", "r"]
    assert parser().parse_args(with_paths(parser().parse_args(words))).data == "gs://b/d"


@pytest.mark.parametrize("word", ["--eve", "--every"])
def test_a_tick_is_no_schedule(word, monkeypatch):
    """an abbreviated option, which was left among the words, made every tick a schedule."""
    told = []
    monkeypatch.setattr(every, "repeat", lambda words, seconds: told.append(words) or 0)
    words = ["schedule", "--data", "d-{SPAN}", "--run", "r", word, "3s"]
    if word == "--eve":
        with pytest.raises(SystemExit):
            main(words)
        assert not told
    else:
        assert main(words) == 0
        assert parser().parse_args(told[0]).every is None
