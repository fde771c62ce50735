"""Beam's own Python job service, but with as many workers at a time as a job asks for
(`--direct_num_workers`): the released one always uses one.

    python -m beam_jobs.ingest.job_service --port 8099 --staging_dir DIR

The released service's runner reads that option only when it is given a pipeline in its own process,
not when a job comes over the portable protocol.
"""

from __future__ import annotations

import signal
import sys
from typing import Any

from apache_beam.options.pipeline_options import DirectOptions
from apache_beam.runners.portability import local_job_service, local_job_service_main
from apache_beam.runners.portability.fn_api_runner import fn_runner


class ManyWorkersRunner(fn_runner.FnApiRunner):
    """A FnApiRunner that splits the bundles of a portable job over `direct_num_workers` workers of
    the job's environment.
    """

    def run_via_runner_api(self, pipeline_proto: Any, options: Any) -> Any:
        # The option has become a string here, and the attribute has no public name.
        self._num_workers = int(options.view_as(DirectOptions).direct_num_workers or 1)
        return super().run_via_runner_api(pipeline_proto, options)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # the service makes its runner by this name
    local_job_service.fn_runner.FnApiRunner = ManyWorkersRunner
    local_job_service_main.run(sys.argv[1:])


if __name__ == "__main__":
    main()
