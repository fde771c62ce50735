"""Beam's runner on this machine, whose worker processes say nothing that is no error, and whose
errors of files and of data are what they are with one process.

`--runner=beam_jobs.ingest.local_runner.LocalRunner`.
"""

from __future__ import annotations

import re
import shlex
import sys
from typing import Any

from apache_beam.portability import python_urns
from apache_beam.runners.portability.fn_api_runner import fn_runner

WORKER = "beam_jobs.ingest.quiet_worker"
# of users' data and disks; the last line of what a worker process tells of its error
TOLD = re.compile(r"^(OSError|ValueError): (.*)\Z", re.MULTILINE)


class LocalRunner(fn_runner.FnApiRunner):
    """FnApiRunner: within one process, or with `--direct_running_mode=multi_processing` in as many
    as `--direct_num_workers` says.
    """

    def run_via_runner_api(self, pipeline_proto: Any, options: Any) -> Any:
        for environment in pipeline_proto.components.environments.values():
            if environment.urn == python_urns.SUBPROCESS_SDK:
                line = f"{shlex.quote(sys.executable)} -W ignore -m {WORKER}"
                environment.payload = line.encode()
        try:
            return super().run_via_runner_api(pipeline_proto, options)
        except RuntimeError as error:
            raise as_in_one_process(error) from None


def as_in_one_process(error: RuntimeError) -> Exception:
    """the OSError or ValueError that a worker process tells of in `error`; else `error` itself."""
    told = TOLD.search(str(error).rstrip())
    if told is None:
        return error
    return OSError(told[2]) if told[1] == "OSError" else ValueError(told[2])
