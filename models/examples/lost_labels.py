"""Says in words what an ingest lost, label by label: for the terminal, the gate before training and
the report. Files of a label that are there, but reach no view, are easily overlooked: views are
written without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.examples.camera_height import USUAL_HEIGHT
from models.tasks import DOMAINS

Counts = Mapping[str, Any]


@dataclass(frozen=True)
class LostLabel:
    """A label of which files were lost. carried: views that have the label. refused: views that
    were written without it, its file being flawed. misnamed: files in its folders whose names are
    not those of its files.
    """

    label: str
    carried: int
    refused: int
    misnamed: int

    @property
    def share(self) -> float:
        """Share of the views with a file of this label that go without the label. Misnamed files
        count only where there are no others: beside sound ones they may be copies in another
        format.
        """
        if self.refused:
            return self.refused / (self.refused + self.carried)
        return 0.0 if self.carried else 1.0

    def words(self) -> str:
        domain = DOMAINS[self.label]
        parts = []
        if self.refused:
            parts.append(
                f"its file is flawed in {self.refused} of {self.refused + self.carried} views, "
                "which go without it"
            )
        if self.misnamed:
            parts.append(
                f"{self.misnamed} files are not called point_P_view_V_domain_{domain.suffix}."
                f"{domain.file} and are not read"
            )
        whole = "" if self.carried else "; no view has this label"
        return f"{self.label}: {' and '.join(parts)}{whole}"


def lost_labels(counts: Counts, statistics: Counts) -> list[LostLabel]:
    """Returns the labels of which files were refused, gravest first. counts, statistics: what
    counts.json and statistics.json of an Examples artifact hold.
    """
    refusals = counts.get("labels_refused", {})
    misnamed = counts.get("labels_misnamed", {})
    labels = [
        LostLabel(
            label, carried_by(statistics, label), refusals.get(label, 0), misnamed.get(label, 0)
        )
        for label in sorted({*refusals, *misnamed})
    ]
    return sorted(labels, key=lambda loss: -loss.share)


def carried_by(statistics: Counts, label: str) -> int:
    """Returns how many views of all splits have the label."""
    rows = (split["labels"].get(label, {}) for split in statistics.values())
    return sum(row.get("views", 0) for row in rows)


def loss_lines(counts: Counts, statistics: Counts) -> list[str]:
    """Returns what was lost, a line each, gravest first; [] for a data set of which nothing was."""
    lines = []
    if counts["quarantined"]:
        lines.append(f"{counts['quarantined']} of {counts['read']} views are quarantined")
    lines += [loss.words() for loss in lost_labels(counts, statistics)]
    for folder, buildings in counts.get("folders_unknown", {}).items():
        meant = [label for label in DOMAINS if folder.lower() in label.split("_")]
        hint = f" (rename them if they hold {' or '.join(meant)})" if meant else ""
        lines.append(
            f"folders called {folder}, in {buildings} buildings: of no label, not read{hint}"
        )
    others = counts.get("files_refused", 0) - sum(counts.get("labels_misnamed", {}).values())
    if others > 0:
        lines.append(f"{others} files or folders cannot belong to a view by their names")
    if "labels_absent" in counts:
        absent = ", ".join(f"{label} of {n}" for label, n in counts["labels_absent"].items())
        lines.append(
            f"labels that are not there, though their buildings have them elsewhere: {absent} of "
            f"{counts['written']} views (ingest --strict refuses such views, if files were lost)"
        )
    if "scales_doubtful" in counts:
        low, high = USUAL_HEIGHT
        lines.append(
            f"by their depth, cameras of {counts['scales_doubtful']} buildings stand less than "
            f"{low:g} or more than {high:g} m above the floor: is depth in 1/512 m? If not, say "
            "depth_units_per_metre in dataset.json (millimetres: 1000)"
        )
    return lines
