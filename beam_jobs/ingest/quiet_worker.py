"""Beam's worker process without its log: in which order it starts, opens channels and ends, and the
trace of an error that the process that gave it work tells too.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys


def main() -> None:
    logging.disable(logging.ERROR)
    # what ends the worker itself is told all the same: by the interpreter, after this block
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        # after the line above: Beam logs at its import
        from apache_beam.runners.worker import sdk_worker_main

        sdk_worker_main.main(sys.argv)


if __name__ == "__main__":
    main()
