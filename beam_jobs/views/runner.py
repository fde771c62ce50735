"""Decides whether a stage over views runs as a Beam job: only where workers were asked for. Within
one process Beam has nothing to spread, and the stages' own way (one process, and from some
thousands of views on a process for each core) gives the same bytes sooner.
"""

from __future__ import annotations

from typing import Any

# Runners that, unless they are told otherwise, run within this process.
HERE = (
    "",
    "LocalRunner",
    "FnApiRunner",
    "DirectRunner",
    "SwitchingDirectRunner",
    "BundleBasedDirectRunner",
)
# Beam's Dask runner computes only one output of a job and loses what the end of a bundle gives.
# Ingest allows for that; these stages were not tried with it.
NOT_TRIED = ("DaskRunner",)


def spreads(pipeline: Any) -> bool:
    """Returns whether an unstarted Beam pipeline runs in several processes or elsewhere; False if
    it is None.
    """
    from apache_beam.options.pipeline_options import DirectOptions, StandardOptions

    if pipeline is None:
        return False
    runner = pipeline.options.view_as(StandardOptions).runner or ""
    name = runner.rpartition(".")[2]
    if name in NOT_TRIED:
        return False
    if name not in HERE:
        return True
    direct = pipeline.options.view_as(DirectOptions)
    return direct.direct_running_mode != "in_memory" and direct.direct_num_workers != 1
