"""The ledger of measured transfers: a folder a target, losses under the content of what they depend
on, appended in whole files.

A transfer depends on its sources' networks, the amount of data, and on what the folder's name
stands for (the labels, settings and code): one more source, order or regime adds rows and touches
none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from models.provenance.seals import file_with_digest, files_with_digest
from models.tasks.arrays import Floats


class TransferLedger:
    """Rows of one target. Keys: JSON text; losses [sample] float32. A segment whose bytes are not
    those of its name is set aside; its rows are measured again.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.rows: dict[str, Floats] = {}
        for path in files_with_digest(self.folder, "segment-", ".npz"):
            with np.load(path) as file:
                self.rows.update(zip(json.loads(str(file["keys"])), file["losses"]))

    def __contains__(self, key: str) -> bool:
        return key in self.rows

    def __getitem__(self, key: str) -> Floats:
        return self.rows[key]

    def extend(self, rows: Mapping[str, Floats]) -> None:
        """add rows as one segment, which appears whole or not at all. Raises ValueError for losses
        that are not finite.
        """
        if not rows:
            return
        losses = np.stack(list(rows.values())).astype("float32")
        if not np.isfinite(losses).all():
            lost = [key for key, row in zip(rows, losses) if not np.isfinite(row).all()]
            raise ValueError(
                f"{len(lost)} of {len(rows)} transfers have losses that are no numbers, such "
                f"as {lost[0]}; nothing of them was kept"
            )
        name = hashlib.sha256(json.dumps(sorted(rows)).encode()).hexdigest()[:16]
        with file_with_digest(self.folder, f"segment-{name}", ".npz") as scratch:
            np.savez(scratch, keys=json.dumps(list(rows)), losses=losses)
        self.rows.update(zip(rows, losses))


def key_of(
    sources: Iterable[tuple[str, str]], regime: str, samples: str, control: str = "", own: str = ""
) -> str:
    """what one row depends on. sources: (name, content address) in order; samples: that taught it;
    own: what else a control depends on.
    """
    return json.dumps([list(map(list, sources)), regime, samples, control, own])
