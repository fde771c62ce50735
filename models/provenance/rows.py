"""A ledger of small results: one JSON file, a row an address."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.provenance.atomic import write_json

Row = dict[str, Any]


class RowLedger:
    """Rows under addresses. The file is read when this is made; `extend` writes it anew."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.rows: dict[str, Row] = json.loads(self.path.read_text()) if self.path.exists() else {}

    def __contains__(self, address: str) -> bool:
        return address in self.rows

    def __getitem__(self, address: str) -> Row:
        return self.rows[address]

    def extend(self, rows: Mapping[str, Row]) -> None:
        """add rows; the file is replaced at once."""
        if rows:
            self.rows.update(rows)
            write_json(self.path, self.rows)
