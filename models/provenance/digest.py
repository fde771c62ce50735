"""Digests of JSON values."""

from __future__ import annotations

import hashlib
import json


def digest_of(value: object) -> str:
    """Returns 16 hex digits that change with the value alone: keys of tables are sorted first."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
