"""The pipeline graph: from a folder of views to a served taxonomy.

Tasks and transfers are rows inside a stage; `shards` splits a stage into parallel nodes. Each node
gets the configuration fields that its room reads and a hash of the sources that it runs, so that
TFX's cache (which sees parameters and inputs, never code) reuses what is unchanged.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tfx.components import ExampleValidator, SchemaGen, StatisticsGen
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline

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
from components.train_policy import TrainPolicy
from components.train_tasks import TrainTasks
from components.train_transfers import TrainTransfers
from components.validate_infra import ValidateInfra
from components.write_report import WriteReport
from models.networks.sources.description import SERVED, outside_sources
from models.provenance.closure import closure_of
from models.tasks import TASKS, source_names, target_names
from models.taxonomy.evidence.beside_published import tables_digest
from serving.release.identity import served_address
from tfx_pipeline.config import Config, ConfigError
from tfx_pipeline.fingerprint import folder_fingerprint
from tfx_pipeline.history.blessed import blessed_networks
from tfx_pipeline.sources import SOURCES

# DirectRunner tries to download another runner from the network on every pipeline.
BEAM_ARGS = (f"--runner={LOCAL_RUNNER}",)
# Without a word about an image TFX packs itself anew for remote workers in every Beam node, two
# seconds each; where nobody asks for workers there are none.
NO_WORKERS = ("--sdk_container_image=none",)


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
    if "://" not in data:
        data = os.path.abspath(data)
    fingerprint = fingerprint or folder_fingerprint(data)
    work = os.path.join(run, "work")
    accepted = accepted_folder(run)
    destination = os.path.join(run, "serving", "taxonomy")
    # On a cluster nothing is cached, and its folders are not those of this machine.
    here = not (root and "://" in root)
    # "" on a cluster: what is served there is known when the step runs
    served = served_address(destination) if here else ""
    if config.warm_start and not here:
        raise ConfigError(
            "warm_start reads the run's history on this machine, which a compiled pipeline does "
            "not have; compile without it"
        )
    # asked when the graph is made: the network that a task begins from is part of its own address
    blessed = blessed_networks(Path(run)) if config.warm_start else None
    outside = outside_sources(os.path.join(run, SOURCES))
    # sorted: equal configurations are one text to TFX's cache
    network = json.dumps(config.network_fields(), sort_keys=True)
    example_gen = IngestViews(
        root=data,
        fingerprint=fingerprint,
        size=config.image_size,
        shards=config.example_shards,
        code=code_of(IngestViews),
        # the history looks for its artifacts by this name
    ).with_id("ExampleGen")
    examples = example_gen.outputs["examples"]
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
    skip = int(config.skip_damaged)
    check = CheckLabels(examples=examples, skip_damaged=skip, work=work, code=code_of(CheckLabels))
    decode = DecodeLabels(
        examples=examples,
        anomalies=check.outputs["anomalies"],
        seed=config.seed,
        max_samples=config.max_samples,
        cache_bytes=config.cache_bytes,
        skip_damaged=skip,
        tasks=json.dumps(list(TASKS)),
        work=work,
        code=code_of(DecodeLabels),
    )
    labels = decode.outputs["labels"]
    # after the labels are decoded: the gate looks into them, not at records
    check_data = CheckData(
        examples=examples,
        statistics=statistics_gen.outputs["statistics"],
        schema=schema_gen.outputs["schema"],
        labels=labels,
        accepted=accepted,
        known=accepted_address(run) if here else "",
        force=force,
        code=code_of(CheckData),
    )
    train_tasks = [
        TrainTasks(
            labels=labels,
            verdict=check_data.outputs["verdict"],
            names=json.dumps(names),
            blessed=json.dumps(blessed, sort_keys=True),
            config=network,
            work=work,
            code=code_of(TrainTasks),
        ).with_id(f"TrainTasks{suffix}")
        for suffix, names in shard(list(source_names()), config.task_shards)
    ]
    # one artifact again, so that what follows does not know of shards
    join_networks, networks = joined(
        JoinNetworks, [node.outputs["networks"] for node in train_tasks]
    )
    encode = EncodeViews(
        labels=labels,
        networks=networks,
        names=json.dumps(list(source_names())),
        outside=json.dumps(outside, sort_keys=True),
        config=network,
        work=work,
        code=code_of(EncodeViews),
    )
    representations = encode.outputs["representations"]
    predict = PredictTransfers(
        labels=labels,
        representations=representations,
        targets=json.dumps(list(target_names())),
        order=min(2, max(config.orders)),  # larger sets follow from what was measured
        split=config.network.transfer_split,
        images=config.proxy_images,
        work=work,
        code=code_of(PredictTransfers),
    )
    measure = [
        TrainTransfers(
            labels=labels,
            networks=networks,
            representations=representations,
            proxies=predict.outputs["proxies"],
            targets=json.dumps(names),
            share=config.measured_share,
            config=network,
            work=work,
            code=code_of(TrainTransfers),
        ).with_id(f"TrainTransfers{suffix}")
        for suffix, names in shard(list(target_names()), config.transfer_shards)
    ]
    join_losses, losses = joined(JoinLosses, [node.outputs["losses"] for node in measure])
    affinities = MeasureAffinities(
        losses=losses,
        resamples=config.resamples,
        seed=config.seed,
        work=work,
        code=code_of(MeasureAffinities),
    )
    repeats = []
    if config.seeds > 1:
        again = MeasureSeeds(
            labels=labels,
            proxies=predict.outputs["proxies"],
            names=json.dumps(list(source_names())),
            targets=json.dumps(list(target_names())),
            outside=json.dumps(outside, sort_keys=True),
            seeds=config.seeds,
            share=config.measured_share,
            config=network,
            work=work,
            code=code_of(MeasureSeeds),
        )
        repeats.append(again)
    # what policies may buy: the same for the solver and the evidence
    offer = {
        "scratch": int(config.scratch),
        "costs": config.costs,
        "unserved": json.dumps([row["name"] for row in outside if row["form"] not in SERVED]),
    }
    solve = SolveTaxonomy(
        affinities=affinities.outputs["affinities"],
        budgets=json.dumps(list(config.budgets)),
        orders=json.dumps(list(config.orders)),
        code=code_of(SolveTaxonomy),
        **offer,
    )
    choice = {"budget": config.default_budget, "order": config.default_order}
    policy = TrainPolicy(
        labels=labels,
        networks=networks,
        representations=representations,
        taxonomies=solve.outputs["taxonomies"],
        config=network,
        work=work,
        code=code_of(TrainPolicy),
        **choice,
    )
    evaluate = EvaluateTaxonomy(
        affinities=affinities.outputs["affinities"],
        taxonomies=solve.outputs["taxonomies"],
        proxies=predict.outputs["proxies"],
        labels=labels,
        networks=networks,
        losses=losses,
        transfers=policy.outputs["transfers"],
        transfer_images=config.network.transfer_images,
        transfer_split=config.network.transfer_split,
        policies=config.random_policies,
        seed=config.seed,
        published=json.dumps(released_tables(config.published), sort_keys=True),
        code=code_of(EvaluateTaxonomy),
        # optional inputs are left out, not given as None
        **({"repeats": repeats[0].outputs["tables"]} if repeats else {}),
        **choice,
        **offer,
    )
    report = WriteReport(
        examples=examples,
        labels=labels,
        networks=networks,
        representations=representations,
        losses=losses,
        affinities=affinities.outputs["affinities"],
        taxonomies=solve.outputs["taxonomies"],
        evidence=evaluate.outputs["evidence"],
        transfers=policy.outputs["transfers"],
        proxies=predict.outputs["proxies"],
        # the whole configuration: the page and `add-source` read it from this node's parameters
        config=json.dumps(config.to_json(), sort_keys=True),
        root=data,
        fingerprint=fingerprint,
        code=code_of(WriteReport),
        **choice,
    )
    bundle = BuildBundle(
        networks=networks,
        labels=labels,
        transfers=policy.outputs["transfers"],
        size=config.image_size,
        lineage=json.dumps({"config": config.name, "code": code_of(BuildBundle)}),
        code=code_of(BuildBundle),
    )
    infra = ValidateInfra(
        model=bundle.outputs["model"],
        examples=examples,
        records=config.replayed_records,
        code=code_of(ValidateInfra),
    )
    check_quality = CheckQuality(
        model=bundle.outputs["model"],
        labels=labels,
        evidence=evaluate.outputs["evidence"],
        infra_blessing=infra.outputs["blessing"],
        destination=destination,
        accepted=accepted,
        served=served,
        significance=config.significance,
        margin=config.margin,
        force=force,
        code=code_of(CheckQuality),
    )
    pusher = PushBundle(
        model=bundle.outputs["model"],
        policy_blessing=evaluate.outputs["blessing"],
        infra_blessing=infra.outputs["blessing"],
        quality=check_quality.outputs["verdict"],
        data=check_data.outputs["verdict"],
        destination=destination,
        accepted=accepted,
        served=served,
        code=code_of(PushBundle),
        # the history looks for its artifacts by this name
    ).with_id("Pusher")
    # in an order in which each follows what it depends on: the progress line counts them
    nodes = [
        example_gen,
        statistics_gen,
        schema_gen,
        validator,
        check,
        decode,
        check_data,
        *train_tasks,
        *join_networks,
        encode,
        predict,
        *measure,
        *join_losses,
        affinities,
        *repeats,
        solve,
        policy,
        evaluate,
        report,
        bundle,
        infra,
        check_quality,
        pusher,
    ]
    return Pipeline(
        pipeline_name="taskonomy",
        pipeline_root=root or os.path.join(run, "artifacts"),
        components=nodes,
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


def released_tables(folder: str) -> dict[str, str] | None:
    """{"folder", "digest"} of the released affinities that a run is held against, None without.
    Raises FileNotFoundError.
    """
    if not folder:
        return None
    folder = os.path.abspath(folder)
    return {"folder": folder, "digest": tables_digest(folder)}


def code_of(component: type) -> str:
    """16 hex digits over all that a node runs: its component, and what that reaches."""
    # by place and name: what the component reaches is found from there
    return closure_of(f"{component.__module__}:{component.__name__}").digest()


def shard(names: list[str], count: int) -> list[tuple[str, list[str]]]:
    """(suffix of the node's id, its names): names dealt out in turn over at most `count` nodes; one
    node has no suffix.
    """
    # no node without a name
    count = min(count, len(names))
    # dealt out in turn, not cut: every node gets some of each part of the list
    return [("" if count == 1 else f"-{i}", names[i::count]) for i in range(count)]


def joined(component: type, channels: list[Any]) -> tuple[list[Any], Any]:
    """the node that joins the shards of a stage (none for one shard), and the channel of them
    all.
    """
    if len(channels) == 1:
        return [], channels[0]
    node = component(channels, code=code_of(component))
    return [node], node.outputs["joined"]
