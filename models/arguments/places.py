"""Folders and files as arguments of a command. Each is a `type` of argparse's, and raises
ArgumentTypeError, which argparse tells with the argument's name.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def named_path(text: str) -> Path:
    """Returns the path of a folder or file; refuses an empty name."""
    return Path(named_place(text))


def named_place(text: str) -> str:
    """Returns a place as it was typed, also a pattern or one in an object store; refuses an empty
    one.
    """
    # the path of an empty name is the current folder, which nobody means who writes "$RUNS"
    if not text.strip():
        raise argparse.ArgumentTypeError(
            f"expected a path, got {text!r} (a variable that is not set?); . is the current folder"
        )
    return text
