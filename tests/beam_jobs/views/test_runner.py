"""A stage over views is a Beam job where workers were asked for, and nowhere else."""

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from beam_jobs.views.runner import spreads
from tfx_pipeline.pipeline import BEAM_ARGS, NO_WORKERS


@pytest.mark.parametrize(
    "asked, expected",
    [
        ((), False),
        (NO_WORKERS, False),
        (["--direct_num_workers=4"], False),  # within one process there is nothing to spread
        (["--direct_running_mode=multi_processing"], False),
        (["--direct_running_mode=multi_processing", "--direct_num_workers=2"], True),
        (["--direct_running_mode=multi_processing", "--direct_num_workers=0"], True),
        (["--runner=PortableRunner", "--job_endpoint=localhost:8099"], True),
        (["--runner=apache_beam.runners.dask.dask_runner.DaskRunner"], False),
    ],
)
def test_workers_that_were_asked_for_are_used(asked, expected):
    assert spreads(beam.Pipeline(options=PipelineOptions([*BEAM_ARGS, *asked]))) is expected


def test_without_a_pipeline_nothing_is_spread():
    assert not spreads(None)
