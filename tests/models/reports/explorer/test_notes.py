"""What does not follow the reader says so, once another policy is shown than it is about."""

import pytest

SECTIONS = ("#answer", "#sure", "#budgets", "#pictures")
MARKED = ".point.chosen"


def notes(page, slot: str) -> list[str]:
    return page.locator(f'[data-slot="{slot}"]').all_text_contents()


def test_beside_the_runs_own_policy_there_is_nothing_to_say(watched, report):
    page = watched.open(report)
    assert set(notes(page, "own-policy")) == set(notes(page, "own-question")) == {""}
    assert page.locator(MARKED).count() == 3


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_about_the_runs_own_policy_says_so(watched, report, section):
    page = watched.open(report, "#?budget=3")
    texts = page.locator(f'{section} [data-slot="own-policy"]').all_inner_texts()
    words = "This is about the run's own policy (budget 2, order 2)"
    assert texts and all(text.startswith(words) for text in texts)


def test_a_budget_of_the_run_is_a_point_of_its_curves(watched, report):
    page = watched.open(report, "#?budget=3")
    assert set(notes(page, "own-question")) == {""}
    labels = [mark.get_attribute("aria-label") for mark in page.locator(MARKED).all()]
    assert len(labels) == 3
    assert all(label.startswith("budget 3, order 2") for label in labels)


def test_a_policy_under_other_roles_is_no_point_of_the_runs_curves(watched, report):
    page = watched.open(report, "#?unused=normal")
    assert watched.solved().startswith("Solved in this page")
    assert page.locator(MARKED).count() == 0
    for slot in ("own-policy", "own-question"):
        assert all(notes(page, slot))
