"""A reader moves a budget of labels: how many labels of which task, and of what the next ones."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from affinity_tables import regime_table, with_scratch
from chromium import assert_accessible
from made_run import files, write_run

from models.reports.page import write_report
from models.taxonomy import Affinities, Transfer
from models.taxonomy.affinities import Row, flat
from models.taxonomy.evidence.spending import spending
from models.taxonomy.program.answers import answer
from models.taxonomy.program.request import Request

ROOT = Path(__file__).parents[4]
AMOUNTS = {"": 200.0, "48": 48.0}
FULL = 1000.0
STATE = "document.getElementById('amounts-state').textContent"
DONE = f"""() => /^(No|\\d)/.test({STATE})
    && !/being solved/.test(document.getElementById('amounts-result').textContent)"""


def measured(names: list[str]) -> Affinities:
    """the tasks of the made-up run, with two amounts of data."""
    table = with_scratch(regime_table(6, len(names), tuple(AMOUNTS), source_only=0), 6)
    spelled = {f"t{i}": name for i, name in enumerate(names)}

    def renamed(row: Row) -> Row:
        transfer = row.transfer
        sources = tuple(spelled[name] for name in transfer.sources)
        target = spelled[transfer.target]
        told = Transfer(sources, target, transfer.regime, transfer.control)
        return Row(told, row.affinity, row.gain, row.quality)

    return Affinities(tuple(renamed(row) for row in table.rows), {})


@pytest.fixture(scope="module")
def several(tmp_path_factory) -> Path:
    """the page of a run that measured two amounts."""
    content = files()
    table = measured([*content["curves"]])
    largest = frozenset({""})
    policy = answer(table, Request(2, 2, regimes=largest, scratch=True))
    content["amounts"] = {"rows": [flat(row) for row in table.rows], "diagnostics": {}}
    content["evidence"]["amounts"] = {
        "images": AMOUNTS,
        "targets": [],
        "spending": spending(
            table, Request(2, 2), policy, full=FULL, amounts=AMOUNTS, budgets=(1, 2)
        ),
    }
    return write_report(write_run(tmp_path_factory.mktemp("amounts") / "run", content))


def solved(page) -> str:
    page.locator("#amounts-box").scroll_into_view_if_needed()
    page.wait_for_function(DONE, timeout=20_000)
    return page.locator("#amounts-state").inner_text()


def on_the_command_line(page, report: Path) -> dict:
    """the answer of the command that the page shows."""
    page.get_by_text("The same on the command line").click()
    words = [sys.executable, *shlex.split(page.locator("#amounts-command").inner_text())[1:]]
    words[words.index("--affinities") + 1] = str(report.with_name("amounts.json"))
    words.append("--json")
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def shown_labels(page) -> dict[str, int]:
    """task's title -> labels in the table."""
    # in one call: a cell at a time is a hundred questions to the browser
    cells = page.evaluate(
        """() => [...document.querySelectorAll('#amounts-table tbody tr')].map(
            (row) => [row.cells[0].firstChild.textContent, row.cells[1].textContent])"""
    )
    return {title: int(text.removeprefix("all ").replace(",", "")) for title, text in cells}


def test_the_page_says_what_its_command_says(watched, several):
    page = watched.open(several, "#?labels=1500&next=900&cost.reshading=0.5&scratch=on")
    said = solved(page)
    there = on_the_command_line(page, several)
    assert f"mean quality {there['quality']:.2f} of 5 targets" in said
    assert f"for {there['spent']:,.0f} of 1,500" in said
    labels = {row["amount"] for row in there["labels"] if row["amount"]}
    assert labels == {float(count) for count in shown_labels(page).values() if count}
    words = page.locator("#amounts-result p").first.inner_text()
    assert f"objective +{there['next']['gain']['objective']:.3f}" in words
    for row in there["next"]["buy"]:
        assert f"{row['labels']:,.0f} of " in words


def test_the_budget_of_labels_is_moved_by_keys_and_kept_in_the_address(watched, several):
    page = watched.open(several)
    assert solved(page).startswith("2,448 labels of 5 tasks")
    page.locator("#labels").focus()
    for labels in (2100, 1600):
        page.keyboard.press("PageDown")
        page.wait_for_url(f"**#?labels={labels}")
    page.wait_for_function(f"{STATE}.startsWith('1,496 labels of 5 tasks')")
    box = page.get_by_label("Labels as a number")
    box.fill("10")
    box.press("Enter")
    page.wait_for_function(f"{STATE}.startsWith('No policy: 10 to spend do not reach every')")
    assert page.url.endswith("#?labels=10")
    # no answer of an earlier question stays below, nor its command
    assert page.locator("#amounts-result").inner_text() == ""


def test_roles_of_the_explorer_hold_for_amounts(watched, several):
    page = watched.open(several, "#?target-only=normal&labels=3000")
    solved(page)
    assert shown_labels(page)["Surface normals"] < FULL
    assert "--target-only normal" in page.locator("#amounts-command").text_content()


def test_a_run_with_one_amount_has_no_such_control(watched, report):
    page = watched.open(report)
    assert page.locator("#amounts-box").count() == 0
    assert "labels=" not in page.url


def test_axe_finds_nothing_in_light_and_dark(watched, several):
    page = watched.open(several)
    solved(page)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert_accessible(page, scheme, within="#label-amounts")
