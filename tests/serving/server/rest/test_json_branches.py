"""docs/SERVING_REFERENCE.md lists every case of the JSON rules, and no other."""

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TEXT = (HERE.parents[3] / "docs" / "SERVING_REFERENCE.md").read_text(encoding="utf-8")
TABLES = {
    "test_json_text.py": ("SOUND", "BROKEN"),
    "test_json_tensors.py": ("TAKEN", "REFUSED", "ROWS", "BAD_ROWS", "BAD_COLUMNS"),
}


def cases(file: str, table: str) -> set[str]:
    """keys of a table of cases, from the file's syntax."""
    for node in ast.parse((HERE / file).read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == table:
            return {ast.literal_eval(key) for key in node.value.keys}
    raise LookupError(table)


def listed(file: str, table: str) -> set[str]:
    """of the document's rows `| FILE, TABLE | group: case; case |`."""
    conditions: set[str] = set()
    for row in re.findall(rf"^\| `{file}`, {table} \| (.*) \|$", TEXT, re.MULTILINE):
        conditions |= set(row.split("; "))
    return conditions


@pytest.mark.parametrize(
    "file, table", [(f, table) for f, names in TABLES.items() for table in names]
)
def test_the_document_lists_every_case(file, table):
    assert listed(file, table) == cases(file, table)
