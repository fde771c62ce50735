"""A run on this machine: TFX's local runner, ML metadata in SQLite, one line a node, errors that
say what to do.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path

from models.provenance.numbered import newest_with
from tfx_pipeline import quiet
from tfx_pipeline.config import Config
from tfx_pipeline.data_place import check_data_there, fingerprint_of
from tfx_pipeline.faults import RESUMES, RunError, check_space, disk_full, reason
from tfx_pipeline.fingerprint import KNOWN
from tfx_pipeline.history.recorder import record_run
from tfx_pipeline.relocation import rewrite_places
from tfx_pipeline.run_lock import lock_run


def run_pipeline(
    config: Config,
    data: Path,
    run: Path,
    beam: Iterable[str] = (),
    force: str = "",
) -> dict[str, Path]:
    """Runs every node that is not cached, with a line a node on stderr, and returns where its
    results are: {"report": index.html, "serving": folder that a server polls}.

    beam: options for every Beam stage. force: why gates that refuse are passed all the same, "" for
    not. Raises RunError, in one line, for what failed; FileNotFoundError for data that are not
    there.
    """
    if not run.exists():
        # a wrong path must not leave a folder behind
        check_data_there(str(data))
    with lock_run(run):
        # before anything reads what the run knows of itself
        rewrite_places(run)
        with record_run(run, config, str(data)) as recorder:
            since = time.time()
            # before TFX is loaded: a folder without data, or one that did not change, is known
            # within a second
            recorder.saw(fingerprint_of(str(data), run / KNOWN))
            check_space(run)
            # trainers and Beam's workers inherit the environment
            quiet.before_imports()
            run_nodes(config, data, run, recorder.data["fingerprint"], beam, force)
    print(f"pipeline: {time.time() - since:.0f} s", file=sys.stderr)
    return outputs(run)


def run_nodes(
    config: Config,
    data: Path,
    run: Path,
    fingerprint: str,
    beam: Iterable[str],
    force: str,
) -> None:
    """Runs the nodes of the pipeline by TFX's local runner. Raises RunError."""
    # now: TFX takes ten seconds to import, and everything above can fail before it
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    from tfx_pipeline.artifact_seals import seal_artifacts
    from tfx_pipeline.content_cache import compare_by_content
    from tfx_pipeline.pipeline import make_pipeline

    quiet.after_imports()
    pipeline = make_pipeline(
        config, data=str(data), run=str(run), fingerprint=fingerprint, beam=beam, force=force
    )
    progress = quiet.node_progress(len(pipeline.components))
    # both replace functions of TFX, and only inside this run
    with progress, compare_by_content(run), seal_artifacts(run):
        try:
            LocalDagRunner().run(pipeline)
        except Exception as error:
            # a full disk is said whoever met it; the deepest cause otherwise
            raise RunError(f"{disk_full(error, run) or reason(error)}{RESUMES}") from error


def outputs(run: Path) -> dict[str, Path]:
    """Returns where the newest report and the served versions of a finished run are. Raises
    RunError where there is no report yet.
    """
    # by the page itself: a run that was ended may have left an empty folder
    newest = newest_with(run / "artifacts" / "WriteReport" / "report", "index.html")
    if newest is None:
        raise RunError(f"no report below {run}: the pipeline has not finished there yet")
    return {"report": newest / "index.html", "serving": run / "serving" / "taxonomy"}
