"""A long run is many short processes, and ends with the first that broke something."""

from fuzz import run


def test_the_time_is_given_out_in_slices(monkeypatch):
    seen = []
    monkeypatch.setattr(run, "run_once", lambda name, seconds: seen.append((name, seconds)) or 0)
    assert run.run("json", 2 * run.SLICE + 30) == 0
    assert seen == [("json", run.SLICE), ("json", run.SLICE), ("json", 30)]


def test_what_breaks_ends_it(monkeypatch):
    codes = iter([0, 77, 0])
    monkeypatch.setattr(run, "run_once", lambda *_: next(codes))
    assert run.run("json", 3 * run.SLICE) == 77
    assert next(codes) == 0, "no process was begun after it"
