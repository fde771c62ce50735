"""The page in a real browser: it follows, solves, remembers, exports, and can be walked by keys."""

import csv
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from chromium import assert_accessible
from made_run import files, row_facts, table, write_run

from models.reports.comparison import write_comparison
from models.reports.page import write_report
from models.reports.run_files import load_run
from models.reports.words import title
from models.tasks import TASKS
from models.taxonomy import solve, solve_all

ROOT = Path(__file__).parents[4]


def moved_to(watched, budget: float) -> None:
    box = watched.page.get_by_label("Budget as a number")
    box.fill(str(budget))
    box.press("Enter")


def test_the_script_repeats_what_the_file_says(watched, report, browser):
    page = watched.open(report)
    followed = page.locator("#answer").inner_text()
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(report.as_uri())
    assert plain.locator("#answer").inner_text().split() == followed.split()
    plain.close()


def test_a_budget_of_the_run_is_followed_without_solving(watched, report):
    page = watched.open(report)
    before = watched.slot("buy")
    page.evaluate(
        """() => {
            const range = document.getElementById('budget');
            range.value = 3;
            range.dispatchEvent(new Event('input'));
        }"""
    )
    page.wait_for_function("document.getElementById('budget').value === '3'")
    assert watched.slot("budget") == "3"
    assert watched.slot("buy") != before


def test_an_answer_that_comes_late_does_not_take_the_place_of_a_newer_one(watched, report):
    page = watched.open(report)
    moved_to(watched, 3)
    page.wait_for_function("document.querySelector('[data-slot=\"budget\"]').textContent === '3'")
    expected = watched.slot("buy")
    moved_to(watched, 2.5)
    moved_to(watched, 3)
    page.wait_for_timeout(1500)
    assert (watched.slot("budget"), watched.slot("buy")) == ("3", expected)


def test_roles_and_costs_are_solved_in_the_page_as_python_solves_them(watched, report):
    page = watched.open(report, "#?budget=2.5&unused=normal&cost.reshading=0.5&value.class_scene=3")
    assert watched.solved().startswith("Solved in this page")
    page.get_by_text("Take it along").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    answer = json.loads(Path(download.value.path()).read_text())
    expected = solve(
        table([*files()["curves"]]),
        2.5,
        2,
        cost={"reshading": 0.5},
        value={"class_scene": 3},
        forbidden=frozenset({"normal"}),
        source_only=frozenset({"normal"}),
    )
    assert answer["objective"] == pytest.approx(expected.objective, abs=1e-6)
    assert answer["supervised"] == list(expected.supervised)


def test_targets_that_are_left_to_scratch_are_told_beside_those_that_are_reached(watched, report):
    page = watched.open(report)
    assert "scratch" not in page.locator("#answer .lead").inner_text()
    others = frozenset(files()["curves"]) - {"reshading"}
    targets = ",".join(sorted(others))
    watched.open(report, f"#?budget=1&order=1&scratch=on&target-only={targets}")
    assert watched.solved().startswith("Solved in this page")
    policy = solve(table([*files()["curves"]]), 1, 1, forbidden=others, scratch=True)
    kinds = [edge.transfer.control for edge in policy.edges]
    left, reached = kinds.count("scratch"), kinds.count(None)
    assert left and reached
    words = " ".join(page.locator("#answer .lead").inner_text().split())
    plural = "" if reached == 1 else "s"
    assert words.endswith(
        f"{reached} target{plural} by transfer from them, {left} more from scratch."
    )


def test_labels_that_cost_the_run_nothing_cost_nothing_in_the_page(watched, tmp_path):
    content = files()
    measured = table([*content["curves"]])
    content["evidence"]["free"] = ["edge_texture"]
    page = watched.open(write_report(write_run(tmp_path, content)), "#?budget=2.5")
    assert watched.solved().startswith("Solved in this page")
    free = solve(measured, 2.5, 2, free=frozenset({"edge_texture"}))
    chips = page.locator('[data-slot="buy"] .chip').all_inner_texts()
    assert sorted(chips) == sorted(map(title, free.supervised))
    assert page.get_by_label("Cost of Texture edges (2D)").input_value() == "0"
    page.get_by_text("Roles, costs and values of tasks").click()
    page.get_by_label("Cost of Texture edges (2D)").fill("1")
    page.get_by_label("Cost of Texture edges (2D)").press("Enter")
    assert "cost.edge_texture=1" in page.url
    watched.solved()
    paid = solve(measured, 2.5, 2)
    page.wait_for_function(
        "(n) => document.querySelectorAll('[data-slot=\"buy\"] .chip').length === n",
        arg=len(paid.supervised),
    )


def test_what_cannot_be_answered_is_said_with_a_reason(watched, report):
    watched.open(report)
    moved_to(watched, 0.5)
    assert "No policy: the cheapest labels cost 1, the budget is 0.5" in watched.solved()


TAKEN_ALONG = "document.querySelector('#export button').disabled"


def taken_along(page) -> tuple[dict, str]:
    """the exported policy, and the command beside it."""
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    policy = json.loads(Path(download.value.path()).read_text())
    return policy, page.locator("#commands").inner_text().splitlines()[1]


def test_an_answer_is_taken_along_with_its_own_question_or_not_at_all(watched, report):
    page = watched.open(report)
    page.get_by_text("Take it along").click()
    moved_to(watched, 0.5)
    assert watched.solved().endswith("What is shown below still answers budget 2, order 2.")
    for name in ("JSON", "CSV", "Copy commands"):
        assert page.get_by_role("button", name=name).is_disabled()
    assert "solve" not in page.locator("#commands").inner_text()
    assert watched.slot("budget") == "2"
    moved_to(watched, 3)
    page.wait_for_function(f"!{TAKEN_ALONG}")
    policy, command = taken_along(page)
    assert policy["budget"] == policy["request"]["budget"] == 3
    assert policy["spent"] <= 3
    assert "--budget 3 " in command


def pressed_after_typing(watched, budget: float, button: str) -> None:
    """a budget is typed, a button pressed at once (the press alone takes the focus from the box,
    which asks the question), and released when the answer has been drawn.
    """
    page = watched.page
    page.get_by_label("Budget as a number").fill(str(budget))
    page.get_by_role("button", name=button).hover()
    page.mouse.down()
    page.wait_for_function(
        "(budget) => document.querySelector('[data-slot=budget]').textContent === budget",
        arg=str(budget),
    )
    page.mouse.up()


@pytest.mark.parametrize("budget", [3, 2.5], ids=["of the run", "solved in the page"])
def test_a_first_press_after_typing_takes_the_new_answer_along(watched, report, budget):
    page = watched.open(report)
    page.get_by_text("Take it along").click()
    with page.expect_download() as download:
        pressed_after_typing(watched, budget, "JSON")
    assert json.loads(Path(download.value.path()).read_text())["budget"] == budget


def test_a_first_press_after_typing_copies_the_new_command(watched, report):
    page = watched.open(report)
    page.get_by_text("Take it along").click()
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copiedText = text; }")
    pressed_after_typing(watched, 2.5, "Copy commands")
    page.get_by_text("copied", exact=True).wait_for()
    assert "--budget 2.5 " in page.evaluate("window.copiedText")


def test_what_is_taken_along_waits_for_the_question_that_is_being_solved(watched, report):
    page = watched.open(report)
    page.get_by_text("Take it along").click()
    with page.expect_download() as download:
        meanwhile = page.evaluate(
            """() => {
                const box = document.querySelector('[aria-label="Budget as a number"]');
                box.value = 2.5;
                box.dispatchEvent(new Event('change'));
                document.querySelector('#export button').click();
                return document.getElementById('commands').textContent;
            }"""
        )
    assert "solve" not in meanwhile.split()
    assert json.loads(Path(download.value.path()).read_text())["budget"] == 2.5
    assert taken_along(page)[0]["budget"] == 2.5


def commands_at(watched, report, budget: float) -> str:
    # another fragment alone would not load the page again
    watched.page.goto("about:blank")
    page = watched.open(report, f"#?budget={budget}")
    page.get_by_text("Take it along").click()
    return page.locator("#commands").inner_text()


def test_a_run_is_told_only_budgets_that_it_takes(watched, report):
    answers = files()["taxonomies"]
    budgets, orders = ({entry[name] for entry in answers} for name in ("budget", "order"))
    commands = commands_at(watched, report, max(budgets))
    assert f"tfx_pipeline run --data DIR --run RUN --set default_budget={max(budgets)} " in commands
    for other in (2.5, max(budgets) + 1):
        commands = commands_at(watched, report, other)
        assert f"models.taxonomy solve --affinities affinities.json --budget {other} " in commands
        assert "tfx_pipeline" not in commands
        assert f"for budget {other}, order 2" in commands
        assert (
            f"{min(budgets)} to {max(budgets)} and orders {min(orders)} to {max(orders)}"
            in commands
        )


def test_an_address_without_an_answer_shows_the_runs_own_and_says_so(watched, report):
    page = watched.open(report, "#?budget=0.2")
    words = [slot.inner_text() for slot in page.locator('[data-slot="state"]').all()]
    assert len(words) == 2 and len(set(words)) == 1, "above, and beside the controls"
    assert words[0].startswith("No policy: the cheapest labels cost 1")
    assert words[0].endswith("still answers budget 2, order 2.")
    assert page.locator(".matrix button").count() == 25
    assert page.locator(".edges").count() > 0


@pytest.mark.parametrize(
    "fragment, words",
    [
        ("#?budget=0.5&scratch=on", "reach 0 targets by transfer from them, 5 more from scratch."),
        ("#?unused=" + ",".join(files()["curves"]), "reach 0 targets by transfer from them."),
    ],
)
def test_buying_nothing_is_said_without_a_complaint(watched, report, fragment, words):
    page = watched.open(report, fragment)
    assert watched.solved().startswith("Solved in this page")
    lead = " ".join(page.locator("#answer .lead").inner_text().split())
    assert lead.endswith(f"buy full labels of no task and {words}")
    assert watched.slot("quality-transferred") == "none"
    assert "no line to draw" in page.locator("#graph").inner_text()


def test_targets_that_no_role_lets_be_reached_are_named(watched, report):
    names = ",".join(files()["curves"])
    watched.open(report, f"#?target-only={names}")
    words = "No policy: no transfer that the roles allow reaches normal, reshading, "
    assert watched.solved().startswith(words)


def test_a_frame_without_an_address_of_its_own_follows_too(watched, report):
    watched.page.goto("about:blank")
    watched.page.evaluate(
        """(text) => {
            const frame = document.createElement('iframe');
            frame.setAttribute('sandbox', 'allow-scripts');
            frame.srcdoc = text;
            document.body.append(frame);
        }""",
        report.read_text(),
    )
    frame = watched.page.frame_locator("iframe")
    frame.locator("html[data-ready]").wait_for(timeout=20_000)
    box = frame.get_by_label("Budget as a number")
    box.fill("3")
    box.press("Enter")
    frame.locator('[data-slot="budget"]', has_text="3").wait_for()


def test_labels_that_cost_nothing_are_told_apart_from_those_that_are_paid(watched, report):
    costs = "&".join(f"cost.{name}=0" for name in ("normal", "reshading"))
    page = watched.open(report, f"#?budget=1&{costs}")
    assert watched.solved().startswith("Solved in this page")
    assert page.locator('[data-slot="buy"] .chip').count() == 3
    words = page.locator("#ledger tbody th").first.inner_text()
    assert words == "full labels of 1 task (2 more cost nothing)"


def test_a_saving_that_rounds_to_nothing_has_no_sign(watched, tmp_path):
    content = files()
    for row in content["evidence"]["headline"]:
        row["saved"] = -0.001
    watched.open(write_report(write_run(tmp_path, content)))
    assert watched.slot("saved") == "0 %"


def test_a_target_from_scratch_is_said_once(watched, report):
    page = watched.open(report, "#?budget=0.5&scratch=on&edge=normal")
    watched.solved()
    assert page.locator("#evidence h4").inner_text() == "Surface normals from scratch"


def test_names_and_columns_fit_a_phone(browser, tmp_path):
    long = json.dumps(files()).replace('"normal"', '"segment_unsup25d"')
    report = write_report(write_run(tmp_path, json.loads(long)))
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(report.as_uri())
    page.wait_for_selector("html[data-ready]")
    whole = page.evaluate(
        """() => [...document.querySelectorAll('#graph svg, #tree-box svg')].flatMap((drawn) =>
            [...drawn.querySelectorAll('text')].map((text) => {
                const [box, room] = [text, drawn].map((each) => each.getBoundingClientRect());
                return box.left >= room.left && box.right <= room.right;
            }))"""
    )
    assert len(whole) > 10 and all(whole)
    assert "…" not in page.locator("#graph").inner_text()
    assert page.evaluate(
        """() => {
            const table = document.getElementById('policy-table');
            return table.offsetWidth <= table.parentElement.clientWidth;
        }"""
    )
    page.close()


def test_the_state_is_in_the_address_and_comes_back(watched, report):
    page = watched.open(report)
    page.get_by_label("Most sources a transfer").select_option("1")
    moved_to(watched, 3)
    page.get_by_text("Roles, costs and values of tasks").click()
    page.get_by_label("Role of Surface normals").select_option("source-only")
    watched.solved()
    address = page.url
    shown = page.locator("#answer .cards").inner_text()
    assert "budget=3" in address
    assert "source-only=normal" in address
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    assert page.locator("#answer .cards").inner_text() == shown


def test_exports_say_what_is_shown(watched, report):
    page = watched.open(report)
    page.get_by_text("Take it along").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))
    assert len(rows) == page.locator("#policy-table tbody tr").count()


def test_the_exported_command_finds_the_same_policy(watched, report):
    page = watched.open(report, "#?budget=3&unused=normal&cost.reshading=0.5")
    watched.solved()
    page.get_by_text("Take it along").click()
    line = page.locator("#commands").inner_text().splitlines()[1]
    words = [sys.executable, *shlex.split(line)[1:], "--json"]
    words[words.index("--affinities") + 1] = str(report.with_name("affinities.json"))
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    there = set(json.loads(ran.stdout)["supervised"])
    titles = page.locator('[data-slot="buy"] .chip').count()
    assert titles == len(there)


def test_keys_alone_reach_edges_and_cells(watched, report):
    page = watched.open(report)
    page.locator(".edges[tabindex='0']").focus()
    first = page.locator("#evidence h4").inner_text()
    page.keyboard.press("ArrowDown")
    assert page.locator("#evidence h4").inner_text() != first
    page.keyboard.press("Enter")
    assert "edge=" in page.url
    page.locator(".matrix button[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.className").startswith("cell")
    assert " from " in page.locator("#cell h4").inner_text()
    assert page.locator(".matrix button[tabindex='0']").count() == 1


def test_the_matrix_of_all_tasks_takes_of_a_wide_windows_margins(watched, tmp_path):
    names = [task.name for task in TASKS.values() if task.source]
    rows = [{**row_facts(row), "mean_loss": row.mean_loss} for row in table(names, order=1).rows]
    content = {"affinities": {"rows": rows, "diagnostics": {}}, "taxonomies": []}
    page = watched.open(write_report(write_run(tmp_path, content)))
    hidden_pixels = """() => {
        const box = document.querySelector('#matrix .scroll');
        return box.scrollWidth - box.clientWidth;
    }"""
    for width, whole in ((1400, True), (1160, False)):
        page.set_viewport_size({"width": width, "height": 900})
        hidden = page.evaluate(hidden_pixels)
        assert (hidden == 0) == whole, (width, hidden)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_outline_in_the_matrix_is_explained(watched, report):
    page = watched.open(report)
    assert page.locator(".matrix .own").count() == 5
    assert (
        "Outlined: a target from the representation of its own network"
        in page.locator("#matrix").inner_text()
    )


def test_two_budgets_stand_side_by_side(watched, report):
    page = watched.open(report)
    page.get_by_label("Compare with").select_option("3/2")
    page.wait_for_selector("#compare .card")
    assert page.locator("#compare .card").count() == 2


OTHERS = ["normal", "reshading", "depth_zbuffer", "edge_texture"]


def other_run(folder: Path) -> Path:
    """a run of other affinities and one task less, with its page."""
    content = files()
    measured = table(OTHERS, seed=7)
    content["affinities"]["rows"] = [
        {**row_facts(row), "mean_loss": row.mean_loss} for row in measured.rows
    ]
    content["taxonomies"] = [answer.to_json() for answer in solve_all(measured, [1, 2, 3], [1, 2])]
    return write_run(folder, content)


def test_another_run_is_put_beside_by_its_page(watched, report, tmp_path):
    page = watched.open(report)
    theirs = write_report(other_run(tmp_path / "other"))
    page.get_by_label("Another run (its page)").set_input_files(str(theirs))
    page.wait_for_selector("#compare .card")
    assert "the run index.html, same question" in page.locator("#compare").inner_text()
    page.locator("#compare summary").click()
    assert "not among its targets" in page.locator("#compare table").inner_text()
    moved_to(watched, 2.5)
    assert watched.solved().startswith("Solved in this page")
    expected = solve(table(OTHERS, seed=7), 2.5, 2)
    chips = page.locator("#compare .card").nth(1).locator(".chip").all_inner_texts()
    assert sorted(chips) == sorted(map(title, expected.supervised))


def test_what_is_no_report_is_said(watched, report, tmp_path):
    page = watched.open(report)
    (tmp_path / "notes.html").write_text("<p>no run here</p>")
    page.get_by_label("Another run (its page)").set_input_files(str(tmp_path / "notes.html"))
    page.get_by_text("Not compared: notes.html is no report of a run").first.wait_for()


def test_a_page_of_two_runs_shows_both_at_once(watched, report, tmp_path):
    other = load_run(other_run(tmp_path / "other"))
    both = write_comparison(load_run(report.parent), other, "other", tmp_path / "both.html")
    page = watched.open(both)
    page.wait_for_selector("#compare .card")
    assert "the run other, same question" in page.locator("#compare").inner_text()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert_accessible(page, scheme)


def test_free_labels_are_a_preset(watched, report):
    page = watched.open(report)
    page.get_by_label("Costs of labels").select_option("free")
    assert watched.solved().startswith("Solved in this page")
    assert "Texture edges (2D)" in watched.slot("buy")


def test_terms_lead_to_the_glossary_and_keep_the_state(watched, report):
    page = watched.open(report, "#?budget=3")
    page.locator("#answer a.term").first.click()
    assert page.locator(".pointed").count() == 1
    assert page.url.endswith("#?budget=3")


def test_a_browser_without_webassembly_is_told(watched, report):
    watched.page.add_init_script("delete globalThis.WebAssembly")
    watched.open(report)
    moved_to(watched, 1.5)
    assert "no WebAssembly" in watched.solved()


def test_hostile_names_do_nothing(watched, tmp_path):
    hostile = json.dumps("</script><img src=x onerror=alert(1)>\"'")[1:-1]
    content = json.loads(json.dumps(files()).replace("normal", hostile))
    watched.open(write_report(write_run(tmp_path, content)))
    assert watched.page.locator("img[src='x']").count() == 0


@pytest.mark.parametrize("gone", [("taxonomies", "evidence"), ("evidence", "pictures", "curves")])
def test_a_run_that_lacks_stages_opens_without_complaint(watched, tmp_path, gone):
    content = files()
    for name in gone:
        del content[name]
    watched.open(write_report(write_run(tmp_path, content)))
    assert watched.page.locator(".matrix button").count() == 25


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_at_any_width(browser, report, scheme):
    page = browser.new_page(color_scheme=scheme)
    page.goto(report.as_uri() + "#?vs=3/2&edge=normal")
    page.wait_for_selector("html[data-ready]")
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert_accessible(page, scheme)
    page.close()


def test_printing_leaves_controls_out_and_opens_no_gap(watched, report, tmp_path):
    page = watched.open(report)
    page.emulate_media(media="print")
    assert not page.locator("#controls").is_visible()
    pages = page.pdf(format="A4").count(b"/Type /Page\n")
    height = page.evaluate("document.documentElement.scrollHeight")
    assert 0 < pages <= height / 900 + 3
