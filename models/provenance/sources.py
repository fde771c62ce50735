"""Reads the sources of this repository as syntax trees: what a module defines, binds and does at
import.

Nothing is imported or run. Parsed modules are kept as long as their file does not change.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("models", "beam_jobs", "components", "tfx_pipeline", "serving")
# Folders without Python sources; the packages of the explorer alone are thousands of files.
NOT_SOURCES = ("__pycache__", "node_modules")
# Held by whoever parses. CPython before 3.11.8 counts how deep a tree is for all threads together:
# where the garbage collector lets another thread parse meanwhile, both fail
# (https://github.com/python/cpython/issues/106905).
PARSING = threading.Lock()
# A name, and the attributes after it: `a.b.c` is ("a", ("b", "c")).
Mention = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Reading:
    """What one statement says by itself, whatever other modules hold. text: its plain syntax.
    attributes: every `.name` that stands in it. mentions: of names that are not its own. imports:
    name -> (module, attribute or None) of the imports inside of it.
    """

    text: str
    attributes: frozenset[str]
    mentions: frozenset[Mention]
    imports: Mapping[str, tuple[str, str | None]]


@dataclass
class Module:
    """A parsed module. bindings: name -> (module, attribute or None) of what it imports; effects:
    statements that run at import and define nothing, or change what others define, and what
    decides which definitions there are; readings: of its statements, filled as they are asked for.
    """

    name: str
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    bindings: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    effects: list[ast.stmt] = field(default_factory=list)
    readings: dict[ast.AST, Reading] = field(default_factory=dict, repr=False)


def path_of(name: str) -> Path | None:
    """Returns the file of a module or package of this repository, None for others."""
    if name.partition(".")[0] not in PACKAGES:
        return None
    place = REPOSITORY.joinpath(*name.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


def parsed(name: str) -> Module | None:
    """Returns the module of that dotted name, None if it is not in this repository."""
    path = path_of(name)
    return None if path is None else _parsed(path, name, path.stat().st_mtime_ns)


def syntax_of(path: Path) -> ast.Module:
    """Returns the syntax tree of a file; may be called from any thread."""
    text = path.read_text(encoding="utf-8")
    with PARSING:
        return ast.parse(text)


@functools.lru_cache(maxsize=4096)
def _parsed(path: Path, name: str, changed: int) -> Module:
    module = Module(name)
    _read(module, syntax_of(path).body)
    return module


def _read(module: Module, body: Iterable[ast.stmt]) -> None:
    """Sorts statements into definitions, bindings and effects of `module`."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            module.definitions.setdefault(node.name, []).append(node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            module.bindings.update(bindings_of(node))
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            for name in assigned(node):
                module.definitions.setdefault(name, []).append(node)
            # into what another module holds (`shapes.SIDE = 3`, `ROWS["a"] = f`)
            if any(name in module.bindings for name in assigned(node)):
                module.effects.append(node)
        elif is_command(node):
            continue  # runs in a process of its own, never at import
        # a definition may stand in a branch: an import that may fail, a platform
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            module.effects += deciding(node)
            _read(module, node.body)
            for part in ("orelse", "finalbody"):
                _read(module, getattr(node, part, []))
            for handler in getattr(node, "handlers", []):
                _read(module, handler.body)
        elif not is_docstring(node):
            module.effects.append(node)


def deciding(node: ast.If | ast.Try | ast.With) -> list[ast.stmt]:
    """Returns what decides which part of a statement runs, or what its parts work on: a test,
    imports that may fail, what is opened.
    """
    if isinstance(node, ast.Try):
        return [part for part in node.body if isinstance(part, (ast.Import, ast.ImportFrom))]
    if isinstance(node, ast.With):
        return [ast.Expr(item.context_expr) for item in node.items]
    # False in every program
    is_for_types = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return [] if is_for_types else [ast.Expr(node.test)]


def bindings_of(node: ast.Import | ast.ImportFrom) -> dict[str, tuple[str, str | None]]:
    """Returns name -> (module, attribute or None) that an import statement binds."""
    if isinstance(node, ast.ImportFrom):
        source = node.module or ""
        return {alias.asname or alias.name: (source, alias.name) for alias in node.names}
    bound: dict[str, tuple[str, str | None]] = {}
    for alias in node.names:
        name = alias.name if alias.asname else alias.name.partition(".")[0]
        # `import a.b` binds a, `import a.b as c` the module itself
        bound[alias.asname or name] = (name, None)
    return bound


def assigned(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> list[str]:
    """Returns the names that a statement assigns, or assigns to an element of (`TASKS["a"] =
    ...`).
    """
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [
        part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)
    ]


def is_command(node: ast.stmt) -> bool:
    """Returns whether a statement is `if __name__ == "__main__":`."""
    # unparse writes single quotes, whatever the source has
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def is_docstring(node: ast.AST) -> bool:
    """Returns whether a node is a string that stands alone: a docstring, or one of an attribute."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def stamp() -> tuple[tuple[str, int, int], ...]:
    """Returns (path, time of change, size) of every file of the packages: what is derived from them
    holds as long as this does.
    """
    rows: list[tuple[str, int, int]] = []
    for package in PACKAGES:
        if (REPOSITORY / package).is_dir():
            rows.extend(states_below(str(REPOSITORY / package)))
    return tuple(sorted(rows))


def states_below(folder: str) -> Iterator[tuple[str, int, int]]:
    """Yields rows of `stamp`. It is called for every address, so it makes no `Path` for each
    file.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file():
                state = entry.stat()
                yield entry.path, state.st_mtime_ns, state.st_size
            elif entry.is_dir() and entry.name not in NOT_SOURCES:
                yield from states_below(entry.path)


def declared_files(module: str) -> dict[str, str]:
    """Returns the data files that BUILD declares below the folder of a module, name -> sha256."""
    path = path_of(module)
    if path is None:
        return {}
    files = {}
    for pattern in declared_patterns():
        for file in files_of(pattern):
            if file.is_relative_to(path.parent):
                name = str(file.relative_to(REPOSITORY))
                files[name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return files


def files_of(pattern: str) -> list[Path]:
    """Returns the files of a pattern of BUILD as Bazel reads it: `**` at the end is every file
    below. Of `pathlib` it would be folders alone until Python 3.12, and files too from 3.13 on.
    """
    every = f"{pattern}/*" if pattern.endswith("**") else pattern
    return sorted(path for path in REPOSITORY.glob(every) if path.is_file())


def declared_patterns() -> tuple[str, ...]:
    """Returns the patterns of all `data = glob([...])` in BUILD (`exclude` is not read)."""
    return _declared_patterns((REPOSITORY / "BUILD").stat().st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _declared_patterns(changed: int) -> tuple[str, ...]:
    patterns: list[str] = []
    for node in ast.walk(syntax_of(REPOSITORY / "BUILD")):
        if not (isinstance(node, ast.keyword) and node.arg == "data"):
            continue
        if isinstance(node.value, ast.Call):
            patterns += ast.literal_eval(node.value.args[0])
    return tuple(patterns)


def forget() -> None:
    """Clears all that was parsed."""
    _parsed.cache_clear()
    _declared_patterns.cache_clear()
