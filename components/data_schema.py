"""The kept schema of the examples, and what TFDV finds when new examples are held against it."""

import os
from pathlib import Path
from typing import Any, Dict, List, Optional

SCHEMA = "schema.pbtxt"
SPLITS = ("train", "val", "test")
# Names of views: every data set has its own, so that a domain of them would refuse any other.
NAMES = ("building", "key")
# As many numbers as there are: other points that a view happens to see.
COUNTED = ("points_in_view",)
# Numbers of which TFDV compares the distribution (Jensen-Shannon, in [0, 1]); maps are bytes to it,
# `models.gates` looks into them. Two buildings of the smallest data set differ by less.
COMPARED = ("camera", "class_object", "class_scene")
DIVERGENCE = 0.4
# Share of views that must carry a label that all accepted ones carry; single files are quarantined.
PRESENT = 0.95


def read_schema(path: Path) -> Any:
    """Schema in the file `path`. Raises ValueError for a file that is none."""
    import tensorflow_data_validation as tfdv

    try:
        return tfdv.load_schema_text(str(path))
    except Exception as error:  # of protobuf's text format, and of the file system
        raise ValueError(
            f"{path} cannot be read as a schema ({error}); `python -m tfx_pipeline schema RUN "
            "--accept` writes the one of RUN's newest data"
        ) from error


def curate(schema: Any) -> Any:
    """Copy of an inferred schema that says no more than is meant: no list of buildings, no number
    of other points, and room for single views without a label.
    """
    copy = type(schema)()
    copy.CopyFrom(schema)
    # copied: the kept schema stays as its owner wrote it
    for feature in copy.feature:
        if feature.name in NAMES:
            feature.ClearField("domain")
        if feature.name in COUNTED:
            feature.ClearField("value_count")
            # both forms in which TFDV infers how many values there are
            feature.ClearField("shape")
        # labels may be absent from single views; split and picture may not
        if feature.name not in (*NAMES, "split", "rgb"):
            feature.presence.min_fraction = min(feature.presence.min_fraction, PRESENT)
    # lists of names stand beside the features, and would be checked without one
    domains = [domain for domain in copy.string_domain if domain.name not in NAMES]
    del copy.string_domain[:]
    copy.string_domain.extend(domains)
    return copy


def anomalies(statistics: str, schema: Any, before: Optional[str] = None) -> List[str]:
    """Anomalies that TFDV finds, in its words, a line for each split and feature. statistics:
    folder of StatisticsGen's artifact; before: that of the accepted data, for drift.
    """
    import tensorflow_data_validation as tfdv

    lines = []
    compared = with_comparators(schema)
    for split in SPLITS:
        previous = None
        if before and os.path.exists(statistics_file(before, split)):
            # a split that was empty before has no statistics
            previous = tfdv.load_stats_binary(statistics_file(before, split))
        report = tfdv.validate_statistics(
            tfdv.load_stats_binary(statistics_file(statistics, split)),
            compared if previous is not None else schema,
            previous_statistics=previous,
        )
        for name, info in sorted(report.anomaly_info.items()):
            lines.append(f"{split}, {name}: {info.description}")
        # of the data set as a whole: too few examples and the like
        if report.HasField("dataset_anomaly_info"):
            lines.append(f"{split}: {report.dataset_anomaly_info.description}")
    return lines


def with_comparators(schema: Any) -> Any:
    """Copy of a schema that asks TFDV to compare distributions."""
    copy = type(schema)()
    copy.CopyFrom(schema)
    for feature in copy.feature:
        if feature.name in COMPARED:
            # Jensen-Shannon for numbers and categories alike; TFDV's other measure is for
            # categories alone
            feature.drift_comparator.jensen_shannon_divergence.threshold = DIVERGENCE
    return copy


def statistics_file(folder: str, split: str) -> str:
    """Path of a split's statistics below the folder of StatisticsGen's artifact."""
    return os.path.join(folder, f"Split-{split}", "FeatureStats.pb")


def changes(reference: Any, present: Any) -> List[str]:
    """Differences of a found schema from the kept one, a line a feature; both curated."""
    old, new = by_name(reference), by_name(present)
    lines = [f"{name}: no longer there" for name in sorted(set(old) - set(new))]
    lines += [f"{name}: new, {entry_text(new[name])}" for name in sorted(set(new) - set(old))]
    for name in sorted(set(old) & set(new)):
        if entry_text(old[name]) != entry_text(new[name]):
            lines.append(f"{name}: {entry_text(old[name])} is now {entry_text(new[name])}")
    return lines


def by_name(schema: Any) -> Dict[str, Any]:
    """Name -> entry of every feature of a schema."""
    return {feature.name: feature for feature in schema.feature}


def entry_text(feature: Any) -> str:
    """A feature's entry in one line, without its name."""
    return " ".join(str(feature).replace(f'name: "{feature.name}"', "").split())
