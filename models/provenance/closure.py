"""What a function is made of: every definition of this repository that it reaches, and their
digest.

A result is stale when the code that made it has changed. Which code that is follows from the syntax
trees alone: a definition (function, class, constant) reaches the names it mentions, through
imports, wherever they stand. Formatting, comments, docstrings and annotations of functions change
no digest; a changed constant does. Nothing is imported or run.

Definitions, not modules, since one edit would otherwise make everything anew: `targets.py` holds
the label functions of all tasks. Where a table is looked up by a field of an entry
(`MAKERS[task.make]`), `choices` names the rows that are meant; all of them are followed otherwise.
A function that makes tables (`by_kind`) can be named in place of each of its tables.

What static reading cannot see: a method that is called on a parameter without annotation. Tests
record which functions of ours a piece of work really calls, and hold them against its closure.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("models", "beam_jobs", "components", "tfx_pipeline", "serving")
# How work is addressed and written down changes no result.
APART = "models.provenance."
# A definition: "package.module:name"; a row of a table: "package.module:NAME[key]".
Definition = str
Choices = Mapping[Definition, Collection[str]]


@dataclass(frozen=True)
class Closure:
    """definitions: name -> digest of its syntax. attributes: every `.name` that they read.

    files: declared data files of the modules that read files beside themselves, name -> digest.
    """

    definitions: Mapping[Definition, str]
    attributes: frozenset[str]
    files: Mapping[str, str]

    def digest(self) -> str:
        """16 hex digits over all of it."""
        rows = sorted([*self.definitions.items(), *self.files.items()])
        return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]

    def modules(self) -> set[str]:
        """dotted names of the modules that hold a definition of it."""
        return {name.partition(":")[0] for name in self.definitions}


@dataclass
class Module:
    """A parsed module of this repository. bindings: name -> (module, attribute or None)."""

    name: str
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    bindings: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    effects: list[ast.stmt] = field(default_factory=list)


def closure_of(
    *roots: Definition | Callable[..., object], choices: Choices | None = None
) -> Closure:
    """the closure of functions or classes of ours, or of definitions by name.

    choices: table -> keys whose rows are followed. Raises LookupError for a root that is not there.
    """
    chosen = tuple(sorted((table, tuple(sorted(keys))) for table, keys in (choices or {}).items()))
    return _closure(tuple(map(name_of, roots)), chosen, stamp())


def name_of(root: Definition | Callable[..., object]) -> Definition:
    """ "module:name" of a function, class or (as it is) a definition's name."""
    if isinstance(root, str):
        return root
    return f"{root.__module__}:{root.__qualname__.partition('.')[0]}"


def stamp() -> tuple[tuple[str, int, int], ...]:
    """what the caches are valid for: every source's name, time of change and size."""
    rows = []
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                state = path.stat()
                rows.append((str(path.relative_to(REPOSITORY)), state.st_mtime_ns, state.st_size))
    return tuple(rows)


@functools.lru_cache(maxsize=512)
def _closure(
    roots: tuple[Definition, ...],
    choices: tuple[tuple[Definition, tuple[str, ...]], ...],
    valid_for: tuple[tuple[str, int, int], ...],
) -> Closure:
    tables = dict(choices)
    digests: dict[Definition, str] = {}
    attributes: set[str] = set()
    beside: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in digests or name.startswith(APART):
            continue
        module = module_of(name)
        nodes = nodes_of(module, name, tables)
        digests[name] = hashlib.sha256("".join(map(syntax, nodes)).encode()).hexdigest()
        for node in nodes:
            reach = reached(module, node)
            waiting += reach.definitions
            attributes |= reach.attributes
            if "__file__" in reach.names:
                beside.add(module.name)
        if module.effects and not name.endswith(":"):
            waiting.append(f"{module.name}:")
    files = {}
    for module_name in beside:
        files.update(declared_files(module_name))
    return Closure(digests, frozenset(attributes), files)


def module_of(name: Definition) -> Module:
    module = parsed(name.partition(":")[0])
    if module is None:
        raise LookupError(f"{name}: expected a definition of {', '.join(PACKAGES)}")
    return module


def nodes_of(
    module: Module, name: Definition, tables: Mapping[str, Collection[str]]
) -> list[ast.AST]:
    """the statements of a definition; of a table with chosen rows, these rows alone."""
    own = name.partition(":")[2]
    if not own:
        return list(module.effects)
    own, bracket, key = own.partition("[")
    if own not in module.definitions:
        raise LookupError(f"{module.name} defines no {own}; a closure cannot be derived from it")
    statements: list[ast.AST] = list(module.definitions[own])
    if bracket:
        return rows_of(statements, [key.rstrip("]")], name)
    if isinstance(statements[0], ast.FunctionDef):
        return statements
    if name in tables:
        return rows_of(statements, tables[name], name)
    maker = maker_of(module, statements)
    rows = literal_rows(statements) if maker in tables else {}
    if not rows:
        return statements
    # A table may be of some kinds alone: what it lacks is not looked up.
    return [rows[key] for key in sorted(tables[maker]) if key in rows]


def maker_of(module: Module, statements: Iterable[ast.AST]) -> Definition:
    """the function of ours that a table is made by (`HEADS = by_kind(...)`), "" if none is."""
    for statement in statements:
        value = getattr(statement, "value", None)
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            source, attribute = module.bindings.get(value.func.id, ("", None))
            return f"{source}:{attribute}"
    return ""


def rows_of(statements: Iterable[ast.AST], keys: Collection[str], name: str) -> list[ast.AST]:
    """the values of a dictionary's literal under `keys`. Raises LookupError for a missing one."""
    rows = literal_rows(statements)
    if missing := sorted(set(keys) - set(rows)):
        raise LookupError(f"{name} has no row {', '.join(missing)}; it has {', '.join(rows)}")
    return [rows[key] for key in sorted(keys)]


def literal_rows(statements: Iterable[ast.AST]) -> dict[str, ast.AST]:
    """key -> value of the dictionaries that stand in the statements."""
    rows: dict[str, ast.AST] = {}
    for table in tables_in(statements):
        for key, row in zip(table.keys, table.values):
            if isinstance(key, ast.Constant):
                rows[str(key.value)] = row
    return rows


def tables_in(statements: Iterable[ast.AST]) -> Iterator[ast.Dict]:
    """literal dictionaries that are assigned, or are an argument of what makes what is assigned."""
    for statement in statements:
        value = getattr(statement, "value", None)
        arguments = value.args if isinstance(value, ast.Call) else [value]
        yield from (part for part in arguments if isinstance(part, ast.Dict))


@functools.lru_cache(maxsize=4096)
def _parsed(path: Path, name: str, changed: int) -> Module:
    module = Module(name)
    read_body(module, ast.parse(path.read_text(encoding="utf-8")).body)
    return module


def parsed(name: str) -> Module | None:
    """the module of that dotted name, None if it is none of ours."""
    path = path_of(name)
    return None if path is None else _parsed(path, name, path.stat().st_mtime_ns)


def path_of(name: str) -> Path | None:
    """the file of a module or package of ours."""
    if name.partition(".")[0] not in PACKAGES:
        return None
    place = REPOSITORY.joinpath(*name.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


def read_body(module: Module, body: Iterable[ast.stmt]) -> None:
    """sort statements into definitions, bindings, and effects (what else runs at import)."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            module.definitions.setdefault(node.name, []).append(node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            module.bindings.update(bindings_of(node))
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            names = assigned(node)
            for name in names:
                module.definitions.setdefault(name, []).append(node)
            if not names:
                module.effects.append(node)
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            read_body(module, node.body)
            for part in ("orelse", "finalbody"):
                read_body(module, getattr(node, part, []))
            for handler in getattr(node, "handlers", []):
                read_body(module, handler.body)
        elif not is_docstring(node):
            module.effects.append(node)


def bindings_of(node: ast.Import | ast.ImportFrom) -> dict[str, tuple[str, str | None]]:
    """name -> (module, attribute or None) that an import statement binds."""
    if isinstance(node, ast.ImportFrom):
        source = node.module or ""
        return {alias.asname or alias.name: (source, alias.name) for alias in node.names}
    bound: dict[str, tuple[str, str | None]] = {}
    for alias in node.names:
        if alias.asname:
            bound[alias.asname] = (alias.name, None)
        else:
            first = alias.name.partition(".")[0]
            bound[first] = (first, None)
    return bound


def assigned(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> list[str]:
    """plain names that a statement assigns."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [
        part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)
    ]


@dataclass(frozen=True)
class Reach:
    """What one node mentions: definitions of ours, plain names, attributes."""

    definitions: tuple[Definition, ...]
    names: frozenset[str]
    attributes: frozenset[str]


def reached(module: Module, node: ast.AST) -> Reach:
    """definitions that `node` mentions, by its module's names and by imports inside of it."""
    bindings = dict(module.bindings)
    mentioned: set[str] = set()
    attributes: set[str] = set()
    found: set[Definition] = set()
    chains: dict[str, set[tuple[str, ...]]] = {}
    local = local_names(node)
    for part in ast.walk(node):
        if isinstance(part, (ast.Import, ast.ImportFrom)):
            own = bindings_of(part)
            bindings.update(own)
            local -= set(own)
            if isinstance(part, ast.Import):
                for alias in part.names:  # `import a.b` runs a.b, whatever is mentioned
                    chains.setdefault(alias.asname or alias.name.partition(".")[0], set())
        elif isinstance(part, ast.Attribute):
            attributes.add(part.attr)
    for base, chain in mentions(node):
        mentioned.add(base)
        chains.setdefault(base, set()).add(chain)
    for base, uses in chains.items():
        if base in local:
            continue
        for chain in uses:
            if base in bindings:
                found |= set(resolved(*bindings[base], chain))
            elif base in module.definitions:
                found.add(f"{module.name}:{base}")
    return Reach(tuple(sorted(found)), frozenset(mentioned), frozenset(attributes))


def mentions(node: ast.AST) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name, attributes after it) of every name that is read: `a.b.c` gives ("a", ("b", "c"))."""
    if isinstance(node, ast.Attribute):
        chain = [node.attr]
        base = node.value
        while isinstance(base, ast.Attribute):
            chain.append(base.attr)
            base = base.value
        if isinstance(base, ast.Name):
            yield base.id, tuple(reversed(chain))
            return
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Load):
            yield node.id, ()
        return
    for child in ast.iter_child_nodes(node):
        if is_quoted_annotation(child, node):
            yield str(child.value), ()
        yield from mentions(child)


def is_quoted_annotation(child: ast.AST, node: ast.AST) -> TypeGuard[ast.Constant]:
    """is `child` of `node` an annotation such as `"LabelStore"`? Other texts name nothing."""
    annotations = (getattr(node, "annotation", None), getattr(node, "returns", None))
    return (
        any(child is annotation for annotation in annotations)
        and isinstance(child, ast.Constant)
        and isinstance(child.value, str)
        and child.value.isidentifier()
    )


def local_names(node: ast.AST) -> set[str]:
    """names that are bound in every function that mentions them: parameters and local variables.

    Of a class, only what its methods bind for themselves.
    """
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return bound_in(node)
    if isinstance(node, ast.ClassDef):
        parts = [bound_in(part) for part in node.body if isinstance(part, ast.FunctionDef)]
        outside = set()
        for part in node.body:
            if not isinstance(part, ast.FunctionDef):
                outside |= {base for base, _ in mentions(part)}
            else:
                outside |= {base for base, _ in mentions(part)} - bound_in(part)
        return (set().union(*parts) if parts else set()) - outside
    return set()


def bound_in(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """parameters and assigned names of a function (its inner functions' included)."""
    names = {part.arg for part in ast.walk(function) if isinstance(part, ast.arg)}
    declared: set[str] = set()
    for part in ast.walk(function):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            names.add(part.id)
        elif isinstance(part, ast.Global):
            declared |= set(part.names)
    # An annotation or a default is read outside: `def f(target: target = ...)` is not meant here.
    return names - declared


def resolved(source: str, attribute: str | None, chain: tuple[str, ...]) -> Iterator[Definition]:
    """definitions that `source.attribute` followed by `chain` stands for; none outside of ours."""
    if attribute is not None:
        inner = f"{source}.{attribute}"
        if path_of(inner) is not None and not defines(source, attribute):
            yield from resolved(inner, None, chain)
            return
        yield from definition(source, attribute)
        return
    if path_of(source) is None and source not in PACKAGES:
        return
    if chain:
        inner = f"{source}.{chain[0]}"
        if path_of(inner) is not None or (source in PACKAGES and path_of(source) is None):
            yield from resolved(inner, None, chain[1:])
        else:
            yield from definition(source, chain[0])
        return
    module = parsed(source)
    if module is not None:  # the module as a value: all of it may be used
        for name in module.definitions:
            yield f"{source}:{name}"


def defines(source: str, name: str) -> bool:
    module = parsed(source)
    return module is not None and (name in module.definitions or name in module.bindings)


def definition(source: str, name: str) -> Iterator[Definition]:
    """where `source.name` is defined, through re-exports."""
    module = parsed(source)
    if module is None:
        return
    if name in module.definitions:
        yield f"{source}:{name}"
    elif name in module.bindings:
        yield from resolved(*module.bindings[name], ())
    elif "__getattr__" in module.definitions:
        yield f"{source}:__getattr__"


def syntax(node: ast.AST) -> str:
    """the node as text, without docstrings, annotations of functions, and places."""
    return ast.dump(Plain().visit(copied(node)))


def copied(node: ast.AST) -> ast.AST:
    return (
        ast.parse(ast.unparse(node))
        if isinstance(node, ast.stmt)
        else ast.parse(ast.unparse(node), mode="eval")
    )


class Plain(ast.NodeTransformer):
    """Takes out what changes no result."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.body = without_docstring(node.body)
        node.returns = None
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        node.body = without_docstring(node.body)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    rest = [node for node in body if not is_docstring(node)]
    return rest or [ast.Pass()]


def is_docstring(node: ast.AST) -> bool:
    """a string that stands alone: a docstring, or one of an attribute."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def declared_files(module: str) -> dict[str, str]:
    """the data files that BUILD declares below the folder of `module`, name -> sha256."""
    path = path_of(module)
    if path is None:
        return {}
    folder = path.parent
    files = {}
    for pattern in declared_patterns((REPOSITORY / "BUILD").stat().st_mtime_ns):
        for file in sorted(REPOSITORY.glob(pattern)):
            if file.is_file() and file.is_relative_to(folder):
                name = str(file.relative_to(REPOSITORY))
                files[name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return files


@functools.lru_cache(maxsize=4)
def declared_patterns(changed: int) -> tuple[str, ...]:
    """the patterns of all `data = glob([...])` in BUILD."""
    patterns: list[str] = []
    for node in ast.walk(ast.parse((REPOSITORY / "BUILD").read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.keyword)
            and node.arg == "data"
            and isinstance(node.value, ast.Call)
        ):
            patterns += ast.literal_eval(node.value.args[0])
    return tuple(patterns)
