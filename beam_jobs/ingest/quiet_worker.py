"""Beam's worker process without its log, which tells how it starts, opens channels and ends, and
prints the tracebacks of errors that the process that gave it work reports as well.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys


def main() -> None:
    """Runs Beam's worker with its log and standard error switched off."""
    logging.disable(logging.ERROR)
    # an error that ends the worker itself still shows: the interpreter prints it after this block
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        # imported only here, since Beam logs while it is imported
        from apache_beam.runners.worker import sdk_worker_main

        sdk_worker_main.main(sys.argv)


if __name__ == "__main__":
    main()
