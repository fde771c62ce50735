"""The authors' released results, solved: the known answers, in seconds, without TensorFlow."""

import subprocess
import sys
from pathlib import Path

import pytest

from models.taxonomy import solve
from models.taxonomy.published import read_any, read_numbers, transfer_of
from models.taxonomy.similarity import similarity_tree
from models.taxonomy.transfer import Transfer

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = ROOT.parent / "shared" / "published"
there = pytest.mark.skipif(
    not PUBLISHED.exists(), reason="the published results of ../shared are not here"
)


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
    found = solve(read_any(PUBLISHED / "all_affinities_16k.json"), budget, 5)
    assert found.objective == pytest.approx(objective, abs=1e-6)
    assert (set(found.supervised), found.status, found.gap) == (supervised, "optimal", 0)


@there
@pytest.mark.parametrize(
    "budget, order, objective, supervised",
    [(1, 1, 0.64527, {"rgb2sfnorm"}), (3, 2, 1.58791, {"denoise", "edge3d", "rgb2sfnorm"})],
)
def test_the_papers_program_gives_the_papers_answers(budget, order, objective, supervised):
    found = solve(
        read_any(PUBLISHED / "all_affinities.json"),
        budget,
        order,
        variant="paper",
        forbidden=frozenset({"random"}),
    )
    assert found.objective == pytest.approx(objective, abs=1e-5)
    assert set(found.supervised) == supervised


@there
def test_solving_imports_neither_tensorflow_nor_tfx():
    code = (
        "import sys, runpy\n"
        "sys.argv = ['taxonomy', 'solve', '--affinities', "
        f"{str(PUBLISHED / 'all_affinities_16k.json')!r}, '--budget', '6', '--order', '5']\n"
        "try: runpy.run_module('models.taxonomy', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "heavy = {'tensorflow', 'tfx', 'keras', 'apache_beam'} & {name.split('.')[0] for "
        "name in sys.modules}\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "objective 5.032826" in done.stdout


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


@there
@pytest.mark.parametrize("method", ["ward", "average"])
def test_three_dimensional_tasks_form_one_cluster(method):
    from scipy.cluster.hierarchy import fcluster

    tree = similarity_tree(read_any(PUBLISHED / "all_affinities_16k.json"), method)
    solid = {"edge3d", "keypoint3d", "reshade", "rgb2depth", "rgb2mist", "rgb2sfnorm"}
    for count in range(2, 8):
        labels = dict(zip(tree["names"], fcluster(tree["linkage"], count, "maxclust")))
        if (
            len({labels[name] for name in solid}) == 1
            and labels["autoencoder"] != labels["rgb2depth"]
        ):
            return
    pytest.fail("no cut of the tree holds the 3D tasks together and apart from autoencoding")


def test_names_of_released_keys():
    assert transfer_of("a__b__t") == Transfer(("a", "b"), "t")
    assert transfer_of("self__t") == Transfer((), "t", control="supervised")
    assert transfer_of("pixels__t") == Transfer((), "t", control="scratch")
