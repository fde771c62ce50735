"""--beam: sets of options that the documents name are taken, mistakes are refused in one line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from beam_jobs.options import BeamOptionError, checked, is_dask
from tfx_pipeline.faults import reason

ROOT = Path(__file__).resolve().parents[2]
SETS = [
    re.findall(r"--beam=(\S+?)[` ]", row.replace("`", "` "))
    for row in (ROOT / "docs" / "OPERATIONS.md").read_text().splitlines()
    if row.startswith("|") and "--beam=" in row
]


@pytest.mark.parametrize("options", SETS, ids=lambda options: options[0])
def test_sets_of_options_in_the_documents_are_taken(options):
    assert checked(options) == options


def test_the_documents_name_every_runner():
    named = {option.partition("=")[2] for options in SETS for option in options}
    assert {"PortableRunner", "FlinkRunner", "SparkRunner", "DataflowRunner"} <= named


@pytest.mark.parametrize(
    "options", [options for options in SETS if "runner=" in options[0]], ids=lambda each: each[0]
)
def test_the_ingest_graph_is_serialised_with_the_options(options, tmp_path):
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from beam_jobs.ingest.job import ingested

    # Dataflow's own runner looks for its bucket as soon as it is made
    runner = "FnApiRunner" if "--runner=DataflowRunner" in options else None
    unstarted = beam.Pipeline(runner=runner, options=PipelineOptions(options))
    listing = {"root": "data", "stage": "stage", "splits": {}, "described": {}, "shards": 1}
    writing = {"stage": "stage", "size": 32, "shards": 1, "run": "r", "strict": False}
    ingested(unstarted, {"ash": ("ash",)}, listing | {"run": "r"}, writing)
    graph = unstarted.to_runner_api()
    names = [step.unique_name for step in graph.components.transforms.values()]
    assert {"List", "Gather", "Write"} <= set(names) and graph.SerializeToString()


@pytest.mark.parametrize(
    "option, message",
    [
        ("--runner=Nope", "Unexpected pipeline runner: Nope"),
        ("--direct_num_workers=many", "invalid int value: 'many'"),
        ("--runer=FlinkRunner", "did you mean --runner"),
        ("runner", "takes one option of Beam each time"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line(option, message):
    with pytest.raises(BeamOptionError, match=message) as error:
        checked([option])
    assert "\n" not in str(error.value)


def test_the_command_refuses_it_before_anything_runs(tmp_path):
    words = ["run", "--data", tmp_path, "--run", tmp_path / "run", "--beam=--runner=Nope"]
    process = subprocess.run(
        [sys.executable, "-m", "tfx_pipeline", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 1 and not (tmp_path / "run").exists()
    assert process.stderr.strip().splitlines()[-1].startswith("error: --beam: Unexpected pipeline")


def test_a_workers_traceback_ends_in_its_last_error():
    text = (
        "Traceback (most recent call last):\n  File 'x', line 1, in y\n"
        "ValueError: no views at DIR [while running 'Write']\n\nDuring handling of ...\n"
        "Traceback (most recent call last):\n  File 'z'\n"
        "RuntimeError: ValueError: no views at DIR [while running 'Write-ptransform-12']\n"
    )
    assert reason(RuntimeError(text)) == "RuntimeError: ValueError: no views at DIR"


@pytest.mark.parametrize(
    "options, answer",
    [
        ([], False),
        (["--runner=FnApiRunner"], False),
        (["--runner=DaskRunner"], True),
        (["--runner=apache_beam.runners.dask.dask_runner.DaskRunner"], True),
        (["--runner=DaskRunner", "--runner=FlinkRunner"], False),
        (["--direct_num_workers=2", "--runner=DaskRunner", "--dask_client_address=a"], True),
    ],
)
def test_dask_is_known_by_the_last_runner(options, answer):
    assert is_dask(options) is answer
