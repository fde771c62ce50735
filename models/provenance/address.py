"""Derives the addresses of pieces of work from their inputs, the settings that are read, and the
code that runs.

Work whose address is in a ledger is not done again; work whose address has changed is never taken
from there. A ledger may keep the newest address alone, as that of task networks does. Nobody lists
what an address depends on: the code is the closure of the function that does the work, and the
settings are those fields that this closure reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from models.provenance.closure import Choices, Closure, Definition, closure_of, name_of
from models.provenance.digest_notes import noted
from models.provenance.mentions import functions_in
from models.provenance.sources import parsed

# Metadata of a dataclass field that says how work is done, and changes no result.
NO_RESULT = {"result": False}
# One function, or several that do the work together.
Work = Definition | Callable[..., object] | tuple[Definition | Callable[..., object], ...]


def address_of(
    work: Work, *, inputs: object = None, settings: object = (), choices: Choices | None = None
) -> str:
    """Returns the address of one piece of work, 16 hex digits.

    work: the function that does it. inputs: content of what it works on, as JSON knows values.
    settings: a frozen dataclass, or several, of which those fields count that the closure of the
    work reads. choices: rows of tables that it looks up (`models.provenance.closure`).
    """
    code, values = reads(work, settings, choices)
    # keys in one order: that of a dictionary is the order in which it was filled
    text = json.dumps([inputs, values, code], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def reads(
    work: Work, settings: object = (), choices: Choices | None = None
) -> tuple[str, list[dict[str, Any]]]:
    """Returns (digest of the code, for each of the settings: field -> value of those that it
    reads).
    """
    roots = [name_of(root) for root in (work if isinstance(work, tuple) else (work,))]
    values = settings if isinstance(settings, tuple) else (settings,)
    kinds = sorted({name_of(kind) for value in values for kind in classes_of(value)})
    rows = {table: sorted(keys) for table, keys in (choices or {}).items()}
    names = [[item.name for item in fields(value)] for value in values]
    digest, read = noted(
        ["reads", roots, kinds, rows, names], lambda: names_read(roots, kinds, rows, names)
    )
    return digest, [fields_of(value, own) for value, own in zip(values, read)]


def names_read(
    roots: Sequence[Definition],
    kinds: Sequence[Definition],
    choices: Choices,
    names: Sequence[Sequence[str]],
) -> tuple[str, list[list[str]]]:
    """Returns (digest of the code, for each list of names those that it reads). kinds: classes of
    the settings.
    """
    # Without the classes of the settings: their checks read all fields, and change no result. Their
    # methods and properties count where they are read.
    left_out = {**choices, **dict.fromkeys(kinds, ())}
    methods: set[Definition] = set()
    closure = closure_of(*roots, choices=left_out)
    # a method that is read may read further ones: again, until none is added
    while more := methods_read(kinds, closure) - methods:
        methods |= more
        closure = closure_of(*roots, *sorted(methods), choices=left_out)
    return closure.digest(), [[name for name in own if name in closure.attributes] for own in names]


def code_digest(root: Definition | Callable[..., object]) -> str:
    """Returns the digest of what a function or class is made of, 16 hex digits."""
    name = name_of(root)
    digest: str = noted(["digest", name], lambda: closure_of(name).digest())
    return digest


def classes_of(value: object) -> set[type]:
    """Returns the class of a dataclass value, and those of its fields that are such values. Raises
    TypeError for any other value.
    """
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"settings are dataclasses, got {type(value).__name__}")
    inner = (getattr(value, item.name) for item in fields(value))
    return {type(value), *(type(part) for part in inner if is_dataclass(part))}


def methods_read(kinds: Iterable[Definition], closure: Closure) -> set[Definition]:
    """Returns the methods and properties of classes that a closure reads."""
    names = set()
    for kind in kinds:
        module, _, name = kind.partition(":")
        source = parsed(module)
        for node in source.definitions[name] if source is not None else ():
            methods = functions_in(node).keys() & closure.attributes
            names |= {f"{kind}.{method}" for method in methods}
    return names


def fields_of(value: Any, names: Collection[str]) -> dict[str, Any]:
    """Returns field -> value of those fields of a dataclass that are among `names` and change
    results.
    """
    rows = {
        item.name: getattr(value, item.name)
        for item in fields(value)
        if item.name in names and item.metadata.get("result", True)
    }
    return {
        name: asdict(row) if is_dataclass(row) and not isinstance(row, type) else row
        for name, row in rows.items()
    }
