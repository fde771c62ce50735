"""From flags to a server: what is refused, in which words."""

from types import SimpleNamespace

import pytest

from serving.__main__ import parser
from serving.errors import precondition
from serving.server import start as start_module
from serving.server.start import (
    RereadFile,
    check_authority,
    check_flags,
    check_pair,
    credentials_of,
    metrics_path,
    start,
)


def options(*flags: str):
    return parser().parse_args(["serve", *flags])


def test_the_default_model_is_named_as_the_originals():
    assert options().model_name == "default"


@pytest.mark.parametrize("flags, words", [
    ([], "model_base_path must be absolute, got None"),
    (["--model_base_path=m"], "must be absolute, got m"),
    (["--model_base_path=/m", "--batching_parameters_file=/f"], "needs --enable_batching"),
])  # fmt: skip
def test_flags_that_serve_nothing_are_refused(flags, words, capsys):
    with pytest.raises(ValueError, match=words):
        check_flags(options(*flags))
    assert start(options(*flags)) == 1
    assert capsys.readouterr().err.startswith("Failed to start server. Error: ")


def test_a_refused_config_file_is_said_once_and_tried_until_it_fits(tmp_path, capsys):
    """a file whose label names a version that is still to come."""
    path = tmp_path / "models.config"
    path.write_text("model_config_list { }")
    refusals = [precondition("version 2 is not there"), precondition("version 2 is not there")]
    reloads = []

    def reload(configs, awaited):
        assert not awaited(), "the next change of the file is looked for meanwhile"
        reloads.append(configs)
        if refusals:
            raise refusals.pop()

    reread = RereadFile(path, SimpleNamespace(reload=reload), 1.0)
    reread.poll()
    assert not reloads, "what is served already"
    path.write_text("model_config_list { } # a label")
    for _ in range(5):
        reread.poll()
    assert len(reloads) == 3, "until it is taken, and no longer"
    path.unlink()
    reread.poll()
    reread.poll()
    first, second = capsys.readouterr().err.splitlines()
    assert first == "model config file ignored, and tried again: version 2 is not there"
    assert "No such file" in second


@pytest.mark.parametrize(
    "key", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"]
)
def test_an_unusable_key_says_so(tmp_path, key):
    with pytest.raises(ValueError, match="server_key and server_cert cannot be used"):
        check_pair(tmp_path / "ssl.config", key, b"no certificate")
    config = tmp_path / "ssl.config"
    config.write_text(f"server_key: {key.decode()!r} server_cert: 'x'".replace("\n", "\\n"))
    with pytest.raises(ValueError, match="ssl.config: server_key and server_cert cannot be used"):
        credentials_of(config)


@pytest.mark.parametrize(
    "authority",
    [
        "no certificate",
        "\u00e9",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
    ],
)
def test_an_unusable_authority_says_so(tmp_path, authority):
    for verify in (False, True):
        with pytest.raises(ValueError, match="ssl.config: custom_ca cannot be used"):
            check_authority(tmp_path / "ssl.config", authority, verify)


def test_clients_are_not_verified_without_an_authority(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="ssl.config: client_verify needs custom_ca"):
        check_authority(tmp_path / "ssl.config", "", True)
    check_authority(tmp_path / "ssl.config", "", False)
    # the file's fields reach it
    config = tmp_path / "ssl.config"
    config.write_text("server_key: 'k' server_cert: 'c' client_verify: true")
    monkeypatch.setattr(start_module, "check_pair", lambda *_: None)
    with pytest.raises(ValueError, match="ssl.config: client_verify needs custom_ca"):
        credentials_of(config)


def test_the_page_for_prometheus_stands_where_the_file_says(tmp_path):
    config = tmp_path / "monitoring.config"
    config.write_text('prometheus_config { enable: true path: "/m" }')
    assert metrics_path(config) == "/m" and metrics_path(None) is None
    config.write_text('prometheus_config { enable: true path: "m" }')
    assert metrics_path(config) == "/m", "without its slash no request would find it"
    config.write_text("prometheus_config { enable: true }")
    assert metrics_path(config) == "/monitoring/prometheus/metrics"
    config.write_text("")
    assert metrics_path(config) is None
