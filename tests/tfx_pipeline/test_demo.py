"""What the demo asks the server about."""

import json

import pytest

from tfx_pipeline.demo import picture_to_ask
from tfx_pipeline.faults import RunError


def test_the_picture_is_of_a_building_that_no_network_learned_from(tmp_path):
    splits = {"a": "val", "b": "test", "c": "test", "d": "train"}
    for name in splits:
        for view in range(2):
            place = tmp_path / name / "rgb" / f"point_0_view_{view}_domain_rgb.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
    (tmp_path / "dataset.json").write_text(json.dumps({"splits": splits}))
    picture = picture_to_ask(tmp_path)
    assert picture == tmp_path / "c" / "rgb" / "point_0_view_1_domain_rgb.png"
    picture.unlink()
    assert picture_to_ask(tmp_path).name == "point_0_view_0_domain_rgb.png"


def test_without_a_test_picture_it_says_what_is_missing(tmp_path):
    (tmp_path / "dataset.json").write_text(json.dumps({"splits": {"a": "train"}}))
    with pytest.raises(RunError, match="no picture of a test building"):
        picture_to_ask(tmp_path)
