"""The schema that a run's data must keep: what changed in the newest data, and keeping that."""

from __future__ import annotations

from pathlib import Path

from components.accepted import ACCEPTED, KEPT_SCHEMA, schema_beside
from components.data_schema import SCHEMA, changes, curate, read_schema
from models.provenance.atomic import write_text
from models.provenance.numbered import newest_with
from tfx_pipeline.faults import RunError


def review(run: Path, accept: bool) -> list[str]:
    """Returns lines on what the newest data's schema says otherwise than the kept one. accept: keep
    it from now on.

    Raises RunError where no data were looked at yet, ValueError for a kept file that is no schema.
    """
    newest = newest_schema(run)
    # curated, as the gate would hold it against the kept one
    present = curate(read_schema(newest))
    reference = schema_beside(run / ACCEPTED)
    lines = [f"newest data {newest}"]
    if reference is None:
        lines.append(f"no schema is kept yet; {len(present.feature)} features in the newest data")
    else:
        differences = changes(curate(read_schema(reference)), present)
        lines += [f"kept        {reference}", *(differences or ["nothing changed"])]
    if accept:
        goal = run / KEPT_SCHEMA / SCHEMA
        # written as found, curated: the owner may edit it
        write_text(goal, str(present))
        lines.append(f"kept from now on: {goal}")
    return lines


def newest_schema(run: Path) -> Path:
    """Returns the schema's file of the newest data that a run looked at. Raises RunError where
    there are none.
    """
    newest = newest_with(run / "artifacts" / "SchemaGen" / "schema", SCHEMA)
    if newest is None:
        raise RunError(
            f"no data were looked at below {run} yet: `python -m tfx_pipeline run --run {run} "
            "--data DIR` does"
        )
    return newest / SCHEMA
