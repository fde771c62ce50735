"""Resources: defaults a preset, a file in their place, mistakes named."""

import pytest

from tfx_pipeline.cluster.resources import (
    NVIDIA,
    PAPER,
    Resources,
    defaults,
    read_resources,
    resources_of,
    stage_of,
)
from tfx_pipeline.config import ConfigError, configuration

STAGES = {"TrainTasks", "TrainTransfers", "ExampleGen"}


def test_the_papers_training_stages_have_a_gpu_and_a_laptops_have_none():
    paper, laptop = (defaults(configuration(name, [])) for name in ("paper", "laptop"))
    for stage in ("TrainTasks-25", "TrainTransfers-0", "EncodeViews", "TrainPolicy"):
        assert resources_of(stage, paper).gpu == 1
        assert resources_of(stage, laptop).gpu == 0
    assert resources_of("SolveTaxonomy", paper) == PAPER["default"]


def test_shards_take_what_their_stage_is_given(tmp_path):
    file = tmp_path / "resources.yaml"
    file.write_text("TrainTasks: {cpu: 3.5, memory: 12Gi, gpu: 2, accelerator: NVIDIA_L4}\n")
    table = read_resources(file, configuration("smoke", []), STAGES)
    assert resources_of("TrainTasks-7", table) == Resources(3.5, "12Gi", 2, "NVIDIA_L4")
    assert resources_of("ExampleGen", table) == defaults(configuration("smoke", []))["default"]


def test_a_spec_says_numbers_and_quantities():
    spec = Resources(cpu=2, memory="8G", gpu=1).to_spec()
    assert (spec["cpuLimit"], spec["resourceCpuLimit"]) == (2.0, "2")
    assert (spec["memoryLimit"], spec["resourceMemoryLimit"]) == (8.0, "8G")
    assert spec["accelerator"]["resourceType"] == NVIDIA
    assert Resources().to_spec() == {}


@pytest.mark.parametrize(
    "text, message",
    [
        ("TrainTask: {cpu: 1}", "unknown stage 'TrainTask'; did you mean TrainTasks"),
        ("TrainTasks: {cpus: 1}", "unknown field 'cpus'; did you mean cpu"),
        ("TrainTasks: {memory: much}", "memory is a whole number above 0 with a unit"),
        ("TrainTasks: {memory: 8}", "memory is a whole number above 0 with a unit"),
        ("TrainTasks: {memory: 0G}", "memory is a whole number above 0"),
        ("TrainTasks: {cpu: .inf}", "cpu is a number of at least 0"),
        ("TrainTasks: {cpu: .nan}", "cpu is a number of at least 0"),
        ("TrainTasks: {gpu: -1}", "gpu is a number of at least 0"),
        ("TrainTasks: {cpu: true}", "cpu is a number"),
        ("TrainTasks: 8", "a table of stages"),
        ("[", "cannot be read as resources"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line_with_its_name(tmp_path, text, message):
    file = tmp_path / "resources.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        read_resources(file, configuration("smoke", []), STAGES)
    assert "\n" not in str(error.value) and str(file) in str(error.value)


def test_a_stages_name_is_a_steps_without_its_number():
    names = ("TrainTasks-12", "TrainTasks", "Join-Networks")
    assert [stage_of(name) for name in names] == ["TrainTasks", "TrainTasks", "Join-Networks"]
