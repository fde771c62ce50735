"""What was derived from the sources is derived once, and never taken for that of other sources."""

import os

import pytest

from models.provenance import digest_notes, sources
from models.provenance.closure import forget
from models.provenance.digest_notes import STATES, noted


@pytest.fixture
def module(tmp_path, monkeypatch):
    """a module of a repository that has the folder for notes."""
    (tmp_path / "models" / "provenance").mkdir(parents=True)
    path = tmp_path / "models" / "work.py"
    path.write_text("A = 1\n")
    monkeypatch.setattr(sources, "REPOSITORY", tmp_path)
    forget()
    yield path
    forget()


def later(question, answer):
    """what a process that starts now is told; `answer` where it had to derive."""
    forget()
    return noted(question, lambda: answer)


def files(module):
    return list((module.parent / "provenance" / "__pycache__").glob("*"))


def test_a_later_process_is_told_what_an_earlier_one_derived(module):
    assert later(["a"], {"digest": "first"}) == {"digest": "first"}
    assert later(["b"], ["second"]) == ["second"]
    assert later(["a"], "anew") == {"digest": "first"} and later(["b"], "anew") == ["second"]


def test_an_edit_is_seen_even_one_of_the_same_size_and_time(module):
    later(["a"], "first")
    times = module.stat()
    module.write_text("A = 2\n")
    os.utime(module, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert later(["a"], "of the edit") == "of the edit"
    module.write_text("A = 1\n")
    assert later(["a"], "anew") == "first"


def test_what_build_declares_and_the_code_that_derives_count(module, monkeypatch):
    later(["a"], "first")
    (sources.REPOSITORY / "BUILD").write_text("data = glob([])")
    assert later(["a"], "with BUILD") == "with BUILD"
    monkeypatch.setattr(digest_notes, "_deriving", lambda: "other code")
    assert later(["a"], "by other code") == "by other code"


def test_an_answer_that_was_derived_across_an_edit_is_not_noted(module):
    def derive():
        module.write_text("A = 12345\n")
        return "of either"

    assert noted(["a"], derive) == "of either"
    module.write_text("A = 1\n")
    assert later(["a"], "anew") == "anew"


def test_a_damaged_row_is_derived_again_and_the_others_stay(module):
    later(["a"], "first")
    later(["b"], "second")
    (file,) = files(module)
    file.write_bytes(file.read_bytes().replace(b"first", b"worst") + b'0 ["c"')
    assert later(["a"], "anew") == "anew" and later(["b"], "anew") == "second"


def test_notes_of_a_few_states_are_kept(module):
    for number in range(STATES + 3):
        module.write_text(f"A = {number}\n")
        later(["a"], number)
    assert len(files(module)) == STATES
    assert later(["a"], "anew") == STATES + 2


def test_where_nobody_may_write_it_is_derived(module):
    (module.parent / "provenance" / "__pycache__").write_text("no folder")
    assert later(["a"], "first") == "first" and later(["a"], "anew") == "anew"


def test_a_question_that_has_no_answer_is_asked_again(module):
    def derive():
        raise LookupError("no such definition")

    with pytest.raises(LookupError):
        noted(["a"], derive)
    assert later(["a"], "first") == "first"
