"""Answers as the page shows them."""

import numpy as np
from client_answers import PHOTO, made_up_answer

from models.examples.published import encode_png
from models.tasks import TASKS
from serving.console.lineage import Lineage
from serving.console.shown import mean_share, shown_answers

NO_LINEAGE = Lineage()


def one(name, value, lineage=NO_LINEAGE):
    (entry,) = shown_answers({name: value}, PHOTO, lineage)["answers"]
    return entry


def test_every_answer_has_numbers_and_says_how_sure_it_is():
    names = [name for name, entry in TASKS.items() if entry.target and entry.images == 1]
    shown = shown_answers({name: made_up_answer(name) for name in names}, PHOTO, Lineage())
    assert [entry["task"] for entry in shown["answers"]] == names
    for entry in shown["answers"]:
        assert entry["rows"] and entry["confidence"] and entry["title"]
        assert entry["origin"] == "", "no lineage, no claim"


def test_answers_near_the_constant_one_carry_a_warning():
    flat = np.zeros((32, 32, 1), "float32")
    assert "nearly the same everywhere" in one("depth_zbuffer", flat)["warnings"][0]
    assert one("depth_zbuffer", made_up_answer("depth_zbuffer"))["warnings"] == []
    logits = np.zeros((32, 32, 18), "float32")
    logits[..., 3] = 5
    assert one("segment_semantic", logits)["warnings"] == ["one class nearly everywhere"]
    same = np.ones((32, 32, 64), "float32")
    assert "not parted" in one("segment_unsup2d", same)["warnings"][0]
    even = np.zeros(TASKS["class_scene"].output.channels, "float32")
    assert one("class_scene", even)["warnings"] == ["no class stands out"]


def test_a_photo_that_shows_nothing_puts_a_warning_on_every_answer():
    black = encode_png(np.zeros((32, 48, 3), "uint8"))
    names = ["normal", "class_scene"]
    answers = {name: made_up_answer(name) for name in names}
    for entry in shown_answers(answers, black, Lineage())["answers"]:
        assert "nearly one colour" in entry["warnings"][0]


def test_confidence_of_a_map_is_the_mean_over_its_pixels():
    logits = np.log(np.array([[[0.9, 0.1], [0.6, 0.4]]]))
    assert abs(mean_share(logits) - 0.75) < 1e-9


def test_the_policy_says_where_an_answer_comes_from():
    lineage = Lineage(sources={"normal": ("reshading",)}, quality={"normal": 0.25})
    entry = one("normal", made_up_answer("normal"), lineage)
    assert entry["origin"] == "Reached by transfer from Reshading."
    assert "; better than the fully supervised network on 25%" in entry["confidence"]


def test_a_network_of_its_own_is_held_against_a_constant_answer_not_against_itself():
    lineage = Lineage(sources={"normal": ()}, quality={"normal": 0.5}, wins={"normal": 0.97})
    words = one("normal", made_up_answer("normal"), lineage)["confidence"]
    assert words.endswith("; better than a constant answer on 97% of held-out pictures")
    assert (
        lineage.quality_clause("reshading")
        == Lineage(sources={"normal": ()}).quality_clause("normal")
        == ""
    )
    little = Lineage(
        sources={"normal": ()},
        quality={"normal": 0.4},
        wins={"normal": 0.97},
        scratch=frozenset({"normal"}),
    )
    assert "fully supervised network on 40%" in little.quality_clause("normal")
