"""TLS and mutual TLS on the gRPC door, from the text file that the real server reads; certificates
are made here.
"""

import shutil
import subprocess
import sys

import grpc
import numpy as np
import pytest
from working_model import save_working

from serving.client.client import Client
from serving.release.process import ServerProcess

pytestmark = pytest.mark.skipif(
    not shutil.which("openssl"), reason="openssl makes the certificates"
)
KEY = ["-newkey", "rsa:2048", "-nodes"]


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def authority(folder, name: str) -> None:
    openssl(
        "req",
        "-x509",
        *KEY,
        "-days",
        "2",
        "-subj",
        f"/CN={name}",
        "-keyout",
        f"{folder}/{name}.key",
        "-out",
        f"{folder}/{name}.pem",
    )


def signed(folder, name: str, by: str) -> tuple[bytes, bytes]:
    """(key, certificate) of `name`, valid for localhost."""
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    openssl(
        "req",
        *KEY,
        "-subj",
        f"/CN={name}",
        "-keyout",
        f"{folder}/{name}.key",
        "-out",
        f"{folder}/{name}.csr",
    )
    openssl(
        "x509",
        "-req",
        "-days",
        "2",
        "-in",
        f"{folder}/{name}.csr",
        "-CA",
        f"{folder}/{by}.pem",
        "-CAkey",
        f"{folder}/{by}.key",
        "-CAcreateserial",
        "-extfile",
        f"{folder}/names",
        "-out",
        f"{folder}/{name}.pem",
    )
    return (folder / f"{name}.key").read_bytes(), (folder / f"{name}.pem").read_bytes()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ours", "strangers"):
        authority(folder, name)
    made = {
        name: signed(folder, name, by)
        for name, by in (("server", "ours"), ("client", "ours"), ("intruder", "strangers"))
    }
    return {
        **made,
        "ours": (folder / "ours.pem").read_bytes(),
        "strangers": (folder / "strangers.pem").read_bytes(),
    }


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("working")
    save_working(folder / "1", 2.0)
    return folder


def started(base, certificates, folder, verify: bool) -> ServerProcess:
    def text(data):
        return data.decode().replace("\n", "\\n")

    key, certificate = certificates["server"]
    lines = [
        f'server_key: "{text(key)}"',
        f'server_cert: "{text(certificate)}"',
        f"client_verify: {str(verify).lower()}",
    ]
    (folder / "ssl.config").write_text(
        "\n".join([*lines, f'custom_ca: "{text(certificates["ours"])}"'] if verify else lines)
    )
    flags = [
        f"--model_base_path={base}",
        "--model_name=working",
        "--port=0",
        "--rest_api_port=0",
        f"--ssl_config_file={folder}/ssl.config",
    ]
    return ServerProcess([sys.executable, "-m", "serving", "serve", *flags])


def asked(address: str, **credentials) -> str:
    """OK, or the status."""
    try:
        with Client(
            address.replace("127.0.0.1", "localhost"),
            "working",
            deadline=3,
            attempts=1,
            **credentials,
        ) as client:
            client.predict("", {"x": np.ones((1, 2), "float32")})
        return "OK"
    except grpc.RpcError as error:
        return error.code().name


def test_tls_answers_whoever_trusts_the_certificate_and_no_plain_client(
    base, certificates, tmp_path
):
    with started(base, certificates, tmp_path, False) as server:
        assert asked(server.address, authority=certificates["ours"]) == "OK"
        assert asked(server.address, authority=certificates["strangers"]) == "UNAVAILABLE"
        assert asked(server.address) == "UNAVAILABLE"
        assert asked(server.address, authority=certificates["ours"]) == "OK"


def test_mutual_tls_asks_for_a_certificate_of_the_named_authority(base, certificates, tmp_path):
    with started(base, certificates, tmp_path, True) as server:
        assert (
            asked(server.address, authority=certificates["ours"], identity=certificates["client"])
            == "OK"
        )
        assert (
            asked(server.address, authority=certificates["ours"], identity=certificates["intruder"])
            == "UNAVAILABLE"
        )
        assert asked(server.address, authority=certificates["ours"]) == "UNAVAILABLE"
