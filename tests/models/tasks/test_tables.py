"""A table that is not complete ends the import."""

import pytest

from models.tasks.tables import complete


def test_rows_come_back_in_the_order_of_the_names():
    assert list(complete("a colour", ["red", "blue"], {"blue": 2, "red": 1}).items()) == [
        ("red", 1),
        ("blue", 2),
    ]


@pytest.mark.parametrize(
    "rows, message",
    [
        ({"red": 1}, "a colour: .* red, blue; missing: blue; unknown: none"),
        ({"red": 1, "blue": 2, "green": 3}, "missing: none; unknown: green"),
    ],
)
def test_a_row_missing_or_too_many_is_refused_by_name(rows, message):
    with pytest.raises(ValueError, match=message):
        complete("a colour", ["red", "blue"], rows)
