"""Finds what one definition mentions: names that it reads and does not bind itself, and
attributes.
"""

from __future__ import annotations
import __future__ as futures

import ast
import dis
import functools
import types
from collections.abc import Container, Iterator, Mapping

from models.provenance.sources import (
    PARSING,
    Mention,
    Module,
    Reading,
    bindings_of,
    is_docstring,
)

# How the compiler says that a name is the module's (the third: in classes, from 3.12 on).
LOOK_UPS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS", "DELETE_GLOBAL")
Function = ast.FunctionDef | ast.AsyncFunctionDef
# Nodes whose body may begin with a docstring.
DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# Near half of all nodes, with nothing below them but the context of a name.
LEAVES = (ast.Name, ast.Constant)
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


def reading_of(node: ast.AST, module: Module) -> Reading:
    """Returns the reading of a statement of `module`, which is kept with the module."""
    reading = module.readings.get(node)
    if reading is None:
        reading = module.readings[node] = _reading(node, module)
    return reading


def _reading(node: ast.AST, module: Module) -> Reading:
    parts = walk(node)
    imports: dict[str, tuple[str, str | None]] = {}
    for part in parts:
        if isinstance(part, (ast.Import, ast.ImportFrom)):
            imports |= bindings_of(part)
    # bound inside, as local names are, and yet perhaps a name of this repository
    local = local_names(node, module.bindings.keys() | module.definitions.keys()) - imports.keys()
    return Reading(
        plain_syntax(node),
        frozenset(part.attr for part in parts if isinstance(part, ast.Attribute)),
        frozenset(mention for mention in mentions(node) if mention[0] not in local),
        imports,
    )


def walk(node: ast.AST) -> list[ast.AST]:
    """Returns a node and all that is below it, as `ast.walk` yields it, but for contexts of names:
    a first address of a network walks through a thousand definitions, and `ast.walk` took most of
    its time.
    """
    parts = [node]
    # the list grows while it is read
    for part in parts:
        if not isinstance(part, LEAVES):
            parts += children(part)
    return parts


def children(node: ast.AST) -> list[ast.AST]:
    """Returns the nodes right below a node."""
    parts: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            parts += [part for part in value if isinstance(part, ast.AST)]
        elif isinstance(value, ast.AST):
            parts.append(value)
    return parts


def mentions(node: ast.AST) -> Iterator[Mention]:
    """Yields every name that is read, with the attributes after it."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Name):
            if isinstance(part.ctx, ast.Load):
                yield part.id, ()
            continue
        chain = _chain(part) if isinstance(part, ast.Attribute) else None
        if chain is not None:
            yield chain
            continue
        if not isinstance(part, ast.Constant):
            yield from _quoted_annotations(part)
            waiting += children(part)


@functools.lru_cache(maxsize=1024)  # addresses ask the same few classes again and again
def functions_in(node: ast.AST) -> Mapping[str, tuple[ast.FunctionDef, ...]]:
    """Returns name -> the functions (methods, properties) of that name in a class."""
    functions: dict[str, tuple[ast.FunctionDef, ...]] = {}
    for part in walk(node):
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


def _quoted_annotations(node: ast.AST) -> Iterator[Mention]:
    """Yields what annotations of `node` such as `"LabelStore"` name. Other texts name nothing."""
    for name in ("annotation", "returns"):
        value = getattr(node, name, None)
        if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
            continue
        if value.value.isidentifier():
            yield value.value, ()


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
        inner = (part for part in walk(node) if isinstance(part, SCOPES) and part is not node)
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
    names: set[str] = set()
    declared: set[str] = set()
    for part in walk(function):
        if isinstance(part, ast.arg):
            names.add(part.arg)
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
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
    return written(node, plain=True)


def written(value: object, plain: bool = False) -> str:
    """Returns a tree as `ast.dump` of Python 3.11 writes it, under every version: from 3.12 on
    definitions have type parameters, some of 3.12 put empty texts into formats, and 3.13 leaves
    empty lists out. The same code has the same address. plain: without what changes no result.
    """
    if isinstance(value, list):
        return f"[{', '.join([written(part, plain) for part in value])}]"
    if not isinstance(value, ast.AST):
        return repr(value)
    if isinstance(value, ast.Name):
        # in a short way, since every third node is a name
        return f"Name(id={value.id!r}, ctx={type(value.ctx).__name__}())"
    if plain and isinstance(value, ast.AnnAssign) and value.value is not None and value.simple:
        target = written(value.target)
        return f"Assign(targets=[{target}], value={written(value.value, plain)})"
    optional = _optional(type(value).__name__)
    fields = [
        f"{name}={_field(value, name, part, plain)}"
        for name, part in ast.iter_fields(value)
        if not (part is None and name in optional)
        and not (name == "type_params" and part == [])
        and not (plain and _is_annotation(value, name))
    ]
    return f"{type(value).__name__}({', '.join(fields)})"


@functools.cache
def _optional(name: str) -> frozenset[str]:
    """Returns the fields that may be left out of a kind of node, by the kind's name."""
    kind = getattr(ast, name)
    return frozenset(field for field in kind._fields if getattr(kind, field, ...) is None)


def _is_annotation(node: ast.AST, name: str) -> bool:
    """Returns whether a field annotates a parameter or what a function returns."""
    return (name == "annotation" and isinstance(node, ast.arg)) or (
        name == "returns" and isinstance(node, Function)
    )


def _field(node: ast.AST, name: str, part: object, plain: bool) -> str:
    """Returns the text of one field of a node. plain: as `written` takes it."""
    if name == "values" and isinstance(node, ast.JoinedStr):
        return written([each for each in node.values if not is_empty(each)], plain)
    if plain and name == "body" and isinstance(node, DEFINING):
        # a body that was a docstring alone would be empty, which is no syntax
        body = [each for each in node.body if not is_docstring(each)] or [ast.Pass()]
        is_class = isinstance(node, ast.ClassDef)
        # an annotation makes a field of a dataclass
        parts = [
            written(each, plain=not (is_class and isinstance(each, ast.AnnAssign))) for each in body
        ]
        return f"[{', '.join(parts)}]"
    return written(part, plain)


def is_empty(part: ast.expr) -> bool:
    """Returns whether a part is an empty text."""
    return isinstance(part, ast.Constant) and part.value == ""
