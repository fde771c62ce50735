"""A building is complete where its folder was made with the parameters of the job."""

import json
from dataclasses import replace

import pytest

from beam_jobs.annotate.building_job import BuildingJob


@pytest.fixture
def job(tmp_path) -> BuildingJob:
    """a job whose building lies complete in its place, with one view fewer than was asked for."""
    job = BuildingJob(tmp_path, 5, 3, 32)
    job.folder.mkdir()
    facts = {**job.parameters(), "views": 2}
    (job.folder / "building.json").write_text(json.dumps(facts))
    return job


def test_a_building_of_the_same_parameters_is_complete_however_many_views_came_out(job):
    assert job.complete()


@pytest.mark.parametrize("parameter", [{"number": 6}, {"views": 4}, {"size": 48}])
def test_a_building_of_another_parameter_is_not_complete(job, parameter):
    assert not replace(job, **parameter).complete()


def test_a_building_of_another_generator_is_not_complete(job, monkeypatch):
    monkeypatch.setattr("beam_jobs.annotate.building_job.GENERATOR", 0)
    assert not job.complete()
