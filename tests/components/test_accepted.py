"""The data that were accepted last."""

import pytest
from accepted_run import accepted_run

from components.accepted import (
    ACCEPTED,
    KEPT_SCHEMA,
    PROFILE,
    STATISTICS,
    accept,
    accepted_address,
    accepted_folder,
    accepted_profile,
    schema_beside,
)
from components.data_schema import SCHEMA


@pytest.fixture
def run(tmp_path):
    return accepted_run(tmp_path)


def test_accepted_data_have_an_address_that_a_kept_schema_changes(run, tmp_path):
    before = accepted_address(run)
    assert before and accepted_address(tmp_path / "other") == ""
    assert accepted_profile(run / ACCEPTED) == {"normal": {}}
    accept(str(tmp_path / "verdict"), run / ACCEPTED, {"records": 4.0})
    assert accepted_address(run) == before, "what was measured of the server is no part of it"
    (run / KEPT_SCHEMA).mkdir()
    (run / KEPT_SCHEMA / SCHEMA).write_text((run / ACCEPTED / SCHEMA).read_text())
    assert accepted_address(run) != before
    assert schema_beside(run / ACCEPTED) == run / KEPT_SCHEMA / SCHEMA
    assert sorted(path.name for path in (run / ACCEPTED).iterdir()) == sorted(
        ["figures.json", PROFILE, SCHEMA, STATISTICS]
    )


def test_nothing_accepted_is_no_profile_and_no_schema(tmp_path):
    (tmp_path / ACCEPTED).mkdir()
    assert accepted_profile(tmp_path / ACCEPTED) is None
    assert schema_beside(tmp_path / ACCEPTED) is None
    assert accepted_folder(tmp_path) == str(tmp_path / ACCEPTED)
