"""What the report reads of a data set it reads as ingest does."""

import json

import pytest
from published_set import write_set

from beam_jobs.ingest.job import ingest
from components.write_report import dataset_facts


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_description_that_ingest_reads_the_report_reads(tmp_path, encoding):
    data = write_set(tmp_path / "data", views=2)
    rows = [{"statistic": "made"}]
    text = json.dumps({"absent": ["normal"], "statistics": rows})
    (data / "dataset.json").write_text(text, encoding=encoding)
    ingest(str(data), str(tmp_path / "out"), size=16, shards=1)
    assert dataset_facts(str(tmp_path / "out"), str(data))["statistics"] == rows
