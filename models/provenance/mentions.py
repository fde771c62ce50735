"""What one definition mentions: names that it reads and does not bind itself, and attributes."""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Iterator, Mapping
from typing import TypeGuard, cast

from models.provenance.sources import is_docstring

# A name, and the attributes after it: `a.b.c` is ("a", ("b", "c")).
Mention = tuple[str, tuple[str, ...]]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def mentions(node: ast.AST) -> Iterator[Mention]:
    """every name that is read."""
    chain = _chain(node) if isinstance(node, ast.Attribute) else None
    if chain is not None:
        yield chain
        return
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Load):
            yield node.id, ()
        return
    for child in ast.iter_child_nodes(node):
        if _is_quoted_annotation(child, node):
            yield str(child.value), ()
        yield from mentions(child)


def attributes(node: ast.AST) -> set[str]:
    """every `.name` that stands in it."""
    return {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


@functools.lru_cache(maxsize=1024)  # addresses ask the same few classes again and again
def functions_in(node: ast.AST) -> Mapping[str, tuple[ast.FunctionDef, ...]]:
    """name -> the functions (methods, properties) of that name in a class."""
    found: dict[str, tuple[ast.FunctionDef, ...]] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef):
            found[part.name] = (*found.get(part.name, ()), part)
    return found


def _chain(node: ast.Attribute) -> Mention | None:
    """`a.b.c`; None where it does not begin with a name (`f().b`)."""
    names = [node.attr]
    base = node.value
    while isinstance(base, ast.Attribute):
        names.append(base.attr)
        base = base.value
    return (base.id, tuple(reversed(names))) if isinstance(base, ast.Name) else None


def _is_quoted_annotation(child: ast.AST, node: ast.AST) -> TypeGuard[ast.Constant]:
    """is `child` of `node` an annotation such as `"LabelStore"`? Other texts name nothing."""
    annotations = (getattr(node, "annotation", None), getattr(node, "returns", None))
    return (
        any(child is annotation for annotation in annotations)
        and isinstance(child, ast.Constant)
        and isinstance(child.value, str)
        and child.value.isidentifier()
    )


def local_names(node: ast.AST) -> set[str]:
    """names that are bound wherever they are mentioned: parameters and local variables. Of a class,
    those of its methods that nothing else in it mentions.
    """
    if isinstance(node, Function):
        return _bound_in(node)
    if not isinstance(node, ast.ClassDef):
        return set()
    bound: set[str] = set()
    free: set[str] = set()
    for part in node.body:
        own = _bound_in(part) if isinstance(part, Function) else set()
        bound |= own
        free |= {base for base, _ in mentions(part)} - own
    return bound - free


def _bound_in(function: Function) -> set[str]:
    """parameters and assigned names of a function, its inner functions' included."""
    names = {part.arg for part in ast.walk(function) if isinstance(part, ast.arg)}
    declared: set[str] = set()
    for part in ast.walk(function):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            names.add(part.id)
        elif isinstance(part, ast.Global):
            declared |= set(part.names)
    return names - declared


def plain_syntax(node: ast.AST) -> str:
    """the node as text, without docstrings, annotations of functions, and places: what formatting,
    comments and words do not change.
    """
    return ast.dump(_plain(node))


def _plain(node: ast.AST) -> ast.AST:
    """the node without what changes no result; itself where that is all of it. What changes is a
    copy, since all closures share the tree.
    """
    changed: dict[str, object] = {}
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            if (part := _plain(value)) is not value:
                changed[name] = part
        elif isinstance(value, list):
            parts = [_plain(part) if isinstance(part, ast.AST) else part for part in value]
            if any(new is not old for new, old in zip(parts, value)):
                changed[name] = parts
    if isinstance(node, (ast.ClassDef, Function)):
        body = cast("list[ast.stmt]", changed.get("body", node.body))
        # a body that was a docstring alone would be empty, which is no syntax
        changed["body"] = [part for part in body if not is_docstring(part)] or [ast.Pass()]
    if isinstance(node, Function):
        changed["returns"] = None
    if isinstance(node, ast.arg):
        changed["annotation"] = None
    return _with(node, changed) if changed else node


def _with(node: ast.AST, changed: Mapping[str, object]) -> ast.AST:
    """a copy with other fields."""
    twin = copy.copy(node)
    for name, value in changed.items():
        setattr(twin, name, value)
    return twin
