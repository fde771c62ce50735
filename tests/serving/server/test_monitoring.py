"""The page that Prometheus reads."""

from contextlib import suppress

from serving.errors import ServingError, invalid
from serving.server.monitoring import FAMILIES, Metrics, braces

COUNT = ":tensorflow:serving:request_count"


def test_every_family_is_there_before_the_first_request():
    lines = Metrics().text().splitlines()
    for name, (kind, words) in FAMILIES.items():
        assert f"# HELP {name} {words}" in lines and f"# TYPE {name} {kind}" in lines
    assert len(lines) == 2 * len(FAMILIES)


def ask(metrics: Metrics, entrypoint: str, error: Exception | None = None) -> None:
    with (
        suppress(ServingError),
        metrics.request(lambda name: name == "m", "m", "Predict", entrypoint),
    ):
        if error:
            raise error


def test_the_api_is_labelled_as_the_original_labels_it():
    metrics = Metrics()
    ask(metrics, "GRPC")
    ask(metrics, "REST")
    ask(metrics, "REST", invalid("no"))
    text = metrics.text()
    latency = ":tensorflow:serving:request_latency_count"
    assert f'{latency}{{model_name="m",API="Predict",entrypoint="GRPC"}} 1' in text
    assert f'{latency}{{model_name="m",API="predict",entrypoint="REST"}} 1' in text
    assert f'{COUNT}{{model_name="m",status="INVALID_ARGUMENT"}} 1' in text
    assert metrics.count("/tensorflow/serving/request_count") == 3


def test_a_model_that_nobody_serves_makes_no_series():
    metrics = Metrics()
    with metrics.request(lambda name: False, "made up", "Predict", "GRPC"):
        pass
    assert "made up" not in metrics.text() and metrics.count("/nothing") is None


def test_buckets_are_cumulative_and_labels_escaped():
    metrics = Metrics()
    for micros in (5, 15, 1e12):
        metrics.observe(":tensorflow:serving:runtime_latency", micros, model_name='a"\\\n')
    lines = [line for line in metrics.text().splitlines() if "runtime_latency_" in line]
    counts = [int(line.split()[-1]) for line in lines if "_bucket" in line]
    assert counts[:2] == [1, 2] and counts[-2:] == [2, 3] and sorted(counts) == counts
    assert braces((("a", 'x"\\\n'),)) == '{a="x\\"\\\\\\n"}'
