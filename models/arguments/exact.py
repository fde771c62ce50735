"""Options by their full names."""

from __future__ import annotations

import argparse
from typing import Any


class ExactParser(argparse.ArgumentParser):
    """ArgumentParser that takes no abbreviated options: one that is misspelt is refused, not taken
    for another, and a later option cannot change what an earlier command line means.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **{"allow_abbrev": False, **keywords})
