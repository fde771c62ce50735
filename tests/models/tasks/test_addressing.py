"""What work on one task depends on: its own entry, and nothing of the others."""

import pytest

from models.provenance.address import address_of
from models.tasks import TASKS
from models.tasks.addressing import BY_KIND, DICTIONARY, LOSSES, MAKERS, rows_of, settings_of
from models.tasks.targets import MAKERS as TARGETS


@pytest.mark.parametrize("entry", TASKS.values(), ids=lambda entry: entry.name)
def test_rows_are_the_tasks_own(entry):
    rows = rows_of(entry)
    assert rows[DICTIONARY] == (), "its entry is a setting, others' are nothing"
    if not entry.trained:
        assert not any(rows.values())
        return
    assert rows[BY_KIND] == (entry.output.kind,) and rows[LOSSES] == (entry.loss,)
    assert rows[MAKERS] == (entry.make,) and entry.make in TARGETS


def test_settings_are_the_entry_and_the_facts_of_its_kind():
    entry = TASKS["normal"]
    assert settings_of(entry) == (entry, entry.output.facts)


def test_tasks_that_are_made_otherwise_have_other_addresses():
    from models.tasks.targets import target

    def address(name: str) -> str:
        entry = TASKS[name]
        return address_of((target,), settings=settings_of(entry), choices=rows_of(entry))

    assert address("normal") == address("normal") != address("reshading")
