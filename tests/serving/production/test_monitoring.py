"""The dashboard and the alerts ask for metrics that the server's page has, by labels that it uses,
in expressions that hold together.
"""

import json
import re
from pathlib import Path

import grpc
import pytest
import yaml

from serving.errors import ServingError
from serving.server import monitoring
from serving.server.monitoring import Metrics

FOLDER = Path(__file__).resolve().parents[3] / "serving" / "production" / "monitoring"
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
RULES = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
METRIC = re.compile(r":tensorflow:[a-z_:]+")
SELECTOR = re.compile(r"(:tensorflow:[a-z_:]+)\{([^}]*)\}")
GROUPING = re.compile(r"by \(([^)]*)\)")
FUNCTION = re.compile(r"\b([a-z_]+) ?\(")
FUNCTIONS = {"absent", "rate", "sum", "by", "histogram_quantile", "label_values", "vector"}
DURATION = re.compile(r"^(\d+[smhd])+$")


def alerts() -> list[dict]:
    return [rule for group in RULES["groups"] for rule in group["rules"]]


def panels() -> list[dict]:
    return DASHBOARD["panels"]


EXPRESSIONS = [rule["expr"] for rule in alerts()] + [
    target["expr"] for panel in panels() for target in panel["targets"]
]


@pytest.fixture(scope="module")
def page() -> str:
    """the metrics of a server that was asked over both doors, with batching."""
    metrics = Metrics()
    for api, door in (("Predict", "GRPC"), ("predict", "REST")):
        with metrics.request(lambda _: True, "taxonomy", api, door):
            pass
    with (
        pytest.raises(ServingError),
        metrics.request(lambda _: True, "taxonomy", "Predict", "GRPC"),
    ):
        raise ServingError(grpc.StatusCode.INTERNAL, "broken")
    with metrics.runtime("taxonomy", "Predict"):
        pass
    metrics.observe(monitoring.QUEUED, 7.0, thread_pool_name="taxonomy")
    metrics.add(monitoring.RUNS)
    return metrics.text()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_is_on_the_servers_page(expression, page):
    names = set(METRIC.findall(expression))
    series = {line.split("{")[0].split(" ")[0] for line in page.splitlines() if line[0] == ":"}
    # `up` is Prometheus' own
    assert (names or "up{" in expression) and names <= series


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_label_is_one_that_the_metric_has(expression, page):
    for name, conditions in SELECTOR.findall(expression):
        used = set(re.findall(r"(\w+) ?(?:=~|!~|=|!=)", conditions))
        for line in page.splitlines():
            if line.startswith((f"{name}{{", f"{name} ")):
                assert used <= set(re.findall(r'(\w+)="', line))
    grouped = {
        label.strip() for group in GROUPING.findall(expression) for label in group.split(",")
    }
    assert grouped <= set(re.findall(r'(\w+)="', page))


def test_statuses_that_are_asked_for_exist():
    conditions = [each for one in EXPRESSIONS for each in re.findall(r'status=~"([^"]*)"', one)]
    asked = {status for condition in conditions for status in condition.split("|")}
    assert asked and asked <= {code.name for code in grpc.StatusCode}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions_hold_together(expression):
    """what promtool would refuse first; it was not at hand."""
    depth = {"(": 0, "[": 0, "{": 0}
    pairs = {")": "(", "]": "[", "}": "{"}
    quoted = False
    for letter in expression:
        quoted ^= letter == '"'
        if quoted:
            continue
        if letter in depth:
            depth[letter] += 1
        if letter in pairs:
            depth[pairs[letter]] -= 1
        assert min(depth.values()) >= 0
    assert not any(depth.values()) and not quoted
    bare = re.sub(r'"[^"]*"', "", expression)
    assert set(FUNCTION.findall(bare)) <= FUNCTIONS
    for span in re.findall(r"\[([^\]]*)\]", bare):
        assert DURATION.match(span) or span == "$__rate_interval"
    counters = re.findall(r"(:tensorflow:[a-z_:]+)(?:\{[^}]*\})?(\[)?", bare)
    assert all(window for name, window in counters) or "absent(" in bare, "a counter only grows"


def test_quantiles_are_taken_over_buckets_by_le():
    for expression in EXPRESSIONS:
        if "histogram_quantile" in expression:
            assert "_bucket" in expression and any(
                "le" in by for by in GROUPING.findall(expression)
            )


def test_what_has_no_series_before_the_first_request_is_not_taken_for_a_server_that_is_gone():
    """the page of an idle server has names of metrics, and no sample."""
    idle = Metrics().text()
    assert idle and all(line.startswith("#") for line in idle.splitlines())
    for expression in EXPRESSIONS:
        for inside in re.findall(r"absent\((.*)\)", expression):
            assert not METRIC.search(inside) and "up{" in inside
    (gone,) = (rule for rule in alerts() if rule["alert"] == "TaxonomyServerAbsent")
    names = set(re.findall(r'(\w+)="(\w+)"', gone["expr"]))
    folder = FOLDER.parent / "kubernetes"
    pods = yaml.safe_load((folder / "deployment.yaml").read_text())["spec"]["template"]["metadata"]
    service = yaml.safe_load((folder / "service.yaml").read_text())["metadata"]["name"]
    assert names == {("job", service), ("app", pods["labels"]["app"])}


def test_a_share_is_none_of_nothing_where_no_request_failed():
    """a status that never came has no series: the share would be no data instead of 0."""
    shares = [one for panel in panels() for one in panel["targets"] if "status=~" in one["expr"]]
    assert shares and all("or vector(0)) /" in one["expr"] for one in shares)


def test_every_alert_says_what_it_means():
    names = [rule["alert"] for rule in alerts()]
    assert len(set(names)) == len(names)
    for rule in alerts():
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert DURATION.match(rule["for"]) and rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"] and rule["annotations"]["description"]
        for used in re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])):
            assert used in "".join(GROUPING.findall(rule["expr"])), "a label that is summed away"


def test_the_dashboard_has_no_two_panels_in_one_place():
    cells = set()
    for panel in panels():
        place = panel["gridPos"]
        own = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not own & cells and max(x for x, _ in own) < 24
        cells |= own
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_the_dashboard_names_no_data_source_of_ours():
    variables = {entry["name"] for entry in DASHBOARD["templating"]["list"]}
    assert {"datasource", "model"} == variables
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels())
    for name in re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD)):
        assert name in variables | {"__rate_interval"}
