"""Reads the authors' released results: one object of key -> number, in which the last name of a key
is the target. Only this module knows how these files spell names.
"""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from models.tasks.arrays import Floats
from models.taxonomy.affinities import Affinities, Row, check_imported
from models.taxonomy.joined_names import all_told_apart
from models.taxonomy.table_files import decoded, number_of, read_object
from models.taxonomy.tournament.ahp import CLIP
from models.taxonomy.transfer import Transfer

SPECIAL = {"self": "supervised", "pixels": "scratch"}
# Errors that a damaged or foreign pickle raises while it is read.
DAMAGED = (pickle.UnpicklingError, EOFError, AttributeError, KeyError, IndexError)


class _NumbersOnly(pickle.Unpickler):
    """An unpickler that admits only numbers. A pickle may run any code, and the released ones hold
    dicts of numpy scalars, so every other name is refused.
    """

    ALLOWED = {
        ("numpy.core.multiarray", "scalar"),
        ("numpy", "dtype"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"),
        # how pickle writes bytes below protocol 3
        ("_codecs", "encode"),
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED:
            # anything else may run code
            raise pickle.UnpicklingError(
                f"{module}.{name} is not allowed in a results file (only numbers are)"
            )
        if module == "numpy.core.multiarray":
            # numpy 2 renamed this module; the files use the name of numpy 1
            module = "numpy._core.multiarray" if hasattr(np, "_core") else module
        return super().find_class(module, name)


def read_numbers(path: str | Path) -> dict[str, float]:
    """Returns key -> number from a released .json or .pkl file. Raises ValueError for anything
    else.
    """
    path = Path(path)
    try:
        content = content_of(path)
    except (*DAMAGED, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no released results file: {error}") from error
    if not isinstance(content, dict) or not all("__" in str(key) for key in content):
        raise ValueError(
            f"{path} is no released results file: expected one object of source__target keys"
        )
    # numpy's scalars, or JSON's numbers
    numbers = {key: number_of(str(path), str(key), value) for key, value in content.items()}
    missing = [key for key, value in numbers.items() if value is None]
    if missing:
        raise ValueError(f"{path}: {missing[0]} has no number; leave it out if it was not measured")
    return {str(key): value for key, value in numbers.items() if value is not None}


def content_of(path: Path) -> Any:
    """Returns the content of a .json or .pkl file."""
    if path.suffix.lower() == ".json":
        return read_object(path)
    # Python 2 wrote these files: latin1 reads its strings byte by byte
    return _NumbersOnly(io.BytesIO(path.read_bytes()), encoding="latin1").load()


def transfer_of(key: str) -> Transfer:
    """Returns the transfer of a key: `a__b__t` is Transfer((a, b), t), `self__t` is the supervised
    control and `pixels__t` the scratch control.
    """
    *sources, target = (name.strip() for name in key.split("__"))
    if len(sources) == 1 and sources[0] in SPECIAL:
        return Transfer((), target, control=SPECIAL[sources[0]])
    return Transfer(tuple(sources), target)


def transfers_of(keys: Iterable[str]) -> dict[str, Transfer]:
    """Returns key -> its transfer. Raises ValueError for a key that joins its sources by another
    sign if not all of them are known names (`joined_names`).
    """
    transfers = {key: transfer_of(key) for key in keys}
    targets = {transfer.target for transfer in transfers.values()}
    sources = all_told_apart([(key, one.sources) for key, one in transfers.items()], targets)
    return {
        key: replace(one, sources=tuple(names))
        for (key, one), names in zip(transfers.items(), sources)
    }


def read_published(path: str | Path) -> Affinities:
    """Returns the table of a released all_affinities file. Gain and quality come from the files
    wins_vs_pixels and wins_vs_task beside it, if they exist; networks from scratch ("pixels") are
    then placed on the scale of the transfers (`scratch_rows`). Raises ValueError that names the
    file.
    """
    path = Path(path)
    values = read_numbers(path)
    gain = rates_beside(path, "wins_vs_pixels")
    quality = rates_beside(path, "wins_vs_task")
    try:
        rows = [
            # the rates are stored under the same keys
            Row(transfer, values[key], gain.get(key), quality.get(key))
            for key, transfer in transfers_of(values).items()
        ]
        check_imported(rows)
        return Affinities((*rows, *scratch_rows(rows)), {})
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def rates_beside(path: Path, name: str) -> dict[str, float]:
    """Returns the win rates of the file `name` beside an all_affinities file; empty if there is
    none.
    """
    beside = path.with_name(path.name.replace("all_affinities", name))
    # a file whose name lacks "all_affinities" would be found as its own neighbour
    return read_numbers(beside) if beside != path and beside.exists() else {}


def scratch_rows(rows: list[Row]) -> list[Row]:
    """Returns one row for training from scratch on the few labels of a transfer, for every target
    whose rows all have gain and quality. Its affinity is on the scale of the target's.

    The released files give no affinity of "pixels", only its win rates. The AHP says of any player
    i that eigenvalue * v_i = sum_j r_ij v_j with r_ij = rate/(1 - rate). Divided by the same
    equation of the supervised network, whose rates are known too, this gives v_pixels = v_self *
    sum_j r_pixels,j v_j / sum_j r_self,j v_j.
    """
    by_target: dict[str, list[Row]] = {}
    for row in rows:
        by_target.setdefault(row.transfer.target, []).append(row)
    return [row for target, part in by_target.items() for row in scratch_row(target, part)]


def scratch_row(target: str, rows: list[Row]) -> list[Row]:
    """Returns the scratch row of one target as a list, which is empty if a number that it needs was
    not released or the row is there already.
    """
    own = next((row for row in rows if row.transfer.control == "supervised"), None)
    complete = all(row.gain is not None and row.quality is not None for row in rows)
    # with a missing rate the sum would not run over all players
    if own is None or own.gain is None or not complete:
        return []
    if any(row.transfer.control == "scratch" for row in rows):
        return []
    affinity = np.array([row.affinity for row in rows])
    against_scratch = odds_against(np.array([row.gain for row in rows]))
    against_own = odds_against(np.array([quality_of(row) for row in rows]))
    # over the supervised network the unknown eigenvalue cancels
    ratio = float(against_scratch @ affinity / (against_own @ affinity))
    scratch = Transfer((), target, control="scratch")
    # gain 0.5 against itself; quality is the share that the supervised network lost to it
    return [Row(scratch, own.affinity * ratio, 0.5, 1 - own.gain)]


def quality_of(row: Row) -> float | None:
    """Returns the quality of a row; 0.5 for a supervised network, which ties with itself whatever
    the file says.
    """
    return 0.5 if row.transfer.control == "supervised" else row.quality


def odds_against(rates: Floats) -> Floats:
    """Returns a control's entries [n] of W' against players that beat it at `rates` [n]."""
    clipped = np.clip(rates.astype(float), CLIP, 1 - CLIP)
    return (1 - clipped) / clipped


def read_any(path: str | Path) -> Affinities:
    """Returns the table of a file in our own format (JSON or CSV) or in the released one, told
    apart by suffix and content. Raises ValueError in one line with the file's name for anything
    else.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give the affinities.json in it")
    if not path.exists():
        raise ValueError(
            f"no file {path}; give an affinities.json, a CSV, or a released all_affinities file"
        )
    if path.suffix.lower() == ".pkl":
        return read_published(path)
    if path.suffix.lower() == ".json" and not is_own(path):
        return read_published(path)
    return Affinities.load(path)


def is_own(path: Path) -> bool:
    """Returns whether a JSON file is a table in our own format. Raises ValueError for a damaged
    file.
    """
    try:
        content = decoded(path)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no whole JSON file: {error}") from error
    # a file with columns as pandas writes them by default is ours, too: `Affinities.load` then says
    # which form is wanted
    return not isinstance(content, Mapping) or not {"rows", "sources", "data"}.isdisjoint(content)
