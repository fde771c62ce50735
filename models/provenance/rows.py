"""A ledger of small results: one JSON file with a row for each address."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.provenance.seals import read_sealed_json, write_sealed_json

Row = dict[str, Any]


class RowLedger:
    """Rows under addresses. The file is read when this is made; `extend` writes it anew. A damaged
    file is set aside, and its rows are made again.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.rows: dict[str, Row] = read_sealed_json(self.path) or {}

    def __contains__(self, address: str) -> bool:
        return address in self.rows

    def __getitem__(self, address: str) -> Row:
        return self.rows[address]

    def extend(self, rows: Mapping[str, Row]) -> None:
        """Adds rows; the file is replaced at once."""
        if rows:
            self.rows.update(rows)
            write_sealed_json(self.path, self.rows)
