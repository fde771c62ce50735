"""What a definition mentions, from its syntax."""

import ast

import pytest

from models.provenance.mentions import attributes, local_names, mentions, plain_syntax


def node(text: str) -> ast.stmt:
    (found,) = ast.parse(text).body
    return found


@pytest.mark.parametrize(
    "text, found",
    [
        ("a", {("a", ())}),
        ("a.b.c", {("a", ("b", "c"))}),
        ("f(a.b)[c]", {("f", ()), ("a", ("b",)), ("c", ())}),
        ("f().b", {("f", ())}),
        ("a = b", {("b", ())}),
        ("x: 'LabelStore' = 1", {("LabelStore", ())}),
        ("x = 'LabelStore'", set()),
        ("x: 'two words' = 1", set()),
        ("def f() -> 'Store': ...", {("Store", ())}),
    ],
)
def test_names_that_are_read_are_mentioned(text, found):
    assert set(mentions(node(text))) == found


def test_attributes_are_all_that_stand_after_a_point():
    assert attributes(node("a.b.c + f().d")) == {"b", "c", "d"}


@pytest.mark.parametrize(
    "text, bound",
    [
        ("def f(a, *b, c=1, **d): e = a", {"a", "b", "c", "d", "e"}),
        ("def f():\n    global g\n    g = 1", set()),
        ("def f():\n    def inner(x):\n        y = x\n    return inner", {"x", "y"}),
        ("class A:\n    def f(self, x):\n        return x", {"self", "x"}),
        ("class A:\n    y = x\n    def f(self, x):\n        return x", {"self"}),
        ("a = 1", set()),
        ("def f():\n    g()\n    return [g for g in x]", set()),
        ("def f():\n    h = lambda g: g\n    return h(g())", {"h"}),
        ("def f(g):\n    return [g for g in x]", {"g"}),
    ],
)
def test_names_that_a_definition_binds_are_its_own(text, bound):
    assert local_names(node(text)) == bound


def test_words_and_annotations_are_no_syntax():
    plain = plain_syntax(node("def f(a):\n    return a + 1"))
    same = 'def f(a: int) -> int:\n    """Adds."""\n    # why\n    return (a  +  1)'
    assert plain_syntax(node(same)) == plain
    for other in ("def f(a):\n    return a + 2", "def f(b):\n    return b + 1"):
        assert plain_syntax(node(other)) != plain


def test_an_annotation_of_a_variable_is_no_syntax():
    assert plain_syntax(node("X: int = 1")) == plain_syntax(node("X = 1"))
    plain = plain_syntax(node("def f(a):\n    b = a\n    return b"))
    assert plain_syntax(node("def f(a):\n    b: int = a\n    return b")) == plain
    assert plain_syntax(node("class A:\n    x: int = 1")) != plain_syntax(
        node("class A:\n    x = 1")
    )


def test_a_class_keeps_its_fields_types():
    """an annotation of a dataclass makes a field; one of a parameter changes nothing."""
    assert plain_syntax(node("class A:\n    x: int")) != plain_syntax(node("class A:\n    y: int"))
    with_words = plain_syntax(node('class A:\n    """Words."""'))
    assert with_words == plain_syntax(node("class A:\n    pass"))
