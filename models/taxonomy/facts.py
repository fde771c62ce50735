"""The type of JSON content: the one place where a dictionary may hold anything."""

from __future__ import annotations

from typing import Any

# Keys are names; values are numbers, strings, None, and lists and dictionaries of these.
Facts = dict[str, Any]
