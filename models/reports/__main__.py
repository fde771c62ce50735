"""python -m models.reports --run DIR: draw the page of a finished run again from its JSON files
(sample pictures are not among them).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models.reports",
        description="Draw a run's report again.",
        epilog="example: python -m models.reports --run DIR",
    )
    parser.add_argument(
        "--run",
        type=Path,
        required=True,
        help="folder of affinities.json, taxonomies.json, evidence.json, networks.json, ...",
    )
    options = parser.parse_args(arguments)
    from models.reports import write_report
    from models.reports.summary import load_run

    missing = [
        name
        for name in ("affinities", "taxonomies", "evidence", "networks", "run")
        if not (options.run / f"{name}.json").exists()
    ]
    if missing:
        print(
            f"error: {options.run} holds no {', '.join(f'{name}.json' for name in missing)}; "
            "give the folder that WriteReport wrote",
            file=sys.stderr,
        )
        return 1
    print(write_report(options.run, run=load_run(options.run)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
