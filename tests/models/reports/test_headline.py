"""The first screen says no more than was measured."""

from dataclasses import replace

from made_run import files, write_run

from models.reports.headline import (
    DOUBT,
    GOOD,
    chance_words,
    headline,
    saving_words,
    scratch_words,
)
from models.reports.page import write_report
from models.reports.policy_figures import policy_figures
from models.reports.run_files import load_run


def first_screen(folder, content=None):
    return headline(load_run(write_run(folder, content)))


def texts(first, tone=None) -> str:
    return " ".join(v.text for v in first.verdicts if tone in (None, v.tone))


def test_transferred_targets_are_counted_apart_from_supervised_ones(tmp_path):
    figures = first_screen(tmp_path).figures
    answer = load_run(tmp_path).chosen
    by_transfer = [edge["quality"] for edge in answer["edges"] if edge["sources"]]
    assert figures.transferred == len(by_transfer)
    assert figures.transferred + figures.supervised == figures.targets
    assert figures.quality_transferred == sum(by_transfer) / len(by_transfer)


def test_scratch_is_measured_on_the_targets_that_are_transferred(tmp_path):
    assert first_screen(tmp_path).figures.scratch_quality == 0.3


def test_what_is_bought_for_its_own_answer_feeds_itself_alone(tmp_path):
    policy = {
        "supervised": ["normal", "reshading", "denoising"],
        "edges": [
            {
                "target": "normal",
                "sources": [],
                "control": "supervised",
                "quality": 0.5,
                "gain": 0.9,
            },
            {
                "target": "reshading",
                "sources": [],
                "control": "supervised",
                "quality": 0.5,
                "gain": 1,
            },
            {"target": "depth_zbuffer", "sources": ["normal"], "quality": 0.3, "gain": 0.7},
        ],
    }
    figures = policy_figures(policy, [])
    assert figures.feeds == {"normal": 1, "reshading": 0, "denoising": 0}
    assert figures.alone == {"reshading"}, "denoising, free of cost, is no target"
    content = files()
    for answer in content["taxonomies"]:
        for edge in answer["edges"]:
            edge["sources"] = edge["sources"] and ["normal"]
    page = write_report(write_run(tmp_path, content)).read_text()
    assert page.count("<li>Reshading: itself alone</li>") == 1


def test_targets_learned_from_scratch_are_told_beside_those_that_are_reached(tmp_path):
    figures = first_screen(tmp_path).figures
    assert scratch_words(figures) == scratch_words(None) == ""
    assert scratch_words(replace(figures, scratch=3)) == ", 3 more from scratch"


def test_a_p_value_at_its_floor_is_said_as_a_bound():
    words = chance_words("random policies", {"p": 1 / 1001, "policies": 1000})
    assert "Better than all 1,000" in words
    assert "p at most 0.001" in words


def test_a_policy_that_chance_reaches_is_not_called_better():
    assert "Not clearly better" in chance_words("x", {"p": 0.118, "policies": 50})


def test_a_saving_below_zero_is_said_to_save_nothing():
    row = {"saved": -0.05, "images": 105, "independent": 100, "capped": False}
    assert saving_words(row).startswith("It saves nothing: it takes 105 labels")


def test_a_saving_made_of_noise_is_not_to_be_relied_on(tmp_path):
    content = files()
    policy = load_run(write_run(tmp_path, content)).chosen
    row = {"budget": policy["budget"], "order": policy["order"], "saved": 0.39}
    row |= {"images": 61, "independent": 100, "capped": False, "not_bought": None, "quality": 0.3}
    content["evidence"]["headline"] = [row]
    surely = {"p": 0.005, "policies": 1000, "measure": "quality", "verdict": "", "random": None}
    content["evidence"]["significance"] = surely
    content["evidence"]["stability"] = {
        "same": 0.9,
        "solves": 9,
        "chosen": {},
        "quality": None,
    }
    content["affinities"]["diagnostics"] = {}
    for network in content["networks"]:
        network["win_average"] = 0.95
    first = first_screen(tmp_path, content)
    assert len(first.marks) < len({r["target"] for r in content["affinities"]["rows"]}) / 2
    assert first.saving_doubt == "", "nothing speaks against it"
    assert "Not to be relied on" not in write_report(tmp_path).read_text()
    for network in content["networks"]:
        network["win_average"] = 0.5
    content["evidence"]["stability"]["same"] = 0.1
    row["not_bought"] = {"saved": -0.2, "images": 61, "independent": 51, "capped": False}
    first = first_screen(tmp_path, content)
    assert first.saving_doubt == (
        "Not to be relied on: the task networks are barely trained; other test pictures would "
        "choose other sources; at the run's own budget the targets that are not bought save "
        "nothing."
    )
    page = write_report(tmp_path).read_text()
    assert (
        "Not to be relied on: the task networks are barely trained" in page
        and 'class="figure quiet" data-slot="saved"' in page
    )


def test_both_tests_against_chance_are_shown(tmp_path):
    content = files()
    test = {"p": 0.5, "policies": 50, "measure": "quality", "verdict": "", "random": None}
    content["evidence"]["significance"] = {**test, "p": 0.001, "best_edges": test}
    first = first_screen(tmp_path, content)
    assert "the fairer test" in texts(first, DOUBT)
    assert "random policies" in texts(first, GOOD)


def test_a_lucky_source_is_named(tmp_path):
    content = files()
    bought = load_run(write_run(tmp_path, content)).chosen["supervised"]
    content["evidence"]["stability"] = {"same": 0.1, "solves": 9, "chosen": {bought[0]: 0.2}}
    assert "luck (fewer than half agree)" in texts(first_screen(tmp_path, content), DOUBT)


def test_networks_that_hardly_beat_a_constant_cast_doubt(tmp_path):
    content = files()
    for row in content["networks"]:
        row["win_average"] = 0.5
    assert "barely trained" in texts(first_screen(tmp_path, content), DOUBT)
