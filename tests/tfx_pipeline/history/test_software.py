"""What computed is noted by versions, and a change is said in words."""

import numpy as np

from tfx_pipeline.history.software import software, software_changes, software_note


def test_versions_are_those_that_are_installed_and_the_backend_that_is_asked_for(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    found = software()
    assert found["backend"] == "tensorflow" and found["numpy"] == np.__version__
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert software()["backend"] == "jax"


def test_what_an_earlier_run_did_not_note_has_not_changed(tmp_path):
    new = {"backend": "tensorflow", "keras": "3.5"}
    assert software_changes({}, new) == [] and software_note(tmp_path, new, new) == ""
    assert software_changes({"backend": "jax", "jax": "0.4"}, new) == [
        "backend jax -> tensorflow",
        "jax 0.4 -> none",
        "keras none -> 3.5",
    ]
