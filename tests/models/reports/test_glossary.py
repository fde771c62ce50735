"""The words of the page."""

import re

import pytest

from models.reports.drawing import TEMPLATES
from models.reports.glossary import GLOSSARY


@pytest.mark.parametrize("key", GLOSSARY)
def test_a_word_has_an_anchor_and_a_meaning_in_sentences(key):
    word, meaning = GLOSSARY[key]
    assert re.fullmatch(r"[a-z0-9-]+", key) and word[0].isalnum()
    assert meaning.endswith(".") and meaning[0].isupper() and "  " not in meaning


def test_no_word_is_explained_twice():
    words = [word.lower() for word, _ in GLOSSARY.values()]
    assert len(set(words)) == len(words)


def test_what_templates_link_to_is_explained():
    texts = "".join(path.read_text() for path in TEMPLATES.rglob("*.html"))
    names = set(re.findall(r"term\(\s*[\"']([a-z0-9-]+)[\"']", texts))
    assert len(names) > 5 and names <= set(GLOSSARY)
