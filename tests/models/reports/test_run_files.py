"""Files of a run are read once, and refused in one line that names them."""

import pytest
from made_run import files, write_run

from models.reports.run_files import load_run


def test_a_whole_run_has_its_policy(tmp_path):
    run = load_run(write_run(tmp_path))
    assert (run.chosen["budget"], run.chosen["order"]) == (2, 2)
    assert run.transfers == 5 * 15


def test_a_truncated_file_is_named(tmp_path):
    write_run(tmp_path)
    (tmp_path / "networks.json").write_text('[{"task": "norm')
    with pytest.raises(ValueError, match=r"networks\.json cannot be read as JSON"):
        load_run(tmp_path)


def test_a_file_of_another_form_is_named(tmp_path):
    write_run(tmp_path, files() | {"curves": [1, 2]})
    with pytest.raises(ValueError, match=r"curves\.json holds a list, expected a dict"):
        load_run(tmp_path)


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path):
    write_run(tmp_path)
    (tmp_path / "edges.json").unlink()
    (tmp_path / "edges.json").mkdir()
    with pytest.raises(ValueError, match=r"edges\.json cannot be read"):
        load_run(tmp_path)


@pytest.mark.parametrize("place", ["", "nowhere"])
def test_a_folder_without_a_run_is_refused(tmp_path, place):
    with pytest.raises(ValueError, match="WriteReport"):
        load_run(tmp_path / place)
