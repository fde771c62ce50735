"""Beam's runner on this machine, with worker processes that print nothing but errors. Errors of
files and of data are raised with the types that they have when everything runs in one process.

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
# errors of users' data and disks, in the last line of the traceback that a worker process sends
TOLD = re.compile(r"^(OSError|ValueError): (.*)\Z", re.MULTILINE)


class LocalRunner(fn_runner.FnApiRunner):
    """A FnApiRunner within one process, or with `--direct_running_mode=multi_processing` in as many
    processes as `--direct_num_workers` says.
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
    """Returns the OSError or ValueError that a worker process reports in `error`, else `error`
    itself.
    """
    match = TOLD.search(str(error).rstrip())
    if match is None:
        return error
    return OSError(match[2]) if match[1] == "OSError" else ValueError(match[2])
