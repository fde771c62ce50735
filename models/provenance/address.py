"""Addresses of pieces of work, derived: inputs, the settings that are read, and the code that runs.

Work whose address is in a ledger is never done again; work whose address has changed is never taken
from there. Nobody lists what an address depends on: the code is the closure of the function that
does the work, and the settings are those fields that this closure reads.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from models.provenance.closure import Choices, Closure, Definition, closure_of, name_of, parsed

# In the metadata of a dataclass field: it says how work is done, and changes no result.
NO_RESULT = {"result": False}


def address_of(
    work: Definition | Callable[..., object],
    *,
    inputs: object = None,
    settings: object = None,
    choices: Choices | None = None,
) -> str:
    """16 hex digits of one piece of work.

    work: the function that does it. inputs: content of what it works on, as JSON knows values.
    settings: a frozen dataclass, of which the fields that the function's closure reads count.
    choices: rows of tables that this work looks up (`models.provenance.closure`).
    """
    closure, read = reads(work, settings, choices)
    text = json.dumps([inputs, read, closure], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def reads(
    work: Definition | Callable[..., object],
    settings: object = None,
    choices: Choices | None = None,
) -> tuple[str, dict[str, Any]]:
    """(digest of the code, field -> value of the settings that it reads)."""
    if settings is None:
        return closure_of(work, choices=choices).digest(), {}
    if not is_dataclass(settings):
        raise TypeError(f"settings are a dataclass, got {type(settings).__name__}")
    kind = name_of(type(settings))
    # Without the class of the settings: its checks read all fields, and change no result.
    closure = closure_of(work, choices={**(choices or {}), kind: ()})
    names, methods = read_through(kind, closure)
    values = {
        item.name: getattr(settings, item.name)
        for item in fields(settings)
        if item.name in names and item.metadata.get("result", True)
    }
    return hashlib.sha256(repr([closure.digest(), methods]).encode()).hexdigest()[:16], values


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
