"""When is a stage over views a Beam job? When workers were asked for: within one process Beam has
nothing to spread, and the stages' own way (in one process, from some thousands of views on in a
process a core) gives the same bytes sooner.
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
# Beam's Dask runner computes one output of a job and loses what a bundle's end gives: ingest is
# made for that, these stages were not tried with it.
NOT_TRIED = ("DaskRunner",)


def spreads(pipeline: Any) -> bool:
    """does an unstarted Beam pipeline (None for none) run in several processes or elsewhere?"""
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
