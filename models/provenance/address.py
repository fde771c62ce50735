"""Addresses of pieces of work, derived: inputs, the settings that are read, and the code that runs.

Work whose address is in a ledger is never done again; work whose address has changed is never taken
from there. Nobody lists what an address depends on: the code is the closure of the function that
does the work, and the settings are those fields that this closure reads.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from models.provenance.closure import Choices, Closure, Definition, closure_of, name_of, parsed

# In the metadata of a dataclass field: it says how work is done, and changes no result.
NO_RESULT = {"result": False}


# One function, or several that do the work together.
Work = Definition | Callable[..., object] | tuple[Definition | Callable[..., object], ...]


def address_of(
    work: Work, *, inputs: object = None, settings: object = (), choices: Choices | None = None
) -> str:
    """16 hex digits of one piece of work.

    work: the function that does it. inputs: content of what it works on, as JSON knows values.
    settings: a frozen dataclass, or several, of which those fields count that the closure of the
    work reads. choices: rows of tables that it looks up (`models.provenance.closure`).
    """
    code, values = reads(work, settings, choices)
    text = json.dumps([inputs, values, code], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def reads(
    work: Work, settings: object = (), choices: Choices | None = None
) -> tuple[str, list[dict[str, Any]]]:
    """(digest of the code, for each of the settings: field -> value of those that it reads)."""
    roots = work if isinstance(work, tuple) else (work,)
    values_of = settings if isinstance(settings, tuple) else (settings,)
    kinds = {name_of(type(value)): value for value in values_of}
    # Without the classes of the settings: their checks read all fields, and change no result.
    closure = closure_of(*roots, choices={**(choices or {}), **dict.fromkeys(kinds, ())})
    code = [closure.digest()]
    found = []
    for kind, value in kinds.items():
        names, methods = read_through(kind, closure)
        code += methods
        found.append(fields_of(value, names))
    return hashlib.sha256(repr(code).encode()).hexdigest()[:16], found


def fields_of(value: object, names: Collection[str]) -> dict[str, Any]:
    """field -> value of those fields of a dataclass that are among `names` and change results."""
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"settings are dataclasses, got {type(value).__name__}")
    rows = {
        item.name: getattr(value, item.name)
        for item in fields(value)
        if item.name in names and item.metadata.get("result", True)
    }
    return {
        name: asdict(row) if is_dataclass(row) and not isinstance(row, type) else row
        for name, row in rows.items()
    }


def read_through(kind: Definition, closure: Closure) -> tuple[set[str], list[str]]:
    """(attributes read, also by the properties and methods of `kind` that are; their syntax)."""
    module = parsed(kind.partition(":")[0])
    names = set(closure.attributes)
    if module is None:
        return names, []
    methods = {
        node.name: node
        for definition in module.definitions[kind.partition(":")[2]]
        for node in ast.walk(definition)
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("__")
    }
    waiting = sorted(names & set(methods))
    done: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done[name] = ast.dump(methods[name])
        own = {part.attr for part in ast.walk(methods[name]) if isinstance(part, ast.Attribute)}
        names |= own
        waiting += sorted(own & set(methods))
    return names, [done[name] for name in sorted(done)]
