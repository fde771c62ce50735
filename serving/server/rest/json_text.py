"""Reads the JSON object of a request, by the rules of RapidJSON, TensorFlow Serving's parser, where
they differ from Python's.

What follows the document is ignored; of two equal keys the first counts; `Inf`, `Infinity`, `NaN`
are numbers, with or without a sign; a number too big for a double and half of a surrogate pair are
refused. Most bodies need none of it, so the quick parser goes first.
"""

from __future__ import annotations

import gc
import json
import math
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from serving.errors import ServingError, invalid

Json = Any  # what json.loads makes: None, bool, int, float, str, list, dict
BLANK = " \t\n\r"
# Tokens of numbers that Python's parser lacks; strings are passed over.
# whole strings are matched, so that the letters inside them stay as they are
TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"?|-?Inf(?:inity)?\b|-NaN\b', re.DOTALL)
# Numbers that may be too big for a double: an exponent of three digits, or nearly as many digits as
# a double has at most, or half as many beside an exponent of two. Only then each number is looked
# at. Without three digits of exponent a number of fewer than 200 digits in a row is below 1e300.
LONG_EXPONENT = re.compile(r"[eE]\+?\d{3}")
LONG_NUMBER = b"0" * 200
# every digit as 0, every other byte as a blank: an expression of 300 digits takes as long as the
# parser
DIGITS = bytes(0x30 if 0x30 <= byte <= 0x39 else 0x20 for byte in range(256))
# an escape of a surrogate: Python's parser takes half a pair
HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
TYPE_NAMES = {
    type(None): "Null",
    dict: "Object",
    list: "Array",
    str: "String",
    int: "Number",
    float: "Number",
}
LARGE_TEXT = 1 << 20  # characters of which the collector's pauses are felt
LONGEST_VALUE = 256  # characters of a value in an error's text


class Members(dict[str, Json]):
    """An object with a key that comes more than once. As a dict it holds the first value of each
    key; last: holds the last one, which examples take.
    """

    last: dict[str, Json]


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    # nearly always: no key comes twice
    if len(members) == len(pairs):
        return members
    repeated = Members()
    for key, value in pairs:
        # RapidJSON's first value counts
        repeated.setdefault(key, value)
    repeated.last = members
    return repeated


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("Number too big to be stored in double.")
    return number


def _integer(text: str) -> int:
    number = int(text)
    # before `float`, which raises for what is larger
    if number.bit_length() > 1024 or math.isinf(float(number)):
        raise ValueError("Number too big to be stored in double.")
    return number


QUICK = json.JSONDecoder(object_pairs_hook=_members)
CAREFUL = json.JSONDecoder(object_pairs_hook=_members, parse_float=_float, parse_int=_integer)


def parsed(body: bytes) -> dict[str, Json]:
    """Returns the JSON object of a request. Raises INVALID_ARGUMENT."""
    content = _document(body)
    if not isinstance(content, dict):
        raise invalid(f"JSON Value: {shown(content)} Is not object")
    if not isinstance(content.get("signature_name", ""), str):
        raise invalid(
            f"JSON Value: {shown(content)} not formatted correctly. 'signature_name' key must be "
            "a string value."
        )
    return content


def _document(body: bytes) -> Json:
    try:
        # the byte order mark and blanks before the document are skipped by the original, too
        text = body.decode("utf-8-sig").lstrip(BLANK)
    except UnicodeDecodeError as error:
        raise parse_error(f"Invalid encoding in string. {error}") from error
    if not text:
        raise parse_error("The document is empty")
    if is_suspect(body, text):
        decode: Callable[[str], tuple[Json, int]] = CAREFUL.raw_decode
    else:
        # the parser in C: the other calls Python for every number
        decode = QUICK.raw_decode
    try:
        with uncollected() if len(text) > LARGE_TEXT else nullcontext():
            content = _decoded(text, decode)
        # text first: without an escape of half a pair there is nothing to look for
        if HALF_PAIR.search(text):
            check_pairs(content)
    except UnicodeEncodeError as error:
        raise parse_error("The surrogate pair in string is invalid.") from error
    except (ValueError, RecursionError, OverflowError) as error:
        raise parse_error(str(error)) from error
    return content


def is_suspect(body: bytes, text: str) -> bool:
    """Returns whether a number in the text may be too big for a double. text: the body, decoded."""
    return LONG_EXPONENT.search(text) is not None or LONG_NUMBER in body.translate(DIGITS)


class Uncollected:
    """Stops Python's collector while one thread or more are inside: JSON makes no cycles, and
    millions of new lists would be walked through again and again.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.was_enabled = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self.lock:
            if not self.inside:
                self.was_enabled = gc.isenabled()
                gc.disable()
            self.inside += 1
        try:
            yield
        finally:
            with self.lock:
                self.inside -= 1
                # the last one out, and only what was on before the first came
                if not self.inside and self.was_enabled:
                    gc.enable()


uncollected = Uncollected()


def _decoded(text: str, decode: Callable[[str], tuple[Json, int]]) -> Json:
    # Python's parser knows `NaN` and `Infinity`; only what it refuses is looked at for other
    # spellings
    try:
        return decode(text)[0]
    except json.JSONDecodeError:
        respelled = TOKENS.sub(_respelled, text)
        # nothing was respelled: the text is broken in another way
        if respelled == text:
            raise
    return decode(respelled)[0]


def _respelled(match: re.Match[str]) -> str:
    """Returns a token as Python's parser knows it."""
    token = match[0]
    if token.startswith('"'):
        return token
    if token == "-NaN":
        return "NaN"
    return "-Infinity" if token.startswith("-") else "Infinity"


def check_pairs(content: Json) -> None:
    """Raises UnicodeEncodeError for half of a surrogate pair, in a text or a key."""
    # half a pair has no UTF-8
    json.dumps(content, ensure_ascii=False).encode()


def parse_error(words: str) -> ServingError:
    return invalid(f"JSON Parse error: {words}")


def type_name(value: Json) -> str:
    """Returns RapidJSON's name of a value's type."""
    # RapidJSON has types True and False
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, dict):
        return "Object"
    return TYPE_NAMES[type(value)]


def shown(value: Json) -> str:
    """Returns a value as an error's text has it: its JSON, cut."""
    # cut before writing: a value may be a million numbers
    while isinstance(value, list) and len(value) > LONGEST_VALUE:
        value = value[:LONGEST_VALUE]
    try:
        text = json.dumps(value)
    except RecursionError:
        text = type_name(value)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "..."
