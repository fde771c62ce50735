"""The gate: a sound bundle passes with figures, an unsound one is refused with every reason in
words.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from signing_keys import key_pair
from synthetic import view
from tiny_bundle import tiny_bundle

from models.examples.published import encode_png
from serving.bundle.manifest import MANIFEST
from serving.release import validate as release
from serving.release.blessing import Blessing
from serving.release.validate import Judgement, Limits, validate

RECORDS = [encode_png(view(i).rgb) for i in range(2)]


@pytest.fixture
def copy(tmp_path):
    """without its manifest: what is wrong inside is to be found, not that something was changed."""
    candidate = shutil.copytree(tiny_bundle(), tmp_path / "candidate")
    (candidate / MANIFEST).unlink()
    return candidate


def test_a_sound_bundle_is_blessed_and_measured():
    verdict = validate(tiny_bundle(), records=RECORDS, replays=5)
    assert verdict.ok and not verdict.reasons, verdict.reasons
    figures = verdict.figures
    assert (
        figures["worst relative difference from the Keras networks"] < 1e-3
        and figures["worst share of differing map pixels"] < 1e-3
    )
    assert figures["answers"] == 5 and 0 < figures["p50 answer, s"] <= figures["p99 answer, s"]
    assert (
        figures["first answer, s"] > 0
        and figures["first answer without warm-up, s"] > 0
        and figures["MiB that a decompression bomb cost"] < 64
    )
    assert 0 < figures["server MiB"] <= figures["server MiB at most"] and json.dumps(figures)


def test_every_fault_is_named(copy):
    with np.load(copy / "assets.extra" / "parity.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    arrays["answer_normal"] = arrays["answer_normal"] + 0.5
    np.savez(copy / "assets.extra" / "parity.npz", **arrays)
    contract = json.loads((copy / "assets.extra" / "contract.json").read_text())
    contract["tasks"]["jigsaw"] = {"images": 1}
    (copy / "assets.extra" / "contract.json").write_text(json.dumps(contract))
    verdict = validate(copy, records=RECORDS, limits=Limits(largest_mib=1), replays=1)
    said = "; ".join(verdict.reasons)
    assert (
        not verdict.ok
        and "normal differs from the Keras networks by" in said
        and "not served ['jigsaw']" in said
        and "MiB; 1 are allowed" in said
    )
    assert "first answer without warm-up, s" not in verdict.figures


def test_a_server_without_warm_up_is_measured_where_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(release, "judge_server", lambda *_: Blessing(True, (), {}))
    monkeypatch.setattr(release, "cold_figures", lambda *_: {"first answer": 1.0})
    figures = [validate(tiny_bundle(), records=[], cold=cold).figures for cold in (True, False)]
    assert figures == [{"first answer": 1.0}, {}]


class Answering:
    """a client of one task whose answers are `value`, after `seconds`."""

    def __init__(self, value: float, seconds: float = 0.0) -> None:
        self.value, self.seconds = value, seconds

    def tasks(self) -> dict[str, int]:
        return {"normal": 1}

    def predict(self, *_) -> dict[str, np.ndarray]:
        time.sleep(self.seconds)
        return {"normal": np.full((1, 2, 2, 3), self.value)}


def replay(client, max_latency: float = 30.0) -> list[str]:
    """the reasons against it."""
    server = SimpleNamespace(pid=os.getpid(), seconds_to_start=0.0)
    judgement = Judgement(server, tiny_bundle(), {"tasks": {}}, Limits(max_latency))
    judgement.replay(client, RECORDS[:1])
    return judgement.reasons


def test_a_slow_server_is_refused_and_one_that_answers_no_numbers():
    assert replay(Answering(0.5)) == []
    (slow,) = replay(Answering(0.5, 0.002), max_latency=0.001)
    assert "one answer in a hundred takes" in slow and "0.001 s are allowed" in slow
    (broken,) = replay(Answering(float("nan")))
    assert broken == "normal answered record 0 with values that are no numbers"


def test_a_server_that_decodes_a_bomb_is_refused():
    server = SimpleNamespace(pid=os.getpid(), seconds_to_start=0.0)
    judgement = Judgement(server, tiny_bundle(), {"tasks": {}}, Limits())
    judgement.check_bomb(Answering(0.5))
    assert judgement.reasons == ["a picture that claims 50000 x 50000 pixels was not refused"]


def test_a_broken_graph_is_refused_in_the_servers_words(copy):
    (copy / "saved_model.pb").write_bytes(b"broken")
    verdict = validate(copy, records=RECORDS)
    assert (
        not verdict.ok
        and "did not start on the candidate: it ended with code 1" in verdict.reasons[0]
    )


def test_a_broken_warm_up_record_is_refused(copy):
    path = copy / "assets.extra" / "tf_serving_warmup_requests"
    path.write_bytes(path.read_bytes()[:-100])
    assert not validate(copy, records=RECORDS).ok


def test_a_folder_without_papers_is_refused_without_a_server(tmp_path):
    verdict = validate(tmp_path, records=[])
    assert not verdict.ok and "no readable contract" in verdict.reasons[0]


def test_one_flipped_byte_is_refused_without_a_server(tmp_path):
    """where nobody looks: the last byte of a file that no check reads."""
    candidate = shutil.copytree(tiny_bundle(), tmp_path / "candidate")
    path = candidate / "assets.extra" / "lineage.json"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    verdict = validate(candidate, records=[])
    assert not verdict.ok and "changed: assets.extra/lineage.json" in verdict.reasons[0]


def test_an_unsigned_bundle_is_refused_where_a_signature_is_required():
    trusted = key_pair()[1]
    verdict = validate(tiny_bundle(), records=[], trusted=trusted)
    assert not verdict.ok and "is not signed" in verdict.reasons[0]


def test_the_command_prints_a_verdict_a_program_can_read(tmp_path):
    process = subprocess.run(
        [sys.executable, "-m", "serving", "validate", str(tmp_path), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1 and json.loads(process.stdout)["ok"] is False
