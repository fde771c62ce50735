"""Finds what one definition mentions: names that it reads and does not bind itself, and
attributes.
"""

from __future__ import annotations
import __future__ as futures

import ast
import copy
import dis
import functools
import types
from collections.abc import Container, Iterator, Mapping
from typing import TypeGuard, cast

from models.provenance.sources import PARSING, is_docstring

# A name, and the attributes after it: `a.b.c` is ("a", ("b", "c")).
Mention = tuple[str, tuple[str, ...]]
# How the compiler says that a name is the module's (the third: in classes, from 3.12 on).
LOOK_UPS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS", "DELETE_GLOBAL")
Function = ast.FunctionDef | ast.AsyncFunctionDef
# Nodes that have names of their own inside a definition.
SCOPES = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


def mentions(node: ast.AST) -> Iterator[Mention]:
    """Yields every name that is read, with the attributes after it."""
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
    """Returns every `.name` that stands in a node."""
    return {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


@functools.lru_cache(maxsize=1024)  # addresses ask the same few classes again and again
def functions_in(node: ast.AST) -> Mapping[str, tuple[ast.FunctionDef, ...]]:
    """Returns name -> the functions (methods, properties) of that name in a class."""
    functions: dict[str, tuple[ast.FunctionDef, ...]] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef):
            functions[part.name] = (*functions.get(part.name, ()), part)
    return functions


def _chain(node: ast.Attribute) -> Mention | None:
    """Returns the mention in `a.b.c`; None where it does not begin with a name (`f().b`)."""
    names = [node.attr]
    base = node.value
    while isinstance(base, ast.Attribute):
        names.append(base.attr)
        base = base.value
    return (base.id, tuple(reversed(names))) if isinstance(base, ast.Name) else None


def _is_quoted_annotation(child: ast.AST, node: ast.AST) -> TypeGuard[ast.Constant]:
    """Returns whether `child` of `node` is an annotation such as `"LabelStore"`. Other texts name
    nothing.
    """
    annotations = (getattr(node, "annotation", None), getattr(node, "returns", None))
    return (
        any(child is annotation for annotation in annotations)
        and isinstance(child, ast.Constant)
        and isinstance(child.value, str)
        and child.value.isidentifier()
    )


def local_names(node: ast.AST, module: Container[str] | None = None) -> set[str]:
    """Returns the names that are bound wherever they are mentioned: parameters and local variables.
    A name that another scope of the definition reads from the module (`g` in `g() + (lambda g:
    g)(1)`) is not among them. module: the names that it has, where no others matter.
    """
    if isinstance(node, Function):
        bound = _bound_in(node) - _read_outside(node)
        # compiling takes most of the time of an address, and few local names are a module's, too
        if module is not None and not any(name in module for name in bound):
            return bound
        inner = (part for part in ast.walk(node) if isinstance(part, SCOPES) and part is not node)
        # in one scope alone a name is the function's or the module's everywhere
        return bound - read_from_module(node) if next(inner, None) else bound
    if not isinstance(node, ast.ClassDef):
        return set()
    bound = set()
    for part in node.body:
        bound |= _bound_in(part) - _read_outside(part) if isinstance(part, Function) else set()
    return bound - read_from_module(node)


def read_from_module(node: Function | ast.ClassDef) -> set[str]:
    """Returns the names that the compiler looks up in the module, or among built-ins; for a class
    also those of its own body. Annotations are not among them.
    """
    with PARSING:
        code = compile(
            ast.Module([node], []),
            "<definition>",
            "exec",
            flags=futures.annotations.compiler_flag,
            dont_inherit=True,
        )
    return set(_looked_up(code))


def _looked_up(code: types.CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in LOOK_UPS:
            yield instruction.argval
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield from _looked_up(part)


def _bound_in(function: Function) -> set[str]:
    """Returns the parameters and assigned names of a function, its inner functions' included."""
    names = {part.arg for part in ast.walk(function) if isinstance(part, ast.arg)}
    declared: set[str] = set()
    for part in ast.walk(function):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            names.add(part.id)
        elif isinstance(part, ast.Global):
            declared |= set(part.names)
    return names - declared


def _read_outside(function: Function) -> set[str]:
    """Returns the names in what is evaluated where a function stands, not inside of it: defaults,
    decorators, annotations. There a parameter's name is that of something else (`def
    f(sigma=sigma)`).
    """
    signature = function.args
    arguments = [
        *signature.posonlyargs,
        *signature.args,
        *signature.kwonlyargs,
        signature.vararg,
        signature.kwarg,
    ]
    parts = [
        *function.decorator_list,
        *signature.defaults,
        *signature.kw_defaults,
        function.returns,
        *(each.annotation for each in arguments if each is not None),
    ]
    # as an annotation: one may be a name in quotes
    named = (ast.arg("", part) for part in parts if isinstance(part, ast.expr))
    return {base for part in named for base, _ in mentions(part)}


def plain_syntax(node: ast.AST) -> str:
    """Returns the node as text, without docstrings, annotations (but those of a class's fields),
    and places, so that formatting, comments and words do not change it.
    """
    return written(_plain(node))


def written(value: object) -> str:
    """Returns a tree as `ast.dump` of Python 3.11 writes it, under every version: from 3.12 on
    definitions have type parameters, some of 3.12 put empty texts into formats, and 3.13 leaves
    empty lists out. The same code has the same address.
    """
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, ast.JoinedStr):
        return f"JoinedStr(values={written([part for part in value.values if not is_empty(part)])})"
    if not isinstance(value, ast.AST):
        return repr(value)
    fields = [
        f"{name}={written(part)}"
        for name, part in ast.iter_fields(value)
        # an optional field that is left out
        if not (part is None and getattr(type(value), name, ...) is None)
        and not (name == "type_params" and part == [])
    ]
    return f"{type(value).__name__}({', '.join(fields)})"


def is_empty(part: ast.expr) -> bool:
    """Returns whether a part is an empty text."""
    return isinstance(part, ast.Constant) and part.value == ""


def _plain(node: ast.AST) -> ast.AST:
    """Returns the node without what changes no result; the same node where nothing is left out.
    What changes is a copy, since all closures share the tree.
    """
    if isinstance(node, ast.AnnAssign) and node.value is not None and node.simple:
        # a simple target is a name, which has nothing to leave out
        return ast.Assign([node.target], cast("ast.expr", _plain(node.value)))
    changed: dict[str, object] = {}
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            if (part := _plain(value)) is not value:
                changed[name] = part
        elif isinstance(value, list):
            parts = [
                # an annotation makes a field of a dataclass
                part if not isinstance(part, ast.AST) or _is_field(part, node) else _plain(part)
                for part in value
            ]
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


def _is_field(part: ast.AST, node: ast.AST) -> bool:
    return isinstance(part, ast.AnnAssign) and isinstance(node, ast.ClassDef)


def _with(node: ast.AST, changed: Mapping[str, object]) -> ast.AST:
    """Returns a copy with other fields."""
    twin = copy.copy(node)
    for name, value in changed.items():
        setattr(twin, name, value)
    return twin
