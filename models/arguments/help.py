"""What `--help` says of an argument."""

from __future__ import annotations

import argparse
from argparse import SUPPRESS

from models.arguments.exact import ExactParser


class DefaultsFormatter(argparse.HelpFormatter):
    """HelpFormatter that adds the default of every option that has one, unless the option's text
    says it. argparse's ArgumentDefaultsHelpFormatter says None and False too, and nothing of an
    option without a text.
    """

    def _format_action(self, action: argparse.Action) -> str:
        text = action.help or ""
        value = action.default
        is_said = "default" in text or text is SUPPRESS
        # of a switch the default is that it was not given
        is_value = isinstance(value, (int, float, str)) and not isinstance(value, bool)
        if action.option_strings and is_value and not is_said and value not in ("", SUPPRESS):
            # texts have their per cent signs doubled
            note = f"default: {value}".replace("%", "%%")
            action.help = f"{text} ({note})" if text else note
        return super()._format_action(action)


class DefaultsParser(ExactParser):
    """ExactParser whose help is made by DefaultsFormatter, as a class for `add_subparsers`."""

    def _get_formatter(self) -> argparse.HelpFormatter:
        return DefaultsFormatter(prog=self.prog)
