"""Runs a package's command: from the words that were typed to an exit code, with what a person can
mend told in one line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from models.arguments.endings import exit_code_of


class UserError(Exception):
    """Something that the person who typed the command can mend, as the message says. `code` is the
    exit code of the command that it ends.
    """

    code = 1


# What bad input raises; anything else is a defect of ours and keeps its traceback.
BAD_INPUT: tuple[type[Exception], ...] = (UserError, ValueError, OSError)


def run_command(
    dispatch: Callable[[list[str]], int],
    arguments: Sequence[str] | None,
    *,
    errors: tuple[type[Exception], ...] = BAD_INPUT,
    left: Mapping[str, str] | None = None,
) -> int:
    """Runs `dispatch` on the words of a command line and returns the process's exit code: that of
    `dispatch`, of an interruption (`endings.py`), or of an error.

    arguments: the words; None for those of this process. errors: types whose message is one line on
    stderr (`error_text`) and whose exit code is 1, or a UserError's own. left: verb -> what it
    leaves behind when it is interrupted, in words; verbs that are not in it leave nothing.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    left_behind = left.get(words[0], "") if left and words else ""
    try:
        return exit_code_of(lambda: dispatch(words), left_behind)
    except errors as error:
        print(f"error: {error_text(error)}", file=sys.stderr)
        return error.code if isinstance(error, UserError) else 1


def error_text(error: BaseException) -> str:
    """Returns an error's message in one line, with the file's name where it is about one."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    # str() of a KeyError is the repr of its key: a sentence would stand in quotes
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    lines = [line.strip() for line in str(text).splitlines()]
    return " ".join(line for line in lines if line) or type(error).__name__
