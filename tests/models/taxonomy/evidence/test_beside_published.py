"""A run's table beside the released ones, with its noise and what it is held against."""

import json
from pathlib import Path

import numpy as np
import pytest
from made_run import table

from models.tasks import TASKS
from models.taxonomy import Affinities
from models.taxonomy.evidence.beside_published import beside_published, tables_digest

NAMES = ["normal", "reshading", "edge_texture", "keypoints2d", "class_scene", "depth_zbuffer"]
RELEASED = Path(__file__).parents[5] / "shared" / "published"


def released(folder: Path, measured: Affinities, name: str, noise: float, seed: int = 0) -> Path:
    """our own table in the released spelling, with noise; so small that none passes 1."""
    rng = np.random.default_rng(seed)
    folder.mkdir(exist_ok=True)
    values = {
        f"{TASKS[row.transfer.sources[0]].published}__{TASKS[row.transfer.target].published}": (
            0.01 * row.affinity * float(np.exp(noise * rng.normal()))
        )
        for row in measured.rows
        if row.transfer.order == 1
    }
    (folder / f"{name}.json").write_text(json.dumps(values))
    return folder


def test_the_same_table_agrees_wholly(tmp_path):
    measured = table(NAMES)
    facts = beside_published(measured, released(tmp_path, measured, "all_affinities_16k", 0.0))
    assert facts is not None
    assert facts["spearman"] == pytest.approx(1)
    assert facts["pairs"] == len(NAMES) * (len(NAMES) - 1)
    assert set(facts["targets"]) == {TASKS[name].published for name in NAMES} or set(
        facts["targets"]
    ) == set(NAMES)
    assert facts["ceiling"] is None
    low, high = (facts["baselines"]["random orders"][side] for side in ("low", "high"))
    assert low < 0 < high < 1


def test_the_ceiling_is_the_authors_smaller_table(tmp_path):
    measured = table(NAMES)
    released(tmp_path, measured, "all_affinities_16k", 2.0, 1)
    released(tmp_path, measured, "all_affinities_1k", 2.0, 1)
    facts = beside_published(measured, tmp_path)
    assert facts is not None
    assert facts["spearman"] < 0.99
    assert facts["ceiling"]["mean"]["spearman"] == pytest.approx(1)
    assert facts["low"] <= facts["spearman"] <= facts["high"]


def test_other_tasks_have_nothing_to_compare(tmp_path):
    measured = table(NAMES)
    released(tmp_path, measured, "all_affinities_16k", 0.0)
    assert beside_published(table(NAMES[:3]), tmp_path) is None


def test_a_folder_without_tables_is_refused(tmp_path):
    for asked in (
        lambda: beside_published(table(NAMES), tmp_path),
        lambda: tables_digest(tmp_path),
    ):
        with pytest.raises(FileNotFoundError, match="all_affinities_16k"):
            asked()


def test_the_digest_follows_the_tables(tmp_path):
    measured = table(NAMES)
    first = tables_digest(released(tmp_path, measured, "all_affinities_16k", 0.0))
    assert tables_digest(released(tmp_path, measured, "all_affinities_1k", 0.0)) != first


@pytest.mark.skipif(not RELEASED.exists(), reason="the released tables are not there")
def test_the_authors_own_tables_agree_as_was_measured():
    from models.taxonomy.tournament.published import read_published

    theirs = read_published(RELEASED / "all_affinities_1k.json")
    facts = beside_published(theirs, RELEASED)
    assert facts is not None and facts["ceiling"]["mean"]["spearman"] == facts["spearman"]
    assert 0.5 < facts["spearman"] < 0.9
