"""A command ends in its own exit code, or in one line about what a person can mend."""

import pytest

from models.arguments.command import BAD_INPUT, UserError, error_text, run_command


class Held(UserError):
    """Another one is at it."""

    code = 75


def raising(error):
    def dispatch(words):
        raise error

    return dispatch


def test_the_words_reach_the_command_and_its_code_comes_back(monkeypatch):
    assert run_command(lambda words: len(words), ("a", "b")) == 2
    monkeypatch.setattr("sys.argv", ["program", "x", "y", "z"])
    assert run_command(lambda words: len(words), None) == 3


@pytest.mark.parametrize(
    "error, code, line",
    [
        (ValueError("expected 3,\n  got 4"), 1, "expected 3, got 4"),
        (UserError("mend it"), 1, "mend it"),
        (Held("another run is at it"), 75, "another run is at it"),
        (FileNotFoundError(2, "No such file or directory", "my  file"), 1, "my  file: No such"),
        (OSError("nobody answers"), 1, "nobody answers"),
        (ValueError(), 1, "ValueError"),
    ],
)
def test_bad_input_is_one_line(error, code, line, capsys):
    assert run_command(raising(error), ["verb"]) == code
    output = capsys.readouterr().err
    assert output.startswith(f"error: {line}") and output.count("\n") == 1


def test_what_is_not_among_the_errors_keeps_its_traceback():
    with pytest.raises(KeyError):
        run_command(raising(KeyError("nowhere")), [])
    with pytest.raises(ValueError, match="a defect"):
        run_command(raising(ValueError("a defect")), [], errors=(UserError,))
    assert run_command(raising(KeyError("nowhere")), [], errors=(*BAD_INPUT, LookupError)) == 1


def test_the_sentence_of_a_key_error_stands_without_quotes():
    assert error_text(KeyError("no task 'depht'")) == "no task 'depht'"
    assert error_text(KeyError()) == "KeyError"


def test_an_interrupted_verb_says_what_it_leaves(capsys):
    for verb, said in (("copy", "interrupted; a half is kept\n"), ("look", "interrupted\n")):
        run_command(raising(KeyboardInterrupt()), [verb], left={"copy": "a half is kept"})
        assert capsys.readouterr().err == said
