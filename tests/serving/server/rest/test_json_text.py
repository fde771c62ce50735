"""The words of a JSON body, by RapidJSON's rules."""

import gc
import math
import random
import re

import pytest

from serving.errors import ServingError
from serving.server.rest.json_text import LARGE_TEXT, is_suspect, parsed, shown, uncollected

SOUND = {
    "a byte order mark": (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
    "white space before it": (b' \t\r\n{"a": 1}', {"a": 1}),
    "text after the document": (b'{"a": 1} and more {', {"a": 1}),
    "the first of equal keys": (b'{"a": 1, "b": 2, "a": 3}', {"a": 1, "b": 2}),
    "Inf": (b'{"a": [Inf, -Inf, 1]}', {"a": [math.inf, -math.inf, 1]}),
    "Infinity": (b'{"a": [Infinity, -Infinity]}', {"a": [math.inf, -math.inf]}),
    "Inf in a text is a text": (
        b'{"a": ["x Inf \\" -NaN", Inf]}',
        {"a": ['x Inf " -NaN', math.inf]},
    ),
    "the largest double": (b'{"a": 1.7976931348623157e+308}', {"a": 1.7976931348623157e308}),
    "too small a number is none": (b'{"a": 1e-400}', {"a": 0.0}),
    "a whole surrogate pair": (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    "an escaped backslash": (b'{"a": "\\\\ud83d"}', {"a": "\\ud83d"}),
    "a small number of many digits": (b'{"a": 0.' + b"0" * 300 + b"1e99}", {"a": 1e-202}),
    "a large double beside a whole number": (b'{"a": [1e100, 7]}', {"a": [1e100, 7]}),
    "an empty object": (b"{}", {}),
}
BROKEN = {
    "nothing": (b"", "The document is empty"),
    "white space alone": (b" \n", "The document is empty"),
    "half an object": (b"{", "JSON Parse error"),
    "a number with a leading zero": (b'{"a": 01}', "JSON Parse error"),
    "a number too big for a double": (b'{"a": 1e400}', "Number too big"),
    "digits too many for a double": (b'{"a": ' + b"9" * 400 + b"}", "Number too big"),
    "digits and an exponent of two": (b'{"a": 1' + b"0" * 250 + b"e99}", "Number too big"),
    "an exponent with leading zeros": (b'{"a": 1e0309}', "Number too big"),
    "digits, a fraction and an exponent": (
        b'{"a": -1' + b"0" * 210 + b".0E+99}",
        "Number too big",
    ),
    "digits too many for Python": (b'{"a": ' + b"9" * 5000 + b"}", "JSON Parse error"),
    "half of a surrogate pair": (b'{"a": "\\ud83d"}', "surrogate pair"),
    "half of one in a key": (b'{"\\udc00": 1}', "surrogate pair"),
    "no UTF-8": (b'{"a": "\xff"}', "Invalid encoding"),
    "a control character in a text": (b'{"a": "\x01"}', "JSON Parse error"),
    "very deep": (b'{"a": ' + b"[" * 100_000, "JSON Parse error"),
    "a list": (b"[1]", "Is not object"),
    "a name that is a number": (b'{"signature_name": 1}', "'signature_name' key must be a string"),
    "Info is no number": (b'{"a": Info}', "JSON Parse error"),
}


@pytest.mark.parametrize("name", SOUND)
def test_words_are_read_as_the_original_reads_them(name):
    body, content = SOUND[name]
    assert parsed(body) == content


def test_nan_is_read_with_either_sign():
    assert all(math.isnan(number) for number in parsed(b'{"a": [NaN, -NaN]}')["a"])


@pytest.mark.parametrize("name", BROKEN)
def test_broken_words_are_refused_with_400(name):
    body, words = BROKEN[name]
    with pytest.raises(ServingError, match=words) as error:
        parsed(body)
    assert error.value.http == 400 and len(str(error.value)) <= 1100


def test_examples_take_the_last_of_equal_keys():
    assert parsed(b'{"a": {"x": 1, "x": 2}}')["a"].last == {"x": 2}


def test_a_value_is_shown_short():
    assert len(shown(list(range(10_000)))) < 300 and shown({"a": None}) == '{"a": null}'
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert shown(deep) == "Array"


def test_numbers_that_may_be_too_big_are_found_as_by_an_expression():
    expression = re.compile(r"[eE]\+?[0-9]{3}|[0-9]{200}")
    draw = random.Random(0)
    pieces = ["e", "E", "+", "-", ".", "1", "20", "é", "[", "9" * 100, "8" * 199, "1" * 200]
    for _ in range(3000):
        text = "".join(draw.choices(pieces, k=draw.randrange(1, 8)))
        assert is_suspect(text.encode(), text) == bool(expression.search(text)), text


@pytest.mark.parametrize("end, is_sound", [(b"]}", True), (b"}", False)])
def test_the_collector_does_not_walk_through_a_large_text_of_lists(end, is_sound):
    """it took four fifths of the time of 24 MB of them, in which no other thread ran."""
    runs = []

    def note(phase: str, facts: dict[str, int]) -> None:
        runs.append(phase)

    body = b'{"a": [' + b"[]," * (LARGE_TEXT // 3) + b"[]" + end
    gc.collect()
    gc.callbacks.append(note)
    try:
        if is_sound:
            content = parsed(body)
        else:
            with pytest.raises(ServingError, match="JSON Parse error"):
                parsed(body)
    finally:
        gc.callbacks.remove(note)
    assert gc.isenabled() and len(runs) < 20, "hundreds while it is on"
    assert not is_sound or len(content["a"]) == LARGE_TEXT // 3 + 1


def test_the_collector_stays_as_it_was_until_the_last_one_is_out():
    first, second = uncollected(), uncollected()
    with first:
        second.__enter__()
    assert not gc.isenabled(), "the second is inside"
    second.__exit__(None, None, None)
    assert gc.isenabled()
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
