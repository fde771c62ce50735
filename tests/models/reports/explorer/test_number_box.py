"""What a box for a number cannot take is said beside it, and the state stays as it was."""

import pytest

BOXES = {
    "Budget as a number": "Expected a number above 0, at most 1,000,000; 2 still counts.",
    "Cost of Surface normals": "Expected a number from 0 to 1,000,000; 1 still counts.",
    "Value of Surface normals": "Expected a number from 0 to 1,000,000; 1 still counts.",
    "Price of one label": "Expected a number above 0, at most 1,000,000; 0.1 still counts.",
}


def typed(page, label: str, text: str) -> None:
    box = page.get_by_label(label)
    box.fill(text)
    box.press("Enter")


@pytest.mark.parametrize("label", BOXES)
def test_what_is_out_of_range_is_refused_in_words(watched, report, label):
    page = watched.open(report)
    page.get_by_text("Roles, costs and values of tasks").click()
    for text in ("-4", "", "1e16", "1e300"):
        typed(page, label, text)
        box = page.get_by_label(label)
        assert box.get_attribute("aria-invalid") == "true", text
        said = page.locator(f"#{box.get_attribute('aria-describedby')}")
        assert said.inner_text() == BOXES[label], text
    assert "#" not in page.url
    typed(page, label, "0.5")
    page.wait_for_url("**=0.5")
    page.wait_for_function("!document.querySelector('[aria-invalid]')")
    assert page.locator(".refusal").all_inner_texts() == [""] * page.locator(".refusal").count()


def test_a_refusal_goes_with_the_number_that_it_was_about(watched, report):
    page = watched.open(report)
    typed(page, "Budget as a number", "0")
    page.get_by_role("button", name="Back to the run").click()
    page.wait_for_function("!document.querySelector('[aria-invalid]')")
    assert page.get_by_label("Budget as a number").input_value() == "2"


def test_values_that_no_solver_tells_apart_are_refused(watched, report):
    page = watched.open(report)
    page.get_by_text("Roles, costs and values of tasks").click()
    for text in ("10001", "0.00009"):
        typed(page, "Value of Surface normals", text)
        said = page.locator(".refusal:not(:empty)").inner_text()
        words = "0, or a number within 10,000 times the values of the other targets"
        assert said == f"Expected {words}; 1 still counts."
    assert "#" not in page.url
    typed(page, "Value of Surface normals", "10000")
    page.wait_for_url("**=10000")


def test_an_address_whose_values_are_too_far_apart_is_left_out(watched, report):
    page = watched.open(report, "#?budget=3&value.normal=1000000")
    assert watched.slot("budget") == "3"
    assert page.get_by_label("Value of Surface normals").input_value() == "1"


def test_an_address_out_of_range_is_left_out(watched, report):
    page = watched.open(report, "#?budget=1e16&cost.normal=1e300&value.normal=-1")
    assert watched.slot("budget") == "2"
    assert watched.slot("state") == ""
    assert page.get_by_label("Cost of Surface normals").input_value() == "1"
