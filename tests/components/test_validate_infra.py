"""The gate before the push says what the server did, and blesses only what it passed."""

import json

import pytest

from components.validate_infra import ValidateInfra
from models import examples
from serving.release import validate
from serving.release.blessing import Blessing


class Artifact:
    def __init__(self, uri) -> None:
        self.uri = str(uri)
        uri.mkdir(exist_ok=True)

    def set_int_custom_property(self, name: str, value: int) -> None: ...

    def set_string_custom_property(self, name: str, value: str) -> None: ...


@pytest.mark.parametrize("reasons", [(), ("it took 99 MiB", "no answer")])
def test_the_verdict_is_the_servers(tmp_path, monkeypatch, reasons):
    questions = {}

    def verdict(bundle, **arguments):
        questions.update(bundle=bundle, **arguments)
        return Blessing(not reasons, reasons, {"ms": 3.0})

    monkeypatch.setattr(validate, "validate", verdict)
    monkeypatch.setattr(examples, "encoded_images", lambda uri, split, count: (split, count))
    blessing = Artifact(tmp_path / "blessing")
    function = ValidateInfra.EXECUTOR_SPEC.executor_class._FUNCTION
    getattr(function, "__func__", function)(
        model=Artifact(tmp_path / "model"),
        examples=Artifact(tmp_path / "examples"),
        blessing=blessing,
        records=5,
        replays=7,
        cold=0,
        code="x",
    )
    assert questions == {
        "bundle": str(tmp_path / "model" / "Format-Serving"),
        "records": ("test", 5),
        "replays": 7,
        "cold": False,
    }
    facts = json.loads((tmp_path / "blessing" / "blessing.json").read_text())
    assert facts == {"ok": not reasons, "reasons": list(reasons), "figures": {"ms": 3.0}}
    assert (tmp_path / "blessing" / "BLESSED").exists() == (not reasons)
    assert (tmp_path / "blessing" / "NOT_BLESSED").exists() == bool(reasons)
