"""The authors' released results, solved: the known answers, in seconds."""

import json

import numpy as np
import pytest
from affinity_tables import PUBLISHED, there

from models.taxonomy import solve
from models.taxonomy.tournament.published import read_any, read_numbers, transfer_of
from models.taxonomy.transfer import Transfer


@there
@pytest.mark.parametrize(
    "budget, objective, supervised",
    [
        (1, 2.389261, {"denoise"}),
        (2, 3.436680, {"denoise", "rgb2sfnorm"}),
        (
            6,
            5.032826,
            {"class_places", "denoise", "edge2d", "keypoint2d", "keypoint3d", "rgb2sfnorm"},
        ),
    ],
)
def test_the_web_solvers_answers_come_out(budget, objective, supervised):
    policy = solve(read_any(PUBLISHED / "all_affinities_16k.json"), budget, 5)
    assert policy.objective == pytest.approx(objective, abs=1e-6)
    assert (set(policy.supervised), policy.status, policy.gap) == (supervised, "optimal", 0)


@there
@pytest.mark.parametrize(
    "budget, order, objective, supervised",
    [(1, 1, 0.64527, {"rgb2sfnorm"}), (3, 2, 1.58791, {"denoise", "edge3d", "rgb2sfnorm"})],
)
def test_the_papers_program_gives_the_papers_answers(budget, order, objective, supervised):
    policy = solve(
        read_any(PUBLISHED / "all_affinities.json"),
        budget,
        order,
        variant="paper",
        forbidden=frozenset({"random"}),
    )
    assert policy.objective == pytest.approx(objective, abs=1e-5)
    assert set(policy.supervised) == supervised


@there
def test_a_released_pickle_says_the_same_as_its_json():
    assert read_numbers(PUBLISHED / "original" / "all_affinities_16k.pkl") == pytest.approx(
        read_numbers(PUBLISHED / "all_affinities_16k.json")
    )


def test_a_pickle_that_runs_something_is_refused(tmp_path):
    import os
    import pickle

    class Evil:
        def __reduce__(self):
            return os.system, ("true",)

    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({"a__b": Evil()}))
    with pytest.raises(ValueError, match="not allowed"):
        read_numbers(path)


def test_names_of_released_keys():
    assert transfer_of("a__b__t") == Transfer(("a", "b"), "t")
    assert transfer_of("self__t") == Transfer((), "t", control="supervised")
    assert transfer_of("pixels__t") == Transfer((), "t", control="scratch")


def test_pixels_are_placed_by_the_win_rates_that_were_released(tmp_path):
    """a tournament of four players and their scratch network, told only by what the files tell."""
    worth = np.array([5.0, 3.0, 2.0, 1.0])
    names = ["self", "x", "y", "z"]
    keys = [f"{name}__t" for name in names]
    files = {
        "all_affinities": worth / worth.sum(),
        "wins_vs_task": worth / (worth + worth[0]),
        "wins_vs_pixels": worth / (worth + 1.5),
    }
    for name, values in files.items():
        content = dict(zip(keys, values.tolist()))
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    table = read_any(tmp_path / "all_affinities.json")
    scratch = table.of[Transfer((), "t", control="scratch")]
    assert scratch.affinity == pytest.approx(1.5 / worth.sum())
    assert (scratch.gain, scratch.quality) == (0.5, pytest.approx(1.5 / 6.5))
    assert not table.measured_here


@there
def test_released_files_offer_their_pixels_if_asked():
    table = read_any(PUBLISHED / "all_affinities_16k.json")
    without = solve(table, 1, 5)
    offered = solve(table, 1, 5, scratch=True)
    assert without.objective == pytest.approx(2.389261, abs=1e-6)
    assert offered.objective > without.objective and "scratch" in offered.ways


@pytest.mark.parametrize("text", ['{"a__b": 0.', "\xff", "[1, 2]", ""])
def test_a_damaged_file_is_refused_by_its_name(tmp_path, text):
    path = tmp_path / "damaged.json"
    path.write_bytes(text.encode("latin1"))
    with pytest.raises(ValueError, match="damaged.json"):
        read_any(path)


def test_a_folder_is_refused_by_its_name(tmp_path):
    with pytest.raises(ValueError, match=f"{tmp_path} is a folder"):
        read_any(tmp_path)
