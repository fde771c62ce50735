"""The files for the real tensorflow_model_server: text protos parse, manifests hold what Kubernetes
and Compose require, and all agree with the pusher.
"""

import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)
from tensorflow_serving.config import model_server_config_pb2

from serving.release.push import push

ROOT = Path(__file__).resolve().parents[3]
PRODUCTION = ROOT / "serving" / "production"
NAME, GRPC, REST, MODELS = "taxonomy", 8500, 8501, "/models"
FLAGS = {  # of tensorflow_model_server, as far as these files use them
    "model_config_file",
    "monitoring_config_file",
    "enable_batching",
    "batching_parameters_file",
    "file_system_poll_wait_seconds",
    "rest_api_timeout_in_ms",
}
# The wheel of tensorflow-serving-api lacks these three protos: message -> field -> (number, type,
# repeated).
MISSING = {
    "BatchingParameters": {
        "max_batch_size": (1, "Int64Value"),
        "batch_timeout_micros": (2, "Int64Value"),
        "max_enqueued_batches": (3, "Int64Value"),
        "num_batch_threads": (4, "Int64Value"),
        "thread_pool_name": (5, "StringValue"),
        "allowed_batch_sizes": (6, "int64", True),
        "pad_variable_length_inputs": (7, "bool"),
    },
    "PrometheusConfig": {"enable": (1, "bool"), "path": (2, "string")},
    "MonitoringConfig": {"prometheus_config": (1, "PrometheusConfig")},
    "SSLConfig": {
        "server_key": (1, "string"),
        "server_cert": (2, "string"),
        "custom_ca": (3, "string"),
        "client_verify": (4, "bool"),
    },
}


def message(name: str):
    """a class for one of the missing messages."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="missing.proto",
        package="missing",
        syntax="proto3",
        dependency=["google/protobuf/wrappers.proto"],
    )
    for title, fields in MISSING.items():
        made = file.message_type.add(name=title)
        for field, (number, kind, *repeated) in fields.items():
            entry = made.field.add(
                name=field,
                number=number,
                label=kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL,
            )
            if kind in ("int64", "bool", "string"):
                entry.type = {
                    "int64": kinds.TYPE_INT64,
                    "bool": kinds.TYPE_BOOL,
                    "string": kinds.TYPE_STRING,
                }[kind]
            else:
                entry.type, entry.type_name = (
                    kinds.TYPE_MESSAGE,
                    f".missing.{kind}" if kind in MISSING else f".google.protobuf.{kind}",
                )
    pool = descriptor_pool.DescriptorPool()
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    pool.Add(wrappers)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"missing.{name}"))()


def parsed(file: str, kind: str):
    return text_format.Parse((PRODUCTION / file).read_text(), message(kind))


def manifests(file: str) -> list[dict]:
    return list(yaml.safe_load_all((PRODUCTION / file).read_text()))


def compose() -> dict:
    return manifests("compose.yaml")[0]["services"][NAME]


def deployment() -> dict:
    return manifests("kubernetes/deployment.yaml")[0]


def container() -> dict:
    return deployment()["spec"]["template"]["spec"]["containers"][0]


def flags(arguments: list[str]) -> dict[str, str]:
    assert all(re.fullmatch(r"--\w+=\S+", argument) for argument in arguments), (
        "the server reads --name=value alone"
    )
    return dict(argument.removeprefix("--").split("=", 1) for argument in arguments)


@pytest.fixture
def served_path() -> str:
    config = text_format.Parse(
        (PRODUCTION / "models.config").read_text(), model_server_config_pb2.ModelServerConfig()
    )
    (entry,) = config.model_config_list.config
    assert (
        entry.name == NAME
        and entry.model_platform == "tensorflow"
        and entry.model_version_policy.latest.num_versions == 1
    )
    assert not entry.HasField("logging_config"), "the open-source binary refuses it"
    return entry.base_path


def test_the_base_path_is_where_the_pusher_writes(served_path, tmp_path):
    """what the pipeline pushes to <run>/serving/taxonomy, mounted as /models, is what models.config
    names.
    """
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "saved_model.pb").write_bytes(b"m")
    version = push(tmp_path / "bundle", tmp_path / "run" / "serving" / NAME)
    mounted = MODELS / version.relative_to(tmp_path / "run" / "serving")
    assert str(mounted.parent) == served_path and int(mounted.name) > 0
    assert (
        'os.path.join(run, "serving", "taxonomy")'
        in (ROOT / "tfx_pipeline" / "pipeline.py").read_text()
    )


def test_batching_is_consistent():
    message = parsed("batching.config", "BatchingParameters")
    sizes = list(message.allowed_batch_sizes)
    assert sizes == sorted(set(sizes)) and sizes[-1] == message.max_batch_size.value == 8
    assert (
        message.batch_timeout_micros.value > 0
        and message.num_batch_threads.value >= 1
        and message.max_enqueued_batches.value >= 1
    )


def test_every_allowed_batch_size_lies_within_what_is_warmed_up():
    from serving.bundle.assets import WARM_BATCHES

    assert max(parsed("batching.config", "BatchingParameters").allowed_batch_sizes) == max(
        WARM_BATCHES
    )


def test_monitoring_is_on_at_the_path_that_is_scraped():
    message = parsed("monitoring.config", "MonitoringConfig")
    annotations = deployment()["spec"]["template"]["metadata"]["annotations"]
    assert (
        message.prometheus_config.enable
        and message.prometheus_config.path
        == annotations["prometheus.io/path"]
        == "/monitoring/prometheus/metrics"
    )
    assert annotations["prometheus.io/port"] == str(REST)


def test_the_tls_template_holds_no_secret():
    text = (PRODUCTION / "ssl.config.template").read_text()
    message = parsed("ssl.config.template", "SSLConfig")
    assert "BEGIN" not in text and all(
        re.fullmatch("[A-Z_]+_PEM", getattr(message, field))
        for field in ("server_key", "server_cert", "custom_ca")
    )
    assert not message.client_verify


@pytest.mark.parametrize(
    "field, text", [("max_batch_size", "max_batch_size: 8"), ("nothing", "nothing { value: 1 }")]
)
def test_the_messages_made_here_refuse_what_the_server_refuses(field, text):
    with pytest.raises(text_format.ParseError):
        text_format.Parse(text, message("BatchingParameters"))


def test_compose_and_kubernetes_start_the_same_server():
    one, other = flags(compose()["command"]), flags(container()["args"])
    assert one == other and set(one) == FLAGS and compose()["image"] == container()["image"]


def test_every_configuration_file_that_a_flag_names_is_mounted():
    named = {value for value in flags(container()["args"]).values() if value.startswith("/")}
    assert named == {
        f"/config/{name}" for name in ("models.config", "batching.config", "monitoring.config")
    }
    bound = dict(
        volume.rsplit(":", 2)[0:2] for volume in compose()["volumes"] if volume.startswith("./")
    )
    assert set(bound.values()) == named and all((PRODUCTION / source).exists() for source in bound)
    (generated,) = manifests("kustomization.yaml")[0]["configMapGenerator"]
    assert {f"/config/{name}" for name in generated["files"]} == named and all(
        (PRODUCTION / name).exists() for name in generated["files"]
    )
    volumes = {
        volume["name"]: volume for volume in deployment()["spec"]["template"]["spec"]["volumes"]
    }
    assert volumes["config"]["configMap"]["name"] == generated["name"]
    mounts = {mount["name"]: mount for mount in container()["volumeMounts"]}
    assert (
        mounts["config"]["mountPath"] == "/config"
        and mounts["models"]["mountPath"] == MODELS
        and all(mount["readOnly"] for mount in mounts.values())
    )


def test_the_servers_ports_are_the_same_everywhere():
    assert {port["name"]: port["containerPort"] for port in container()["ports"]} == {
        "grpc": GRPC,
        "http": REST,
    }
    assert [port.split(":")[-1] for port in compose()["ports"]] == [str(GRPC), str(REST)] and all(
        port.startswith("127.0.0.1:") for port in compose()["ports"]
    )
    (service,) = manifests("kubernetes/service.yaml")
    assert {port["name"]: port["port"] for port in service["spec"]["ports"]} == {
        "grpc": GRPC,
        "http": REST,
    }
    assert all(port["targetPort"] in ("grpc", "http") for port in service["spec"]["ports"])


def test_only_the_servers_public_image_is_named():
    """no registry's host: the name of the image and a released tag."""
    named = 0
    for file in PRODUCTION.rglob("*"):
        if file.is_file():
            images = re.findall(r"^\s*image:\s*(\S+)", file.read_text(), re.M)
            named += len(images)
            assert all(
                re.fullmatch(r"tensorflow/serving:\d+\.\d+\.\d+", image) for image in images
            ), file
            assert not re.search(
                r"\b[\w-]+\.(io|com|dev|org)/(?!scrape|port|path|v1)",
                file.read_text().replace("k8s.io/v1beta1", ""),
            ), file
    assert named >= 2, "Compose and Kubernetes name it"


REQUIRED = {
    "Deployment": (
        "apps/v1",
        [
            "spec.selector.matchLabels",
            "spec.template.metadata.labels",
            "spec.template.spec.containers",
        ],
    ),
    "Service": ("v1", ["spec.selector", "spec.ports"]),
    "HorizontalPodAutoscaler": (
        "autoscaling/v2",
        [
            "spec.scaleTargetRef.kind",
            "spec.scaleTargetRef.name",
            "spec.minReplicas",
            "spec.maxReplicas",
            "spec.metrics",
        ],
    ),
    "PodDisruptionBudget": (
        "policy/v1",
        ["spec.selector.matchLabels", "spec.minAvailable"],
    ),
    "PersistentVolumeClaim": ("v1", ["spec.accessModes", "spec.resources.requests.storage"]),
}


def test_every_manifest_has_the_fields_its_kind_requires():
    kinds = []
    for file in manifests("kustomization.yaml")[0]["resources"]:
        for manifest in manifests(file):
            version, paths = REQUIRED[manifest["kind"]]
            kinds.append(manifest["kind"])
            assert manifest["apiVersion"] == version and re.fullmatch(
                r"[a-z0-9-]{1,63}", manifest["metadata"]["name"]
            )
            for path in paths:
                value = manifest
                for part in path.split("."):
                    value = value[part]
                assert value or value == 0, f"{file}: {path}"
    assert sorted(kinds) == sorted(REQUIRED)
    assert {
        str(path.relative_to(PRODUCTION)) for path in (PRODUCTION / "kubernetes").iterdir()
    } == set(manifests("kustomization.yaml")[0]["resources"])


def test_selectors_targets_and_claims_meet():
    labels = deployment()["spec"]["template"]["metadata"]["labels"]
    budget = manifests("kubernetes/autoscaling.yaml")[1]["spec"]["selector"]["matchLabels"]
    assert (
        labels
        == deployment()["spec"]["selector"]["matchLabels"]
        == manifests("kubernetes/service.yaml")[0]["spec"]["selector"]
        == budget
    )
    target = manifests("kubernetes/autoscaling.yaml")[0]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == (
        "Deployment",
        deployment()["metadata"]["name"],
    ) and "replicas" not in deployment()["spec"]
    volumes = {
        volume["name"]: volume for volume in deployment()["spec"]["template"]["spec"]["volumes"]
    }
    assert (
        volumes["models"]["persistentVolumeClaim"]["claimName"]
        == manifests("kubernetes/models.yaml")[0]["metadata"]["name"]
    )


def test_probes_ask_for_doors_that_exist_and_for_a_model_that_answers():
    names = {port["name"] for port in container()["ports"]}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        (how,) = [
            container()[probe][kind]
            for kind in ("httpGet", "tcpSocket")
            if kind in container()[probe]
        ]
        assert how["port"] in names and container()[probe]["periodSeconds"] > 0
    assert container()["readinessProbe"]["httpGet"]["path"] == f"/v1/models/{NAME}/metadata"
    assert (
        container()["startupProbe"]["periodSeconds"]
        * container()["startupProbe"]["failureThreshold"]
        >= 120
    )
    grace = deployment()["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace > int(container()["lifecycle"]["preStop"]["exec"]["command"][1]) + 30, (
        "a REST request may take 30 s after the pause"
    )


def test_the_container_may_do_nothing_but_serve():
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert (
        deployment()["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"]
        and "memory" in container()["resources"]["limits"]
    )
    assert compose()["read_only"] and compose()["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("state, code", [("AVAILABLE", 0), ("LOADING", 1)])
def test_composes_health_check_tells_serving_from_loading(state, code):
    """the very script, against a door that answers as TensorFlow Serving does."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            assert self.path == f"/v1/models/{NAME}"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f'{{"model_version_status": [{{"state": "{state}"}}]}}'.encode())

        def log_message(self, *_):
            pass

    door = HTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=door.handle_request, daemon=True).start()
    script = compose()["healthcheck"]["test"][-1].replace(f"/{REST}", f"/{door.server_port}")
    assert subprocess.run(["bash", "-c", script], timeout=60, check=False).returncode == code
    door.server_close()


def test_compose_asks_the_server_whether_it_serves():
    script = compose()["healthcheck"]["test"][-1]
    assert (
        f"/dev/tcp/127.0.0.1/{REST}" in script
        and f"/v1/models/{NAME} " in script
        and "AVAILABLE" in script
    )
    assert any(
        volume.startswith("${TAXONOMY_MODELS:?") and volume.endswith(f":{MODELS}:ro")
        for volume in compose()["volumes"]
    )
