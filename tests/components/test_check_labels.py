"""Labels that break the contract stop the pipeline; damaged shards too, unless they may be left
out.
"""

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from components.check_labels import CheckLabels
from components.content import CONTENT
from models.examples import check


class Artifact:
    def __init__(self, uri) -> None:
        self.uri = str(uri)
        self.told = {}

    def set_string_custom_property(self, name: str, value: str) -> None:
        self.told[name] = value


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """`checked(lines, damaged, skip)` runs the component over what `check_examples` found."""

    def run(lines, damaged=(), skip_damaged=0):
        differences = SimpleNamespace(
            lines=list(lines),
            more=0,
            views=8,
            damaged=list(damaged),
            lost=3 * len(damaged),
            all_lines=lambda: [*lines, *damaged],
        )
        monkeypatch.setattr(check, "check_examples", lambda uri: differences)
        anomalies = Artifact(tmp_path / "anomalies")
        function = CheckLabels.EXECUTOR_SPEC.executor_class._FUNCTION
        getattr(function, "__func__", function)(
            examples=Artifact(tmp_path),
            anomalies=anomalies,
            work=str(tmp_path / "work"),
            code="x",
            skip_damaged=skip_damaged,
        )
        return anomalies

    return run


def written(tmp_path):
    return json.loads((tmp_path / "anomalies" / "contract_anomalies.json").read_text())


def test_sound_labels_go_on_and_their_content_is_said(checked, tmp_path, capsys):
    anomalies = checked([])
    assert written(tmp_path) == [] and anomalies.told[CONTENT]
    assert "8 views checked, 0 lost" in capsys.readouterr().err


def test_a_broken_label_stops_the_pipeline_with_the_first_one_and_the_place_of_all(
    checked, tmp_path
):
    with pytest.raises(ValueError, match="2 labels of 8 views break the contract, the first: a .*"):
        checked(["a depth of -1", "b"])
    assert written(tmp_path) == ["a depth of -1", "b"], "all are kept"


def test_damaged_shards_stop_it_unless_they_may_be_left_out(checked, tmp_path, capsys):
    with pytest.raises(ValueError, match="1 shards are damaged, 3 views lost.*skip_damaged=true"):
        checked([], ["train-00000 is cut"])
    assert checked([], ["train-00000 is cut"], skip_damaged=1).told
    assert written(tmp_path) == ["train-00000 is cut"]
    with pytest.raises(ValueError, match="break the contract"):
        checked(["a"], ["train-00000 is cut"], skip_damaged=1)


@pytest.mark.parametrize("lines, damaged", [(["a", "b"], []), ([], ["train-00000 is cut"])])
def test_the_file_that_an_error_names_outlives_the_outputs_of_the_failed_node(
    checked, tmp_path, lines, damaged
):
    with pytest.raises(ValueError) as failed:
        checked(lines, damaged)
    shutil.rmtree(tmp_path / "anomalies")  # as TFX does
    named = Path(re.search(r"All: (\S+?)\. ", str(failed.value))[1])
    assert json.loads(named.read_text()) == [*lines, *damaged]
    checked([])
    assert not named.exists(), "it would speak of views that were mended"
