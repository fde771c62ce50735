"""Fills page templates. All contents are escaped, and a name that a template uses but does not get
is an error.
"""

from __future__ import annotations

from pathlib import Path

import jinja2

from models.reports import words

TEMPLATES = Path(__file__).parent / "templates"
FILTERS = ("title", "titles", "rate", "share", "count", "number", "plural", "sampled_units")


def drawn(template: str, /, **contents: object) -> str:
    """Returns the page of a template with its contents, as text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in FILTERS:
        environment.filters[name] = getattr(words, name)
    return environment.get_template(template).render(contents)
