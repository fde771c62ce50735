"""What TFX's cache cannot see: whether the content of a data folder has changed."""

from __future__ import annotations

import hashlib
import os


def folder_fingerprint(root: str) -> str:
    """16 hex digits over names and sizes of all files below `root`, and their times of change.

    root: a folder, or a pattern with {SPAN} of which the newest counts. Raises FileNotFoundError
    for a folder that is missing or holds no file.
    """
    digest, count = hashlib.sha256(), 0
    if "{" in root:
        from beam_jobs.ingest.spans import newest

        root = newest(root).root
    for folder, children, files in os.walk(root):
        children.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            state = os.stat(path)
            digest.update(
                f"{os.path.relpath(path, root)}\0{state.st_size}\0{state.st_mtime_ns}\n".encode()
            )
            count += 1
    if not count:
        raise FileNotFoundError(
            f"no data at {root}: expected buildings in the published layout "
            "(BUILDING/rgb/point_P_view_V_domain_rgb.png); "
            "`python -m beam_jobs annotate --out DIR` makes a procedural data set"
        )
    return digest.hexdigest()[:16]
