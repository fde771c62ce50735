"""The pipeline graph: from a folder of views to a served taxonomy.

Tasks and transfers are rows inside a stage; `shards` splits a stage into parallel nodes. Each node
gets the configuration fields that its room reads and a hash of the sources that it runs, so that
TFX's cache (which sees parameters and inputs, never code) reuses what is unchanged.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tfx.components import ExampleValidator, SchemaGen, StatisticsGen
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.types.channel import BaseChannel

from beam_jobs.options import LOCAL_RUNNER, is_dask
from components.accepted import accepted_address, accepted_folder
from components.build_bundle import BuildBundle
from components.check_data import CheckData
from components.check_labels import CheckLabels
from components.check_quality import CheckQuality
from components.decode_labels import DecodeLabels
from components.encode_views import EncodeViews
from components.evaluate_taxonomy import EvaluateTaxonomy
from components.ingest_views import IngestViews
from components.join_shards import JoinLosses, JoinNetworks
from components.measure_affinities import MeasureAffinities
from components.measure_seeds import MeasureSeeds
from components.predict_transfers import PredictTransfers
from components.push_bundle import PushBundle
from components.solve_taxonomy import SolveTaxonomy
from components.sound_statistics import SoundStatisticsGen
from components.train_policy import TrainPolicy
from components.train_tasks import TrainTasks
from components.train_transfers import TrainTransfers
from components.validate_infra import ValidateInfra
from components.write_report import WriteReport
from models.networks.sources.description import SERVED, outside_sources
from models.provenance.address import code_digest
from models.tasks import TASKS, source_names, target_names
from models.taxonomy.evidence.beside_published import tables_digest
from serving.release.identity import served_address
from tfx_pipeline.config import Config, ConfigError
from tfx_pipeline.fingerprint import folder_fingerprint
from tfx_pipeline.history.beside import SOURCES
from tfx_pipeline.history.blessed import blessed_networks

# DirectRunner tries to download another runner from the network on every pipeline.
BEAM_ARGS = (f"--runner={LOCAL_RUNNER}",)
# Without a word about an image TFX packs itself anew for remote workers in every Beam node, two
# seconds each; where nobody asks for workers there are none.
NO_WORKERS = ("--sdk_container_image=none",)


@dataclass(frozen=True)
class Places:
    """Where the files of a run are, as its nodes are told. Paths are absolute; on a cluster `data`
    may be a place in an object store.
    """

    # Folder in the published layout, or a pattern of such.
    data: str
    # Digest of names and contents of the data.
    fingerprint: str
    # Folder of the ledgers.
    work: str
    # Folder that versions are pushed to.
    destination: str
    # Folder of the profile and lineage that were accepted last.
    accepted: str
    # Addresses of the accepted profile and of the version that serves; "" for none, and on a
    # cluster, where they are known when the step runs.
    profile: str
    served: str


@dataclass(frozen=True)
class DataNodes:
    """From the folder of data to labels that its gate has looked at."""

    example_gen: BaseNode
    statistics_gen: BaseNode
    schema_gen: BaseNode
    validator: BaseNode
    check_labels: BaseNode
    decode_labels: BaseNode
    check_data: BaseNode

    @property
    def examples(self) -> BaseChannel:
        return self.example_gen.outputs["examples"]

    @property
    def labels(self) -> BaseChannel:
        return self.decode_labels.outputs["labels"]

    @property
    def verdict(self) -> BaseChannel:
        return self.check_data.outputs["verdict"]


@dataclass(frozen=True)
class LearningNodes:
    """From labels to affinities. A stage of one shard has no node that joins its shards, and only
    a configuration with several seeds has `measure_seeds`.
    """

    train_tasks: list[BaseNode]
    join_networks: list[BaseNode]
    encode_views: BaseNode
    predict_transfers: BaseNode
    train_transfers: list[BaseNode]
    join_losses: list[BaseNode]
    measure_affinities: BaseNode
    measure_seeds: list[BaseNode]
    # Outputs of all shards together.
    networks: BaseChannel
    losses: BaseChannel

    @property
    def representations(self) -> BaseChannel:
        return self.encode_views.outputs["representations"]

    @property
    def proxies(self) -> BaseChannel:
        return self.predict_transfers.outputs["proxies"]

    @property
    def affinities(self) -> BaseChannel:
        return self.measure_affinities.outputs["affinities"]


@dataclass(frozen=True)
class ChoiceNodes:
    """From affinities to the trained policy, and to the evidence for it."""

    solve_taxonomy: BaseNode
    train_policy: BaseNode
    evaluate_taxonomy: BaseNode

    @property
    def taxonomies(self) -> BaseChannel:
        return self.solve_taxonomy.outputs["taxonomies"]

    @property
    def transfers(self) -> BaseChannel:
        return self.train_policy.outputs["transfers"]

    @property
    def evidence(self) -> BaseChannel:
        return self.evaluate_taxonomy.outputs["evidence"]


@dataclass(frozen=True)
class ReleaseNodes:
    """From the policy to the report, and to the version that serves."""

    write_report: BaseNode
    build_bundle: BaseNode
    validate_infra: BaseNode
    check_quality: BaseNode
    pusher: BaseNode


def make_pipeline(
    config: Config,
    *,
    data: str,
    run: str,
    root: str | None = None,
    fingerprint: str | None = None,
    beam: Iterable[str] = (),
    force: str = "",
) -> Pipeline:
    """The graph over the published layout at `data`; work and push destination below `run`.

    root: where artifacts go (default: run/artifacts). fingerprint: of the data, where this machine
    cannot read them. beam: options for every Beam stage; another --runner takes the place of ours.
    force: why gates that refuse are passed all the same, "" for not.
    """
    # artifacts and metadata hold absolute paths
    run = os.path.abspath(run)
    beam = list(beam)
    # On a cluster nothing is cached, and its folders are not those of this machine.
    here = not (root and "://" in root)
    if config.warm_start and not here:
        raise ConfigError(
            "warm_start reads the run's history on this machine, which a compiled pipeline does "
            "not have; compile without it"
        )
    places = places_of(data, run, fingerprint, here=here)
    # asked when the graph is made: the network that a task begins from is part of its own address
    blessed = blessed_networks(Path(run)) if config.warm_start else None
    outside = outside_sources(os.path.join(run, SOURCES))
    prepared = data_nodes(config, places, beam, force)
    learned = learning_nodes(config, places, prepared, blessed, outside)
    chosen = choice_nodes(config, places, prepared, learned, outside)
    released = release_nodes(config, places, prepared, learned, chosen, force)
    return Pipeline(
        pipeline_name="taskonomy",
        pipeline_root=root or os.path.join(run, "artifacts"),
        components=nodes_in_order(prepared, learned, chosen, released),
        enable_cache=True,
        metadata_connection_config=sqlite_metadata_connection_config(
            os.path.join(run, "metadata.sqlite")
        )
        # a compiled pipeline has the cluster's metadata
        if here
        else None,
        # a later option wins: another --runner takes the place of ours
        beam_pipeline_args=[*BEAM_ARGS, *(beam or NO_WORKERS)],
    )


def places_of(data: str, run: str, fingerprint: str | None, *, here: bool) -> Places:
    """Where the files of the run at `run`, an absolute path, are. fingerprint: of the data; None:
    they are read. here: does the run have its folders on this machine?
    """
    if "://" not in data:
        data = os.path.abspath(data)
    destination = os.path.join(run, "serving", "taxonomy")
    return Places(
        data=data,
        fingerprint=fingerprint or folder_fingerprint(data),
        work=os.path.join(run, "work"),
        destination=destination,
        accepted=accepted_folder(run),
        profile=accepted_address(run) if here else "",
        served=served_address(destination) if here else "",
    )


def nodes_in_order(
    *groups: DataNodes | LearningNodes | ChoiceNodes | ReleaseNodes,
) -> list[BaseNode]:
    """All nodes of dataclasses of nodes, in the order of their fields. Each follows what it depends
    on: the progress line counts them.
    """
    values = [getattr(group, entry.name) for group in groups for entry in fields(group)]
    flat = [each for value in values for each in (value if isinstance(value, list) else [value])]
    # a group may hold channels of its nodes, too
    return [each for each in flat if isinstance(each, BaseNode)]


def data_nodes(config: Config, places: Places, beam: list[str], force: str) -> DataNodes:
    """The nodes from the data's folder to the gate that looks at its labels. beam: options for
    Beam. force: why a gate that refuses is passed, "" for not.
    """
    example_gen = IngestViews(
        root=places.data,
        fingerprint=places.fingerprint,
        size=config.image_size,
        shards=config.example_shards,
        code=code_of(IngestViews),
        # the history looks for its artifacts by this name
    ).with_id("ExampleGen")
    examples = example_gen.outputs["examples"]
    skip = int(config.skip_damaged)
    if skip:
        statistics_gen = SoundStatisticsGen(examples=examples).with_id("StatisticsGen")
    else:
        statistics_gen = StatisticsGen(examples=examples)
    if is_dask(beam):
        # Beam's Dask runner computes one output of a job; statistics are one a split
        statistics_gen.with_beam_pipeline_args(BEAM_ARGS)
    schema_gen = SchemaGen(
        statistics=statistics_gen.outputs["statistics"], infer_feature_shape=False
    )
    validator = ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema_gen.outputs["schema"]
    )
    check_labels = CheckLabels(
        examples=examples, skip_damaged=skip, work=places.work, code=code_of(CheckLabels)
    )
    decode_labels = DecodeLabels(
        examples=examples,
        anomalies=check_labels.outputs["anomalies"],
        seed=config.seed,
        max_samples=config.max_samples,
        cache_bytes=config.cache_bytes,
        skip_damaged=skip,
        tasks=json.dumps(list(TASKS)),
        work=places.work,
        code=code_of(DecodeLabels),
    )
    # after the labels are decoded: the gate looks into them, not at records
    check_data = CheckData(
        examples=examples,
        statistics=statistics_gen.outputs["statistics"],
        schema=schema_gen.outputs["schema"],
        labels=decode_labels.outputs["labels"],
        accepted=places.accepted,
        known=places.profile,
        force=force,
        code=code_of(CheckData),
    )
    return DataNodes(
        example_gen=example_gen,
        statistics_gen=statistics_gen,
        schema_gen=schema_gen,
        validator=validator,
        check_labels=check_labels,
        decode_labels=decode_labels,
        check_data=check_data,
    )


def learning_nodes(
    config: Config,
    places: Places,
    prepared: DataNodes,
    blessed: Mapping[str, str] | None,
    outside: list[dict[str, Any]],
) -> LearningNodes:
    """The nodes from labels to affinities. blessed: networks that tasks begin from, None: they
    begin cold. outside: the sources from outside.
    """
    network = network_text(config)
    train_tasks = [
        TrainTasks(
            labels=prepared.labels,
            verdict=prepared.verdict,
            names=json.dumps(names),
            blessed=json.dumps(blessed, sort_keys=True),
            config=network,
            work=places.work,
            code=code_of(TrainTasks),
        ).with_id(f"TrainTasks{suffix}")
        for suffix, names in shard(list(source_names()), config.task_shards)
    ]
    # one artifact again, so that what follows does not know of shards
    join_networks, networks = join_shards(
        JoinNetworks, [node.outputs["networks"] for node in train_tasks]
    )
    encode_views = EncodeViews(
        labels=prepared.labels,
        networks=networks,
        names=json.dumps(list(source_names())),
        outside=json.dumps(outside, sort_keys=True),
        config=network,
        work=places.work,
        code=code_of(EncodeViews),
    )
    representations = encode_views.outputs["representations"]
    predict_transfers = PredictTransfers(
        labels=prepared.labels,
        representations=representations,
        targets=json.dumps(list(target_names())),
        order=min(2, max(config.orders)),  # larger sets follow from what was measured
        split=config.network.transfer_split,
        images=config.proxy_images,
        work=places.work,
        code=code_of(PredictTransfers),
    )
    train_transfers = [
        TrainTransfers(
            labels=prepared.labels,
            networks=networks,
            representations=representations,
            proxies=predict_transfers.outputs["proxies"],
            targets=json.dumps(names),
            share=config.measured_share,
            config=network,
            work=places.work,
            code=code_of(TrainTransfers),
        ).with_id(f"TrainTransfers{suffix}")
        for suffix, names in shard(list(target_names()), config.transfer_shards)
    ]
    join_losses, losses = join_shards(
        JoinLosses, [node.outputs["losses"] for node in train_transfers]
    )
    measure_affinities = MeasureAffinities(
        losses=losses,
        resamples=config.resamples,
        seed=config.seed,
        work=places.work,
        code=code_of(MeasureAffinities),
    )
    measure_seeds = []
    if config.seeds > 1:
        again = MeasureSeeds(
            labels=prepared.labels,
            proxies=predict_transfers.outputs["proxies"],
            names=json.dumps(list(source_names())),
            targets=json.dumps(list(target_names())),
            outside=json.dumps(outside, sort_keys=True),
            seeds=config.seeds,
            share=config.measured_share,
            config=network,
            work=places.work,
            code=code_of(MeasureSeeds),
        )
        measure_seeds.append(again)
    return LearningNodes(
        train_tasks=train_tasks,
        join_networks=join_networks,
        encode_views=encode_views,
        predict_transfers=predict_transfers,
        train_transfers=train_transfers,
        join_losses=join_losses,
        measure_affinities=measure_affinities,
        measure_seeds=measure_seeds,
        networks=networks,
        losses=losses,
    )


def choice_nodes(
    config: Config,
    places: Places,
    prepared: DataNodes,
    learned: LearningNodes,
    outside: list[dict[str, Any]],
) -> ChoiceNodes:
    """The nodes from affinities to the policy and its evidence. outside: the sources from
    outside.
    """
    # what policies may buy: the same for the solver and the evidence
    offer = {
        "scratch": int(config.scratch),
        "costs": config.costs,
        "unserved": json.dumps([row["name"] for row in outside if row["form"] not in SERVED]),
    }
    solve_taxonomy = SolveTaxonomy(
        affinities=learned.affinities,
        budgets=json.dumps(list(config.budgets)),
        orders=json.dumps(list(config.orders)),
        code=code_of(SolveTaxonomy),
        **offer,
    )
    choice = choice_of(config)
    train_policy = TrainPolicy(
        labels=prepared.labels,
        networks=learned.networks,
        representations=learned.representations,
        taxonomies=solve_taxonomy.outputs["taxonomies"],
        config=network_text(config),
        work=places.work,
        code=code_of(TrainPolicy),
        **choice,
    )
    again = learned.measure_seeds
    # optional inputs are left out, not given as None
    repeats = {"repeats": again[0].outputs["tables"]} if again else {}
    evaluate_taxonomy = EvaluateTaxonomy(
        affinities=learned.affinities,
        taxonomies=solve_taxonomy.outputs["taxonomies"],
        proxies=learned.proxies,
        labels=prepared.labels,
        networks=learned.networks,
        losses=learned.losses,
        transfers=train_policy.outputs["transfers"],
        transfer_images=config.network.transfer_images,
        transfer_split=config.network.transfer_split,
        policies=config.random_policies,
        seed=config.seed,
        published=json.dumps(released_tables(config.published), sort_keys=True),
        code=code_of(EvaluateTaxonomy),
        **repeats,
        **choice,
        **offer,
    )
    return ChoiceNodes(
        solve_taxonomy=solve_taxonomy,
        train_policy=train_policy,
        evaluate_taxonomy=evaluate_taxonomy,
    )


def release_nodes(
    config: Config,
    places: Places,
    prepared: DataNodes,
    learned: LearningNodes,
    chosen: ChoiceNodes,
    force: str,
) -> ReleaseNodes:
    """The nodes from the policy to its report and to a version that serves. force: why a gate that
    refuses is passed, "" for not.
    """
    write_report = WriteReport(
        examples=prepared.examples,
        labels=prepared.labels,
        networks=learned.networks,
        representations=learned.representations,
        losses=learned.losses,
        affinities=learned.affinities,
        taxonomies=chosen.taxonomies,
        evidence=chosen.evidence,
        transfers=chosen.transfers,
        proxies=learned.proxies,
        # the whole configuration: the page and `add-source` read it from this node's parameters
        config=json.dumps(config.to_json(), sort_keys=True),
        root=places.data,
        fingerprint=places.fingerprint,
        code=code_of(WriteReport),
        **choice_of(config),
    )
    build_bundle = BuildBundle(
        networks=learned.networks,
        labels=prepared.labels,
        transfers=chosen.transfers,
        size=config.image_size,
        lineage=json.dumps({"config": config.name, "code": code_of(BuildBundle)}),
        code=code_of(BuildBundle),
    )
    validate_infra = ValidateInfra(
        model=build_bundle.outputs["model"],
        examples=prepared.examples,
        records=config.replayed_records,
        replays=config.replays,
        cold=int(config.cold_start),
        code=code_of(ValidateInfra),
    )
    check_quality = CheckQuality(
        model=build_bundle.outputs["model"],
        labels=prepared.labels,
        evidence=chosen.evidence,
        infra_blessing=validate_infra.outputs["blessing"],
        destination=places.destination,
        accepted=places.accepted,
        served=places.served,
        significance=config.significance,
        margin=config.margin,
        force=force,
        code=code_of(CheckQuality),
    )
    pusher = PushBundle(
        model=build_bundle.outputs["model"],
        policy_blessing=chosen.evaluate_taxonomy.outputs["blessing"],
        infra_blessing=validate_infra.outputs["blessing"],
        quality=check_quality.outputs["verdict"],
        data=prepared.verdict,
        destination=places.destination,
        accepted=places.accepted,
        served=places.served,
        code=code_of(PushBundle),
        # the history looks for its artifacts by this name
    ).with_id("Pusher")
    return ReleaseNodes(
        write_report=write_report,
        build_bundle=build_bundle,
        validate_infra=validate_infra,
        check_quality=check_quality,
        pusher=pusher,
    )


def network_text(config: Config) -> str:
    """The networks' fields as JSON, sorted: equal configurations are one text to TFX's cache."""
    return json.dumps(config.network_fields(), sort_keys=True)


def choice_of(config: Config) -> dict[str, int]:
    """Budget and order of the taxonomy that is trained and served."""
    return {"budget": config.default_budget, "order": config.default_order}


def released_tables(folder: str) -> dict[str, str] | None:
    """Folder and digest of the released affinities that a run is held against, as {"folder",
    "digest"}; None where `folder` is "". Raises FileNotFoundError.
    """
    if not folder:
        return None
    folder = os.path.abspath(folder)
    return {"folder": folder, "digest": tables_digest(folder)}


def code_of(component: type) -> str:
    """Digest, 16 hex digits, of all that a node runs: its component, and what that reaches."""
    # by place and name: what the component reaches is found from there
    return code_digest(f"{component.__module__}:{component.__name__}")


def shard(names: list[str], count: int) -> list[tuple[str, list[str]]]:
    """Deals names out over at most `count` nodes; returns for each the suffix of its id ("" for
    the only one) and its names.
    """
    # no node without a name
    count = min(count, len(names))
    # dealt out in turn, not cut: every node gets some of each part of the list
    return [("" if count == 1 else f"-{i}", names[i::count]) for i in range(count)]


def join_shards(component: type, channels: list[BaseChannel]) -> tuple[list[BaseNode], BaseChannel]:
    """Returns the node that joins the shards of a stage, in a list that is empty for one shard,
    and the channel of all shards together.
    """
    if len(channels) == 1:
        return [], channels[0]
    node = component(channels, code=code_of(component))
    return [node], node.outputs["joined"]
