"""What a definition mentions, from its syntax."""

import ast
import sys

import pytest

from models.provenance.mentions import (
    local_names,
    mentions,
    plain_syntax,
    reading_of,
    written,
)
from models.provenance.sources import Module, path_of, syntax_of


def node(text: str) -> ast.stmt:
    (statement,) = ast.parse(text).body
    return statement


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
    assert reading_of(node("a.b.c + f().d"), Module("a")).attributes == {"b", "c", "d"}


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
        ("def f(a, s=s, *, t=t.u): return s", {"a"}),
        ("@v\ndef f():\n    v = w = 1", {"w"}),
        ("def f(A: A, b: 'b', *c: c, **d: d) -> e:\n    e = 1", set()),
        ("class A(x):\n    def f(self, x, y=y): ...", {"self"}),
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


def test_a_tree_is_written_alike_by_every_version_of_python():
    tree = node("def f(a, *, b=None):\n    return {**a, 'x': [None, ()]}")
    text = (
        "FunctionDef(name='f', args=arguments(posonlyargs=[], args=[arg(arg='a')], kwonlyargs="
        "[arg(arg='b')], kw_defaults=[Constant(value=None)], defaults=[]), body=[Return(value="
        "Dict(keys=[None, Constant(value='x')], values=[Name(id='a', ctx=Load()), List(elts="
        "[Constant(value=None), Tuple(elts=[], ctx=Load())], ctx=Load())]))], decorator_list=[])"
    )
    assert written(tree) == text
    # as a version has it that knows parameters of types
    tree._fields = (*[name for name in tree._fields if name != "type_params"], "type_params")
    tree.type_params = []
    assert written(tree) == text
    tree.type_params = [node("T").value]
    assert written(tree) != text


def test_a_format_is_written_without_empty_texts():
    tree = node("f'{a:{b}}'").value
    text = written(tree)
    tree.values[0].format_spec.values.append(ast.Constant(""))
    assert written(tree) == text and "Constant" not in text


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="its own `ast.dump` writes otherwise")
@pytest.mark.parametrize("module", ["models.tasks.targets", "models.provenance.mentions"])
def test_it_is_what_python_3_11_writes(module):
    tree = syntax_of(path_of(module))
    assert written(tree) == ast.dump(tree)
