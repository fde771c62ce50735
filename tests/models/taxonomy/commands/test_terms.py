"""Every word of the tables has its sentence, in 80 columns."""

from models.taxonomy.commands.terms import TERMS, foot


def test_every_term_is_explained_within_80_columns():
    text = foot(*TERMS)
    assert all(f"  {name}: " in text for name in TERMS)
    assert max(map(len, text.splitlines())) <= 80
