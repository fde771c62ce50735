"""Every mark of noise comes from a rule, and from nothing else."""

import pytest
from made_run import NAMES, files, write_run

from models.reports.noise import RULES, lucky_sources, noise_marks
from models.reports.run_files import load_run


def marks(folder, change) -> dict:
    content = files()
    change(content)
    return noise_marks(load_run(write_run(folder, content)))


def test_a_clean_run_carries_no_mark(tmp_path):
    assert marks(tmp_path, lambda content: None) == {}


DIAGNOSES = {
    "consistency": {"consistency": 0.76},
    "clipped": {"clipped": 0.3},
    "ranking": {"warning": "noise"},
}


@pytest.mark.parametrize("rule", DIAGNOSES)
def test_a_diagnosis_marks_its_target_alone(tmp_path, rule):
    def change(content):
        content["affinities"]["diagnostics"]["normal"] |= DIAGNOSES[rule]

    assert marks(tmp_path, change) == {"normal": [rule]}


def test_seeds_that_disagree_are_a_mark(tmp_path):
    def change(content):
        content["calibration"] = [{"target": "class_scene", "between_seeds": -0.12}]

    assert marks(tmp_path, change) == {"class_scene": ["seeds"]}


def test_answers_no_better_than_a_constant_are_a_mark(tmp_path):
    def change(content):
        for row in content["affinities"]["rows"]:
            if row["target"] == "normal" and row["control"] == "average":
                row["mean_loss"] = 0.1001

    assert marks(tmp_path, change) == {"normal": ["constant"]}


def test_every_rule_is_written_down_with_a_name():
    assert all(rule.name and rule.text for rule in RULES.values())


def test_a_source_that_half_of_the_test_sets_choose_is_not_luck(tmp_path):
    content = files()
    content["evidence"]["stability"] = {"chosen": dict.fromkeys(NAMES, 0.5)}
    assert lucky_sources(load_run(write_run(tmp_path, content))) == []
