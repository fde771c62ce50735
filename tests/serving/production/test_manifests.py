"""The Kubernetes manifests against the API's own types, as the kubernetes client carries them: no
unknown field, no wrong kind of value.
"""

import re
from pathlib import Path

import pytest
import yaml

models = pytest.importorskip(
    "kubernetes.client.models",
    reason="the kubernetes client, which kfp brings, holds the API's types",
)
FOLDER = Path(__file__).resolve().parents[3] / "serving" / "production" / "kubernetes"
TYPES = {"apps/v1": "V1", "v1": "V1", "policy/v1": "V1", "autoscaling/v2": "V2"}
PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float), "object": object}


def faults(value, kind: str, where: str) -> list[str]:
    """what of `value` is not of the API's type `kind`, in words."""
    if inner := re.fullmatch(r"list\[(.*)\]", kind):
        return (
            [f"{where}: no list"]
            if not isinstance(value, list)
            else [
                said
                for i, one in enumerate(value)
                for said in faults(one, inner[1], f"{where}[{i}]")
            ]
        )
    if inner := re.fullmatch(r"dict\(str, (.*)\)", kind):
        return [
            said
            for key, one in value.items()
            for said in (
                [f"{where}: {key} is no text"] * (not isinstance(key, str))
                + faults(one, inner[1], f"{where}.{key}")
            )
        ]
    if kind in PLAIN:
        wrong = not isinstance(value, PLAIN[kind]) or (kind == "int" and isinstance(value, bool))
        return [f"{where}: {value!r} is no {kind}"] if wrong and kind != "object" else []
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no {kind}"]
    made, known = getattr(models, kind), {}
    for name, alias in made.attribute_map.items():
        known[alias] = made.openapi_types[name]
    said = [f"{where}.{key}: {kind} has no such field" for key in value if key not in known]
    names = {alias: name for name, alias in made.attribute_map.items()}
    try:  # the client's constructors know which fields are required
        made(**{names[key]: one for key, one in value.items() if key in names})
    except ValueError as error:
        said.append(f"{where}: {error}")
    return said + [
        one
        for key, inner in value.items()
        if key in known
        for one in faults(inner, known[key], f"{where}.{key}")
    ]


def manifests() -> list[tuple[str, dict]]:
    return [
        (f"{path.name} {one['kind']}", one)
        for path in sorted(FOLDER.glob("*.yaml"))
        for one in yaml.safe_load_all(path.read_text())
    ]


@pytest.mark.parametrize("name, manifest", manifests(), ids=[name for name, _ in manifests()])
def test_a_manifest_is_of_the_apis_types(name, manifest):
    assert faults(manifest, TYPES[manifest["apiVersion"]] + manifest["kind"], name) == []


def altered(kind: str, path: str, value) -> dict:
    (manifest,) = [one for _, one in manifests() if one["kind"] == kind]
    *way, last = path.split(".")
    place = manifest
    for part in way:
        place = place[int(part) if part.isdigit() else part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return manifest


@pytest.mark.parametrize("kind, path, value, words", [
    ("Deployment", "spec.template.spec.containers.0.readinessprobe", {}, "no such field"),
    ("Deployment", "spec.template.spec.terminationGracePeriodSeconds", "45", "is no int"),
    ("Deployment", "spec.template.spec.containers", None, "must not be `None`"),
    ("Deployment", "spec.selector", None, "must not be `None`"),
    ("HorizontalPodAutoscaler", "spec.maxReplicas", None, "must not be `None`"),
    ("Service", "spec.ports.0.port", "http", "is no int"),
])  # fmt: skip
def test_the_check_finds_what_a_cluster_would_refuse(kind, path, value, words):
    manifest = altered(kind, path, value)
    assert any(
        words in said for said in faults(manifest, TYPES[manifest["apiVersion"]] + kind, kind)
    )


def test_the_servers_grace_fits_into_the_pods():
    """preStop's sleep and the server's drain must end before the kubelet kills."""
    (manifest,) = [one for _, one in manifests() if one["kind"] == "Deployment"]
    pod = manifest["spec"]["template"]["spec"]
    sleep = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert pod["terminationGracePeriodSeconds"] >= sleep + 10 + 1
