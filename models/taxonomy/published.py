"""The authors' released results: one object of key -> number; the last name of a key is the target.
The only place that knows their spelling.
"""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path

from models.taxonomy.affinities import Affinities, Row
from models.taxonomy.transfer import Transfer

SPECIAL = {"self": "supervised", "pixels": "scratch"}


class _NumbersOnly(pickle.Unpickler):
    """a pickle may run anything; these hold dicts of numpy scalars, and nothing else is let in."""

    ALLOWED = {
        ("numpy.core.multiarray", "scalar"),
        ("numpy", "dtype"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"),
        ("_codecs", "encode"),
    }

    def find_class(self, module: str, name: str):
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(
                f"{module}.{name} is not allowed in a results file (only numbers are)"
            )
        if module == "numpy.core.multiarray":
            import numpy

            module = "numpy._core.multiarray" if hasattr(numpy, "_core") else module
        return super().find_class(module, name)


def read_numbers(path: str | Path) -> dict[str, float]:
    """key -> number from a released .json or .pkl. Raises ValueError for anything else."""
    data = Path(path).read_bytes()
    try:
        content = (
            json.loads(data)
            if Path(path).suffix == ".json"
            else _NumbersOnly(io.BytesIO(data), encoding="latin1").load()
        )
    except (
        pickle.UnpicklingError,
        json.JSONDecodeError,
        EOFError,
        AttributeError,
        KeyError,
        IndexError,
    ) as error:
        raise ValueError(f"{path} is no released results file: {error}") from error
    if not isinstance(content, dict) or not all("__" in str(key) for key in content):
        raise ValueError(
            f"{path} is no released results file: expected one object of source__target keys"
        )
    return {str(key): float(value) for key, value in content.items()}


def transfer_of(key: str) -> Transfer:
    """`a__b__t` -> Transfer((a, b), t); `self__t` supervised, `pixels__t` scratch."""
    *sources, target = key.split("__")
    if len(sources) == 1 and sources[0] in SPECIAL:
        return Transfer((), target, control=SPECIAL[sources[0]])
    return Transfer(tuple(sources), target)


def read_published(path: str | Path) -> Affinities:
    """a released all_affinities file, with gain and quality from wins_vs_pixels and wins_vs_task
    beside it where they are there.
    """
    path = Path(path)
    values, rates = read_numbers(path), {}
    for name in ("wins_vs_pixels", "wins_vs_task"):
        beside = path.with_name(path.name.replace("all_affinities", name))
        rates[name] = read_numbers(beside) if beside != path and beside.exists() else {}
    rows = [
        Row(
            transfer_of(key),
            value,
            rates["wins_vs_pixels"].get(key),
            rates["wins_vs_task"].get(key),
        )
        for key, value in values.items()
    ]
    return Affinities(tuple(rows), {})


def read_any(path: str | Path) -> Affinities:
    """our own table (JSON, CSV) or a released file, told apart by content."""
    path = Path(path)
    if not path.exists():
        raise ValueError(
            f"no file {path}; give an affinities.json, a CSV, or a released all_affinities file"
        )
    if path.suffix == ".pkl":
        return read_published(path)
    if path.suffix == ".json":
        content = json.loads(path.read_text() or "null")
        if isinstance(content, dict) and "rows" not in content:
            return read_published(path)
    return Affinities.load(path)
