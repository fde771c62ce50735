"""The report answers first, from whatever a run left behind."""

import numpy as np

from models.reports import summary, write_report
from models.reports.page import contents
from models.taxonomy import Affinities, Transfer, evaluate, solve_all
from models.taxonomy.affinities import Row

NAMES = ["normal", "reshading", "depth_zbuffer", "edge_texture", "class_scene"]


def made_run() -> dict:
    import json

    rng, rows = np.random.default_rng(0), []
    for target in NAMES:
        rows += [
            Row(
                Transfer((source,), target),
                float(rng.random()),
                float(rng.random()),
                float(rng.random()),
                0.1,
            )
            for source in NAMES
        ]
        rows += [
            Row(Transfer((), target, control=name), 0.2, 0.5, 0.5, 0.1)
            for name in ("supervised", "scratch", "average")
        ]
    table = Affinities(
        tuple(rows),
        {
            name: {
                "transfers": 6,
                "images": 9,
                "eigenvalue": 6.0,
                "consistency": 0.01,
                "clipped": 0.1,
                "gap": 0.2,
                "reducible": False,
            }
            for name in NAMES
        },
    )
    answers = solve_all(table, [1, 2, 3], [1])
    rows = [{"sources": list(r.transfer.sources), "target": r.transfer.target, "control": r.transfer.control, "regime": "", "affinity": r.affinity, "gain": r.gain,
             "quality": r.quality, "mean_loss": r.mean_loss} for r in table.rows]  # fmt: skip
    run = {
        "affinities": {"rows": rows, "diagnostics": table.diagnostics},
        "taxonomies": [answer.to_json() for answer in answers],
        "evidence": evaluate(table, answers, budget=2, order=1, policies=50),
        "networks": [
            {
                "task": name,
                "seconds": 1.0,
                "steps": 3,
                "loss": 0.2,
                "win_average": 0.9,
                "parameters": 1000,
            }
            for name in NAMES
        ],
        "curves": {name: [1.0, 0.5, 0.2] for name in NAMES},
        "calibration": [],
        "edges": [],
        "dataset": {
            "counts": {"read": 9, "written": 8, "quarantined": 1},
            "quarantine": [{"view": "a/point_0/view_1", "reason": "zero-byte <file>"}],
            "splits": {"train": 8},
        },
        "predictions": [{"task": "normal", "images": [np.zeros((8, 8, 3), "uint8")] * 3}],
        "lineage": {"manifest": "abc", "code": "def", "config": {}},
        "default_budget": 2,
        "default_order": 1,
    }
    return {
        **json.loads(
            json.dumps({key: value for key, value in run.items() if key != "predictions"})
        ),
        "predictions": run["predictions"],
    }


def test_the_page_answers_first_and_escapes_what_files_say(tmp_path):
    path = write_report(tmp_path, run=made_run())
    page = path.read_text()
    assert page.index("Which labels to buy") < page.index("Who helps whom")
    assert "zero-byte &lt;file&gt;" in page and "data:image/png;base64," in page


def test_what_less_data_costs_is_a_table_and_is_counted(tmp_path):
    run = made_run()
    assert "With less data" not in write_report(tmp_path, run=run).read_text()
    best = {
        "": {"source": "normal", "gain": 0.9, "quality": 0.4},
        "48": {"source": "reshading", "gain": 0.8, "quality": 0.25},
    }
    rows = [
        {"target": "class_scene", "spearman": {"48": 0.5}, "best": best},
        {"target": "normal", "spearman": {"48": None}, "best": best},
    ]
    run["evidence"] |= {
        "amounts": {"images": {"": 195, "48": 48}, "targets": rows},
        "transfers": 1234,
    }
    page = write_report(tmp_path, run=run).read_text()
    assert (
        "with 48, sources are ranked as with 195 with a correlation of 0.50" in page
        and "the same for 0 of 2 targets" in page
    )
    assert (
        page.index("best source, 48 images") < page.index("best source, 195 images")
        and "1234 measured transfers" in page
    )


def test_sections_without_data_are_left_out_and_not_invented(tmp_path):
    run = made_run()
    del run["predictions"]
    run["curves"] = {}
    run["evidence"]["tree"]["linkage"] = []
    page = write_report(tmp_path, run=run).read_text()
    assert "Which tasks are alike" not in page and "Training loss" not in page
    assert "no calibration against gradient training" in page


def test_uncertainty_costs_and_predictions_are_shown_where_a_run_has_them(tmp_path):
    run = made_run()
    assert "How much of the choice is luck" not in write_report(tmp_path, run=run).read_text()
    run["evidence"] |= {
        "stability": {
            "solves": 7,
            "same": 0.5,
            "chosen": {"normal": 1.0},
            "gain": None,
            "quality": {"low": 0.1, "high": 0.2},
            "warning": "luck <b>",
        },
        "cautious": [{"risk": "lower", "supervised": ["normal"], "gain": 0.5, "quality": None}],
        "ledger": {"edges": [], "sources": [{"name": "normal"}], "images": 1234.0, "seconds": None},
        "headline": [
            {
                "budget": 2,
                "order": 1,
                "quality": 0.3,
                "images": 1234.0,
                "independent": 2468.0,
                "saved": 0.5,
                "capped": False,
            }
        ],
        "predictors": [
            {"predictor": "logme", "spearman": 0.71, "full": 0.4, "screened": 0.39, "random": None}
        ],
        "warnings": ["normal: the ranking is not distinguishable from noise"],
    }
    run["calibration"] = [
        {"target": "normal", "closed_against_gradient": 0.875, "between_seeds": 0.625}
    ]
    run["edges"] = [
        {
            "target": "reshading",
            "sources": ["normal"],
            "learner": "gradient",
            "validation": {"closed_form": 0.25, "gradient": 0.125},
        },
        {
            "target": "class_scene",
            "sources": ["normal"],
            "learner": "closed_form",
            "validation": {},
        },
    ]
    run["dataset"]["statistics"] = [{"statistic": "curved pixels", "synthetic": 0.3, "real": 0.4}]
    page = write_report(tmp_path, run=run).read_text()
    for text in (
        "1,234",
        "2,468",
        "luck &lt;b&gt;",
        "logme",
        "distinguishable from noise",
        "Two learners of transfers",
        "0.88 beside 0.62",
        "(1 of 1 by gradient)",
        "0.1250",
        "curved pixels",
    ):
        assert text in page, text


def test_networks_are_compared_with_a_random_encoder_where_it_was_measured(tmp_path):
    run = made_run()
    run["affinities"]["rows"].append(
        {
            **run["affinities"]["rows"][0],
            "sources": ["random_projection"],
            "target": "normal",
            "quality": 0.25,
        }
    )
    assert contents(run)["win_random"] == {"normal": 0.75}
    assert (
        "readout of a random encoder on <b>75 %</b>" in write_report(tmp_path, run=run).read_text()
    )


def test_figures_are_the_same_twice():
    assert contents(made_run())["graphs"]["matrix"] == contents(made_run())["graphs"]["matrix"]


def test_the_summary_names_what_to_buy(tmp_path):
    import json

    from components.write_report import save_facts

    run = made_run()
    save_facts(tmp_path, run)
    for name in ("affinities", "taxonomies", "evidence"):
        (tmp_path / f"{name}.json").write_text(json.dumps(run[name]))
    text = summary(tmp_path)
    assert "buy       labels of" in text and "random policies" in text
