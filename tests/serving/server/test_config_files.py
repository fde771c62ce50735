"""The original's text files: what is read, and in which words the rest is refused."""

import pytest
from tensorflow_serving.config import model_server_config_pb2

from serving.errors import ServingError
from serving.server.config_files import (
    MOST_MODELS,
    first_models,
    message,
    models_of,
    parse,
    read,
    read_models,
)
from serving.server.models import Policy


def config(text: str):
    return parse(text.encode(), model_server_config_pb2.ModelServerConfig())


def entry(more: str = "", name: str = "a", base: str = "/m/a") -> str:
    platform = (
        "" if "model_platform" in more or "model_type" in more else ('model_platform: "tensorflow"')
    )
    return f'config {{ name: "{name}" base_path: "{base}" {platform} {more} }}'


def listed(*entries: str) -> str:
    return f"model_config_list {{ {' '.join(entries)} }}"


@pytest.mark.parametrize(
    "text, policy",
    [
        ("", Policy()),
        ("model_version_policy { latest { } }", Policy()),
        ("model_version_policy { latest { num_versions: 2 } }", Policy(latest=2)),
        ("model_version_policy { all { } }", Policy(latest=None)),
        ("model_version_policy { specific { versions: 3 versions: 5 } }", Policy(specific=(3, 5))),
    ],
)
def test_a_policy_is_read(text, policy):
    (found,) = models_of(config(listed(entry(text))))
    assert found.policy == policy and found.name == "a" and str(found.base) == "/m/a"


def test_a_file_may_start_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "models.config"
    path.write_text(listed(entry()), encoding="utf-8-sig")
    assert [one.name for one in read_models(path)] == ["a"]


@pytest.mark.parametrize("text", ["", "# none yet\n", "model_config_list { }"])
def test_a_server_may_start_without_models(tmp_path, text):
    path = tmp_path / "models.config"
    path.write_text(text)
    assert first_models(path) == []
    path.write_text("custom_model_config { }")
    with pytest.raises(ValueError, match="Only ModelConfigList is currently supported"):
        first_models(path)


def test_a_base_path_may_be_a_uri_of_a_file():
    (found,) = models_of(config(listed(entry(base="file:///m/a"))))
    assert str(found.base) == "/m/a"
    for base in ("file://m/a", "gs://m/a"):
        with pytest.raises(ServingError, match=r"absolute path or URI; got .*file:///\.\.\. alone"):
            models_of(config(listed(entry(base=base))))


def test_labels_and_several_models_are_read(tmp_path):
    label = 'version_labels { key: "stable" value: 3 }'
    path = tmp_path / "models.config"
    path.write_text(listed(entry(label), entry(name="b")))
    assert [(one.name, one.labels) for one in read_models(path)] == [
        ("a", {"stable": 3}),
        ("b", {}),
    ]
    path.write_text(listed(entry(base="relative")))
    with pytest.raises(ValueError, match="models.config: .*absolute path or URI"):
        read_models(path)


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "Only ModelConfigList is currently supported"),
        ("custom_model_config { }", "Only ModelConfigList is currently supported"),
        (listed(entry(), entry()), "Illegal to list model a multiple times"),
        (listed(entry(name="")), "has no name"),
        (listed(entry(base="m/a")), "to have an absolute path or URI"),
        (listed(entry('model_platform: ""')), "Illegal setting neither"),
        (
            listed(entry('model_platform: "tensorflow" model_type: TENSORFLOW')),
            "Illegal setting both",
        ),
        (listed(entry('model_platform: "other"')), "unsupported platform other"),
        (listed(entry("logging_config { }")), "logging_config"),
        (listed(entry("model_version_policy { specific { } }")), "names no versions"),
    ],
)
def test_what_cannot_be_served_is_refused(text, words):
    with pytest.raises(ServingError, match=words) as error:
        models_of(config(text))
    assert error.value.code.name == "INVALID_ARGUMENT"


def test_commas_and_colons_may_be_left_out():
    found = config('model_config_list: { config: [{ name: "a", base_path: "/a" }], }')
    assert found.model_config_list.config[0].name == "a"


@pytest.mark.parametrize("text", [b"\xff", b"model_config_list {", b"unknown: 1", b"{" * 5000])
def test_what_is_no_text_of_the_message_names_its_file(tmp_path, text):
    (tmp_path / "file").write_bytes(text)
    with pytest.raises(ValueError, match="Invalid protobuf file .*file"):
        read(tmp_path / "file", model_server_config_pb2.ModelServerConfig())


def test_messages_that_the_wheel_lacks_are_read():
    ssl = parse(b'server_key: "k" client_verify: true', message("SSLConfig")())
    assert (ssl.server_key, ssl.server_cert, ssl.client_verify) == ("k", "", True)
    monitoring = parse(
        b'prometheus_config { enable: true path: "/m" }', message("MonitoringConfig")()
    )
    assert monitoring.prometheus_config.path == "/m"


def test_more_models_than_a_server_can_look_after_are_refused():
    """4 MiB of a reload took 12 s of a core."""
    config = model_server_config_pb2.ModelServerConfig()
    for number in range(MOST_MODELS + 1):
        config.model_config_list.config.add(name=str(number))
    with pytest.raises(ServingError, match="at most 10000 models"):
        models_of(config)
