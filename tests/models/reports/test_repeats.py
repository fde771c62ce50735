"""What repeated measurements and released tables say, on the page."""

import re

from made_run import NAMES, files, table, write_run

from models.reports.headline import seed_verdict
from models.reports.page import write_report
from models.taxonomy import solve
from models.taxonomy.evidence.seeds import seed_rows
from models.taxonomy.program.request import Request


def page_of(folder, **more) -> str:
    page = write_report(write_run(folder, {**files(), **more})).read_text()
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def released(ceiling) -> dict:
    interval = {"spearman": 0.4, "low": 0.3, "high": 0.5, "targets": 3}
    return {
        "spearman": 0.57,
        "low": 0.38,
        "high": 0.67,
        "pairs": 20,
        "targets": {"normal": 0.57},
        "intervals": {"normal": [0.1, 0.9]},
        "target_specific": {**interval, "spearman": 0.47},
        "ceiling": ceiling,
        "baselines": {
            "generic rank": 0.39,
            "own generic rank": None,
            "family prior": 0.67,
            "random orders": {"spearman": 0.01, "low": -0.09, "high": 0.09},
        },
    }


def test_agreement_stands_beside_what_it_must_be_held_against(tmp_path):
    interval = {"spearman": 0.68, "low": 0.6, "high": 0.75, "targets": 3}
    ceiling = {"mean": interval, "target_specific": {**interval, "spearman": 0.52}}
    text = page_of(tmp_path / "a", published=released(ceiling))
    for figure in ("0.57", "0.38 to 0.67", "0.68", "0.39", "-0.09 to 0.09", "0.47", "0.52"):
        assert figure in text
    assert "A rule that measures nothing, by families of tasks, does no worse (0.67)" in text
    alone = page_of(tmp_path / "b", published=released(None) | {"spearman": 0.7})
    assert "0.52" not in alone and "does no worse" not in alone


def test_seeds_are_a_table_and_a_verdict(tmp_path):
    measured = table(NAMES)
    chosen = solve(measured, 2, 2)
    rows = seed_rows([measured, table(NAMES, seed=9), measured], Request(2, 2), chosen)
    text = page_of(tmp_path, seeds=rows)
    assert "quality of this policy" in text and "Everything was trained once" not in text
    same = sum(row["same_sources"] == "yes" for row in rows[1:])
    assert f"{same} of 2 measurements with other seeds choose exactly these sources" in text


def test_a_choice_that_seeds_do_not_repeat_is_a_doubt():
    rows = [{"same_sources": word, "edges_again": 0.5} for word in ("yes", "no", "no", "yes")]
    assert seed_verdict(rows).tone == "doubt"
    assert seed_verdict([rows[0], rows[3]]).tone == "good"
    assert "50 %" in seed_verdict(rows).text
