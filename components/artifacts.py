"""Artifact types of the pipeline. Each is a directory; what lies in it stands in
docs/ARCHITECTURE.md.

PROPERTIES stay empty and numbers go into custom properties: Kubeflow accepts nothing else
(measured: its compiler refuses typed properties).
"""

from tfx.types import Artifact


class LabelBank(Artifact):
    """Every label decoded once into training targets, memory-mapped."""

    TYPE_NAME = "components.LabelBank"


class NetworkBank(Artifact):
    """Task networks: one directory a task."""

    TYPE_NAME = "components.NetworkBank"


class RepresentationBank(Artifact):
    """Frozen encoders' outputs over every view, float16."""

    TYPE_NAME = "components.RepresentationBank"


class ProxyTable(Artifact):
    """proxies.json: cheap predictions of every transfer."""

    TYPE_NAME = "components.ProxyTable"


class LossBank(Artifact):
    """Per-image test losses of every transfer and control."""

    TYPE_NAME = "components.LossBank"


class AffinityTable(Artifact):
    """affinities.json: win rates, gain, quality and affinity of every transfer, with intervals;
    resamples.npz: the bootstrap behind them; amounts.json, where transfers or supervised networks
    were measured with less data too: all amounts on one scale, without intervals; curves.json: with
    them, what each target reaches by amount.
    """

    TYPE_NAME = "components.AffinityTable"


class SeedTables(Artifact):
    """seed-1.json, ...: the affinity tables of the same measurement with other seeds."""

    TYPE_NAME = "components.SeedTables"


class TaxonomyList(Artifact):
    """taxonomies.json: the optimal policy of every budget and order, with its certificate."""

    TYPE_NAME = "components.TaxonomyList"


class EvidenceBook(Artifact):
    """evidence.json: significance, baselines, similarity tree."""

    TYPE_NAME = "components.EvidenceBook"


class TransferBank(Artifact):
    """The trained transfer networks of the chosen policy's edges."""

    TYPE_NAME = "components.TransferBank"


class ReportPages(Artifact):
    """index.html and the JSON files that it shows."""

    TYPE_NAME = "components.ReportPages"


class GateVerdict(Artifact):
    """verdict.json: what a gate says and why (`components.verdicts`). Of the gate before training,
    beside it: profile.json, schema.pbtxt and statistics, which later data are compared with.
    """

    TYPE_NAME = "components.GateVerdict"
