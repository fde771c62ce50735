"""A value's digest follows from the value alone."""

import pytest

from models.provenance.digest import digest_of


def test_the_order_of_keys_is_no_part_of_a_value():
    assert digest_of({"a": 1, "b": [2, 3]}) == digest_of({"b": [2, 3], "a": 1})
    assert digest_of((1, 2)) == digest_of([1, 2]), "JSON knows one kind of list"


@pytest.mark.parametrize("other", [{"a": 2}, {"b": 1}, {"a": "1"}, {"a": [1]}, [["a", 1]], None])
def test_another_value_has_another_digest(other):
    assert digest_of(other) != digest_of({"a": 1})


def test_it_is_sha_256_of_the_json_in_every_process():
    assert digest_of({"a": 1}) == "f9d86028c6e0d64e"


def test_what_json_does_not_know_is_refused():
    with pytest.raises(TypeError):
        digest_of({"a": object()})
