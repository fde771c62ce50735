"""The page answers first, from whatever a run left behind, and never breaks."""

import json
import re
from html.parser import HTMLParser

import pytest
from made_run import files, table, write_run

from models.reports.page import write_report
from models.reports.run_files import FORMS

LIMIT = 4 << 20  # bytes of a page without pictures


def page_of(folder, content=None) -> str:
    return write_report(write_run(folder, content)).read_text()


def text_of(page: str) -> str:
    """what a reader sees: markup away, white space single."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_the_answer_stands_before_its_reasons(tmp_path):
    page = page_of(tmp_path)
    assert (
        page.index("Which labels to buy")
        < page.index("Who helps whom")
        < page.index("Glossary</h2>")
    )


def test_no_caption_scrolls_with_its_table(tmp_path):
    assert "<caption" not in page_of(tmp_path)


def test_what_is_good_is_said_in_words_that_hold_in_light_and_dark(tmp_path):
    text = text_of(page_of(tmp_path))
    assert "The stronger the colour, the better" in text
    assert "Dark is good" not in text


def test_pictures_keep_their_place_before_they_are_there(tmp_path):
    (image,) = re.findall(r"<img [^>]*>", page_of(tmp_path))
    assert 'width="1" height="1"' in image


def test_what_is_measured_beside_the_deciding_transfers_is_counted_apart(tmp_path):
    content = files()
    content["evidence"]["transfers"] = 100
    text = text_of(page_of(tmp_path, content))
    assert "75 transfers were measured" in text
    assert "25 more, with fewer labels, decide nothing." in text
    assert "decide nothing" not in text_of(page_of(tmp_path / "alone"))


def test_cheap_predictors_are_explained_beside_their_names(tmp_path):
    content = files()
    row = {"spearman": 0.7, "full": 0.3, "screened": 0.3, "random": {"mean": 0.2}}
    content["evidence"]["predictors"] = [
        {"predictor": name, **row} for name in ("rsa", "static order")
    ]
    text = text_of(page_of(tmp_path, content))
    assert "rsa: do two networks find the same pictures alike" in text
    assert "static order:" not in text


def test_what_files_say_is_escaped(tmp_path):
    assert "zero-byte &lt;file&gt;" in page_of(tmp_path)


def test_the_page_is_one_file_that_fetches_nothing(tmp_path):
    page = page_of(tmp_path)
    addresses = re.findall(
        r'(?:src|href)="([^"]*)"', re.sub(r"<script.*?</script>", "", page, flags=re.S)
    )
    assert addresses
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert len(page.encode()) < LIMIT


def test_the_same_run_gives_the_same_page(tmp_path):
    write_run(tmp_path)
    assert write_report(tmp_path).read_bytes() == write_report(tmp_path).read_bytes()


def test_drawing_the_page_again_keeps_its_pictures(tmp_path):
    assert "data:image/png;base64," in page_of(tmp_path)
    assert "data:image/png;base64," in write_report(tmp_path).read_text()


def test_pictures_whose_files_are_gone_are_counted(tmp_path):
    write_run(tmp_path)
    (tmp_path / "pictures" / "normal.png").unlink()
    assert "holds no pictures" in write_report(tmp_path).read_text()


def test_a_picture_outside_the_run_is_not_shown(tmp_path):
    content = files()
    content["pictures"][0]["rows"][0][0]["picture"] = "../secret.png"
    (tmp_path / "secret.png").write_bytes(b"secret")
    assert "data:image/png" not in page_of(tmp_path / "run", content)


@pytest.mark.parametrize(
    "name", [name for name in FORMS if name not in ("affinities", "taxonomies")]
)
def test_a_run_without_a_file_says_what_is_missing(tmp_path, name):
    content = files()
    content.pop(name, None)
    assert re.search(rf"does not have: [^<]*\b{name}\b", page_of(tmp_path, content))


def test_a_run_without_a_policy_still_shows_what_was_measured(tmp_path):
    content = files()
    for name in ("taxonomies", "evidence"):
        del content[name]
    text = text_of(page_of(tmp_path, content))
    assert "no solved policy" in text
    assert "Are the task networks any good?" in text


def test_a_run_of_one_task_is_shown(tmp_path):
    from models.taxonomy import solve_all

    content = files()
    one = table(["normal"], order=1)
    content["affinities"]["rows"] = [
        row
        for row in content["affinities"]["rows"]
        if {row["target"], *row["sources"]} == {"normal"}
    ]
    content["taxonomies"] = [answer.to_json() for answer in solve_all(one, [1], [1])]
    content["run"] = {"default_budget": 1, "default_order": 1}
    for name in ("evidence", "curves", "pictures", "edges"):
        del content[name]
    assert "1 task must be answered" in text_of(page_of(tmp_path, content))


def test_two_hundred_tasks_fit_into_a_page(tmp_path):
    names = [f"task_{i}" for i in range(200)]
    rows = [
        {
            "sources": [a],
            "target": b,
            "control": None,
            "regime": "",
            "affinity": 1 / (1 + i + j),
            "gain": 0.5,
            "quality": 0.4,
            "mean_loss": 0.1,
        }  # fmt: skip
        for i, a in enumerate(names)
        for j, b in enumerate(names)
    ]
    page = page_of(tmp_path, {"affinities": {"rows": rows, "diagnostics": {}}, "taxonomies": []})
    assert len(page.encode()) < LIMIT
    assert "200 tasks must be answered" in text_of(page)


class Scripts(HTMLParser):
    """counts what a browser would take for scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def handle_starttag(self, tag, attributes) -> None:
        self.count += tag == "script"


HOSTILE = '</script><script>alert("x")</script><b onclick=1>"\'&'


def test_hostile_names_stay_text(tmp_path):
    content = files()
    content = json.loads(json.dumps(content).replace("normal", json.dumps(HOSTILE)[1:-1]))
    del content["pictures"]
    page = page_of(tmp_path, content)
    ordinary, hostile = Scripts(), Scripts()
    ordinary.feed(page_of(tmp_path / "other"))
    hostile.feed(page)
    assert hostile.count == ordinary.count
    assert "<b onclick" not in page


def test_the_page_says_what_was_drawn_again(tmp_path):
    content = files()
    content["evidence"]["stability"] = {
        "same": 0.7,
        "solves": 100,
        "chosen": {},
        "quality": {"low": 0.37, "high": 0.39},
        "unit": "building",
        "units": 20,
        "resamples": 1000,
    }
    for facts in content["affinities"]["diagnostics"].values():
        facts["buildings"] = 17
    text = text_of(page_of(tmp_path, content))
    assert "70 % of 100 test sets redrawn from 20 test buildings choose exactly these" in text
    assert "solved again on 100 test sets drawn from 20 test buildings" in text
    assert "95 % interval : 20 test buildings, redrawn 1,000 times" in text
    assert "test samples buildings" in text and " 9 17 " in text


def test_the_data_section_says_what_was_lost_and_of_which_file(tmp_path):
    content = files()
    content["dataset"]["lost"] = ["depth_zbuffer: 48 files are called otherwise; no view has it"]
    content["dataset"]["quarantine"] = [
        {"view": None, "file": "lab/x.PNG", "reason": "not called so"},
        {"view": "a/point_0/view_1", "label": "normal", "file": "b", "reason": "damaged"},
    ]
    said = text_of(page_of(tmp_path, content))
    assert "depth_zbuffer: 48 files are called otherwise; no view has it" in said
    assert "lab/x.PNG" in said and "a/point_0/view_1 (normal)" in said
