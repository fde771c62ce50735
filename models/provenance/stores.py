"""Maps addresses in object stores to the folders of this machine that stand for them.

A store's folder is called after its scheme: gs://BUCKET is ROOT/gcs/BUCKET, s3://BUCKET is
ROOT/s3/BUCKET, minio://BUCKET is ROOT/minio/BUCKET. Kubeflow's launcher brings a step's inputs
there, other pods see nothing of them: what one step writes down for later ones is an address.
"""

from __future__ import annotations

import os
from pathlib import Path

STORES = {"gs://": "gcs", "s3://": "s3", "minio://": "minio"}
# Environment variable: ROOT, where stores are mounted (by gcsfuse and its like; / on Vertex AI).
MOUNTED = "TASKONOMY_STORES"
# Folder -> address, for folders that were brought to this machine.
ADDRESSES: dict[str, str] = {}


def local_path(uri: str, root: str) -> str:
    """Returns the folder below `root` that stands for an address; other addresses and paths are
    returned as they are.
    """
    for scheme, folder in STORES.items():
        if uri.startswith(scheme):
            # the launcher cuts what follows a question mark (a store's region and the like)
            return os.path.join(root, folder, uri[len(scheme) :].partition("?")[0])
    return uri


def here(uri: str) -> str:
    """Returns where an address is to be read on this machine: what was brought, else below the
    place where stores are mounted, else by the address itself.
    """
    for path, address in ADDRESSES.items():
        if uri == address or uri.startswith(f"{address}/"):
            return path + uri[len(address) :]
    root = os.environ.get(MOUNTED)
    return local_path(uri, root) if root else uri


def lasting(place: str) -> str:
    """Returns a path that holds from any folder or, for what was brought from a store, its
    address.
    """
    if "://" in place:
        return place
    path = str(Path(place).absolute())
    return ADDRESSES.get(path, path)
