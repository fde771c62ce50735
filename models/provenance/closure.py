"""Finds what a function is made of: every definition of this repository that it reaches, and their
digest.

A result is stale when the code that made it has changed. Which code that is follows from the syntax
trees alone: a definition (function, class, constant) reaches the names it mentions, through
imports, wherever they stand. Formatting, comments, docstrings and annotations (but those of fields
of a class) change no digest; a changed constant does. Nothing is imported or run.

Definitions, not modules, since one edit would otherwise make everything anew: `targets.py` holds
the label functions of all tasks. Where a table is looked up by a field of an entry
(`MAKERS[task.make]`), `choices` names the rows that are meant; all of them are followed otherwise.
What may be any row (`**MORE`, a computed key) is followed for each.
A function that makes tables (`by_kind`) can be named in place of each of its tables.

Static reading cannot see a method that is called on a parameter without annotation. Tests record
which functions of this repository a piece of work really calls, and compare them with its closure.
Forms that are not followed are refused, by ruff (relative imports, imports for their effect) and
`tests/models/provenance/test_forms.py`.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from models.provenance import digest_notes, sources
from models.provenance.mentions import functions_in, reading_of
from models.provenance.sources import PACKAGES, Module, Reading, parsed, path_of

# Modules that no closure follows: how work is addressed and written down changes no result.
APART = "models.provenance."
# "package.module:name"; of a class also "package.module:Class.method". "package.module:" stands for
# what the module does at import.
Definition = str
ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign)
# table (or the function that makes tables) -> keys of the rows that are followed
Choices = Mapping[Definition, Collection[str]]


@dataclass(frozen=True)
class Closure:
    """The code that some work depends on. definitions: name -> digest of its syntax. attributes:
    every `.name` that they read. files: declared data files of the modules that read files beside
    themselves, name -> digest.
    """

    definitions: Mapping[Definition, str]
    attributes: frozenset[str]
    files: Mapping[str, str]

    def digest(self) -> str:
        """Returns 16 hex digits over all of it."""
        rows = sorted([*self.definitions.items(), *self.files.items()])
        return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]

    def modules(self) -> set[str]:
        """Returns the dotted names of the modules that hold a definition of it."""
        return {name.partition(":")[0] for name in self.definitions}


@dataclass(frozen=True)
class Facts:
    """What one statement adds to a closure: its reading, the definitions that it reaches, and
    whether it reads files beside its module.
    """

    reading: Reading
    reached: tuple[Definition, ...]
    reads_files: bool


def closure_of(
    *roots: Definition | Callable[..., object], choices: Choices | None = None
) -> Closure:
    """Returns the closure of functions or classes of this repository, or of definitions by name.

    choices: table -> keys whose rows are followed; a class with none is left out. Raises
    LookupError for a root, or a chosen row, that is not there.
    """
    # hashable, and alike for every order of the same choice
    chosen = tuple(sorted((table, tuple(sorted(keys))) for table, keys in (choices or {}).items()))
    return _closure(tuple(map(name_of, roots)), chosen, sources.stamp())


def name_of(root: Definition | Callable[..., object]) -> Definition:
    """Returns the definition's name of a function or class; a name is returned as it is."""
    if isinstance(root, str):
        return root
    # for a method its class: classes are followed as wholes
    return f"{root.__module__}:{root.__qualname__.partition('.')[0]}"


@functools.lru_cache(maxsize=512)
def _closure(
    roots: tuple[Definition, ...],
    choices: tuple[tuple[Definition, tuple[str, ...]], ...],
    valid_for: tuple[tuple[str, int, int], ...],
) -> Closure:
    tables = dict(choices)
    cache = _known(valid_for)
    digests: dict[Definition, str] = {}
    read: set[str] = set()
    beside: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in digests or name.startswith(APART):
            continue
        module = cache.module_of(name)
        nodes = _nodes_of(module, name, tables)
        facts = [cache.facts_of(module, node) for node in nodes]
        digests[name] = hashlib.sha256(
            "".join(fact.reading.text for fact in facts).encode()
        ).hexdigest()
        for fact in facts:
            read |= fact.reading.attributes
            waiting += fact.reached
            if fact.reads_files:
                beside.add(module.name)
        # what a module does at import happens whichever of its definitions is wanted
        if module.effects:
            waiting.append(f"{module.name}:")
    files: dict[str, str] = {}
    for module_name in beside:
        files |= sources.declared_files(module_name)
    return Closure(digests, frozenset(read), files)


class Known:
    """What was found in one state of the sources, filled as closures need it: a closure has
    hundreds of statements, and those of two tasks differ in a few.
    """

    def __init__(self) -> None:
        self.facts: dict[ast.AST, Facts] = {}
        self.modules: dict[str, Module] = {}
        self.answers: dict[tuple[str, str | None, tuple[str, ...]], frozenset[Definition]] = {}

    def module_of(self, name: Definition) -> Module:
        """Returns the module of a definition. Raises LookupError if it is not in this
        repository.
        """
        place = name.partition(":")[0]
        if place not in self.modules:
            module = parsed(place)
            if module is None:
                raise LookupError(f"{name}: expected a definition of {', '.join(PACKAGES)}")
            self.modules[place] = module
        return self.modules[place]

    def facts_of(self, module: Module, node: ast.AST) -> Facts:
        """Returns the facts of one statement of a module."""
        if node not in self.facts:
            reading = reading_of(node, module)
            self.facts[node] = Facts(
                reading,
                tuple(sorted(self.reached(module, reading))),
                any(base == "__file__" for base, _ in reading.mentions),
            )
        return self.facts[node]

    def reached(self, module: Module, reading: Reading) -> set[Definition]:
        """Returns the definitions that a statement mentions, by its module's names and by imports
        inside of it.
        """
        names: set[Definition] = set()
        for base, chain in reading.mentions:
            binding = reading.imports.get(base) or module.bindings.get(base)
            if binding is not None:
                names |= self.resolved(*binding, chain)
            elif base in module.definitions:
                names.add(f"{module.name}:{base}")
        return names

    def resolved(
        self, source: str, attribute: str | None, chain: tuple[str, ...]
    ) -> frozenset[Definition]:
        """Returns what `_resolved` yields, which many statements ask for."""
        asked = (source, attribute, chain)
        if asked not in self.answers:
            self.answers[asked] = frozenset(_resolved(*asked))
        return self.answers[asked]


@functools.lru_cache(maxsize=2)
def _known(valid_for: tuple[tuple[str, int, int], ...]) -> Known:
    """Returns what was found in sources of this state."""
    return Known()


def _nodes_of(
    module: Module, name: Definition, tables: Mapping[str, Collection[str]]
) -> list[ast.AST]:
    """Returns the statements of a definition; for a table with chosen rows, these rows alone."""
    own, _, method = name.partition(":")[2].partition(".")
    if not own:
        return list(module.effects)
    if own not in module.definitions:
        raise LookupError(f"{module.name} defines no {own}; a closure cannot be derived from it")
    statements: list[ast.AST] = list(module.definitions[own])
    if method:
        functions = [part for node in statements for part in functions_in(node).get(method, ())]
        # what is put into the class after its body (`Config.steps = property(...)`)
        return [*functions, *(each for each in statements if isinstance(each, ASSIGNMENTS))]
    if isinstance(statements[0], ast.FunctionDef):
        return statements  # also of a function that makes tables
    if name in tables:
        return _chosen_rows(statements, tables[name], name)
    maker = _maker_of(module, statements)
    rows, others = _rows_of(statements, own) if maker in tables else ({}, [])
    # A table may be of some kinds alone: what it lacks is not looked up.
    return _of_keys(rows, tables[maker]) + others if rows else statements


def _maker_of(module: Module, statements: Iterable[ast.AST]) -> Definition:
    """Returns the function that a table is made by (`HEADS = by_kind(...)`), "" if none is."""
    for statement in statements:
        value = getattr(statement, "value", None)
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            source, attribute = module.bindings.get(value.func.id, ("", None))
            return f"{source}:{attribute}"
    return ""


def _chosen_rows(
    statements: Iterable[ast.AST], keys: Collection[str], name: Definition
) -> list[ast.AST]:
    """Returns the values of a table under `keys`, and what may be the value of any key. Raises
    LookupError for a row that is missing for certain.
    """
    # left out: nothing of it is followed
    if not keys:
        return []
    rows, others = _rows_of(statements, name.partition(":")[2])
    missing = sorted(set(keys) - set(rows))
    if missing and not others:
        raise LookupError(f"{name} has no row {', '.join(missing)}; it has {', '.join(rows)}")
    return _of_keys(rows, keys) + others


def _of_keys(rows: Mapping[str, list[ast.AST]], keys: Collection[str]) -> list[ast.AST]:
    """Returns the values under those of the keys that the table has."""
    return [row for key in sorted(keys) for row in rows.get(key, ())]


def _rows_of(
    statements: Iterable[ast.AST], own: str
) -> tuple[dict[str, list[ast.AST]], list[ast.AST]]:
    """Returns (key -> its values, what may be the value of any key) of a table of that name.

    A value has a key in a dictionary that is assigned, in one that is an argument of the call that
    is assigned, and in `TABLE["key"] = value`. It may belong to any key in `**MORE`, and where keys
    are computed.
    """
    rows: dict[str, list[ast.AST]] = {}
    others: list[ast.AST] = []
    for statement in statements:
        value = getattr(statement, "value", None)
        entry = _entry_of(statement, own)
        if entry is not None and value is not None:
            rows.setdefault(entry, []).append(value)
            continue
        arguments = value.args if isinstance(value, ast.Call) else [value]
        tables = [table for table in arguments if isinstance(table, ast.Dict)]
        if not tables or not _is_whole(statement, own):
            others.append(statement)
        for table in tables:
            # within one dictionary the last value of a key counts
            last: dict[str, ast.AST] = {}
            for key, row in zip(table.keys, table.values):
                if isinstance(key, ast.Constant):
                    last[str(key.value)] = row
                else:
                    others += [row] if key is None else [key, row]
            for text, latest in last.items():
                rows.setdefault(text, []).append(latest)
    return rows, others


def _target_of(statement: ast.AST) -> ast.AST | None:
    """Returns the one target of an assignment; None for several, and for other statements."""
    if isinstance(statement, ast.Assign):
        return statement.targets[0] if len(statement.targets) == 1 else None
    return statement.target if isinstance(statement, (ast.AnnAssign, ast.AugAssign)) else None


def _is_whole(statement: ast.AST, own: str) -> bool:
    """Returns whether a statement assigns the table, or adds to it as a whole (`TABLE |=
    {...}`).
    """
    target = _target_of(statement)
    return isinstance(target, ast.Name) and target.id == own


def _entry_of(statement: ast.AST, own: str) -> str | None:
    """Returns the key in `TABLE["key"] = value`, None for other statements."""
    target = _target_of(statement)
    if (
        isinstance(statement, ast.Assign)
        and isinstance(target, ast.Subscript)
        and isinstance(target.value, ast.Name)
        and target.value.id == own
        and isinstance(target.slice, ast.Constant)
    ):
        return str(target.slice.value)
    return None


def _resolved(source: str, attribute: str | None, chain: tuple[str, ...]) -> Iterator[Definition]:
    """Yields the definitions that `source.attribute` followed by `chain` stands for; nothing
    outside this repository.
    """
    if attribute is not None:
        inner = f"{source}.{attribute}"
        # a package may export a function under the name of the module that defines it
        if path_of(inner) is not None and not _binds(source, attribute):
            yield from _resolved(inner, None, chain)
        else:
            yield from defined(source, attribute)
        return
    # folders without an __init__.py are packages all the same
    is_namespace = source in PACKAGES and path_of(source) is None
    if path_of(source) is None and not is_namespace:
        return
    if chain:
        inner = f"{source}.{chain[0]}"
        if path_of(inner) is not None or is_namespace:
            yield from _resolved(inner, None, chain[1:])
        else:
            yield from defined(source, chain[0])
        return
    module = parsed(source)
    if module is not None:  # the module as a value: all of it may be used
        for name in module.definitions:
            yield f"{source}:{name}"


def _binds(source: str, name: str) -> bool:
    """Returns whether a package makes a name itself; `from package import module` inside `package`
    does not.
    """
    module = parsed(source)
    if module is None:
        return False
    return name in module.definitions or module.bindings.get(name, (source, name)) != (source, name)


def defined(source: str, name: str) -> Iterator[Definition]:
    """Yields where `source.name` is defined, through re-exports; nothing outside this
    repository.
    """
    module = parsed(source)
    if module is None:
        return
    if name in module.definitions:
        yield f"{source}:{name}"
    elif name in module.bindings:
        yield from _resolved(*module.bindings[name], ())
    # a module may make its names when they are asked for (PEP 562)
    elif "__getattr__" in module.definitions:
        yield f"{source}:__getattr__"


def forget() -> None:
    """Clears all closures and what they were derived from."""
    _closure.cache_clear()
    _known.cache_clear()
    functions_in.cache_clear()
    digest_notes.forget()
    sources.forget()
