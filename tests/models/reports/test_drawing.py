"""Pages from templates."""

import jinja2
import pytest

from models.reports import drawing
from models.reports.drawing import FILTERS, drawn


@pytest.fixture
def templates(tmp_path, monkeypatch):
    monkeypatch.setattr(drawing, "TEMPLATES", tmp_path)
    return tmp_path


def test_what_is_put_in_is_escaped(templates):
    (templates / "a.html").write_text("<p>{{ words }}</p>")
    assert drawn("a.html", words="<script>&") == "<p>&lt;script&gt;&amp;</p>"


def test_what_a_template_asks_for_must_be_there(templates):
    (templates / "a.html").write_text("{{ absent }}")
    with pytest.raises(jinja2.UndefinedError, match="absent"):
        drawn("a.html")
    with pytest.raises(jinja2.TemplateNotFound):
        drawn("none.html")


@pytest.mark.parametrize("name", FILTERS)
def test_words_are_filters(templates, name):
    (templates / "a.html").write_text("{% if false %}{{ 1 | " + name + " }}{% endif %}whole")
    assert drawn("a.html") == "whole", "an unknown filter would be an error"


def test_every_template_of_the_room_can_be_read():
    environment = jinja2.Environment()
    for name in FILTERS:
        environment.filters[name] = str
    names = sorted(path.name for path in drawing.TEMPLATES.rglob("*.html"))
    assert names
    for path in drawing.TEMPLATES.rglob("*.html"):
        environment.parse(path.read_text())
