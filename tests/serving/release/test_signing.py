"""Only a trusted key's signature of exactly these files passes."""

import shutil
import subprocess
import sys
import time

import grpc
import pytest
from client_answers import PICTURES
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from signing_keys import key_pair
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc
from tiny_bundle import tiny_bundle

from serving.__main__ import main
from serving.bundle.manifest import MANIFEST, SIGNATURE, ManifestError, write_manifest
from serving.client.client import Client
from serving.release.process import ServerError, ServerProcess, serve_command
from serving.release.push import push, versions
from serving.release.signing import check_signed, private_key, public_keys, sign

KEY, TRUSTED = key_pair()
FOREIGN_KEY, FOREIGN = key_pair()


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "bundle"
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "assets.extra" / "contract.json").write_text("{}")
    write_manifest(folder)
    return folder


def test_a_signed_bundle_passes(bundle):
    sign(bundle, KEY)
    check_signed(bundle, TRUSTED)


def test_one_of_several_trusted_keys_is_enough(bundle):
    """so that a key can be changed without a day on which nothing serves."""
    sign(bundle, KEY)
    check_signed(bundle, b"old and new\n" + FOREIGN + b"\n" + TRUSTED)


@pytest.mark.parametrize("name", ["saved_model.pb", "assets.extra/contract.json", str(MANIFEST)])
def test_one_flipped_byte_is_refused(bundle, name):
    sign(bundle, KEY)
    data = bytearray((bundle / name).read_bytes())
    data[0] ^= 1
    (bundle / name).write_bytes(bytes(data))
    with pytest.raises(ManifestError, match="changed|none of the trusted keys"):
        check_signed(bundle, TRUSTED)


def test_whoever_rewrites_the_manifest_too_lacks_the_key(bundle):
    signature = sign(bundle, KEY).read_bytes()
    (bundle / "saved_model.pb").write_bytes(b"other graph")
    write_manifest(bundle)
    (bundle / SIGNATURE).write_bytes(signature)
    with pytest.raises(ManifestError, match="none of the trusted keys"):
        check_signed(bundle, TRUSTED)
    sign(bundle, FOREIGN_KEY)
    with pytest.raises(ManifestError, match="none of the trusted keys"):
        check_signed(bundle, TRUSTED)


def test_an_unsigned_bundle_says_what_to_do(bundle):
    with pytest.raises(ManifestError, match="is not signed; `python -m serving sign"):
        check_signed(bundle, TRUSTED)


@pytest.mark.parametrize("text", ["", "no base64!", "QUJD", "\u00e9"])
def test_a_broken_signature_is_refused(bundle, text):
    (bundle / SIGNATURE).write_text(text)
    with pytest.raises(ManifestError):
        check_signed(bundle, TRUSTED)


def test_a_bundle_that_was_changed_is_not_signed(bundle):
    (bundle / "saved_model.pb").write_bytes(b"other graph")
    with pytest.raises(ManifestError, match="changed: saved_model.pb"):
        sign(bundle, KEY)


def test_a_bundle_of_before_there_were_manifests_gets_one(bundle):
    (bundle / MANIFEST).unlink()
    sign(bundle, KEY)
    check_signed(bundle, TRUSTED)


def test_a_folder_that_is_no_bundle_is_not_signed(tmp_path):
    with pytest.raises(ValueError, match="no SavedModel"):
        sign(tmp_path, KEY)


def test_only_ed25519_keys_are_taken():
    rsa = generate_private_key(65537, 2048).public_key()
    pem = rsa.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ValueError, match="got RSAPublicKey"):
        public_keys(pem)
    with pytest.raises(ValueError, match="got none"):
        public_keys(KEY)
    for text in (b"", TRUSTED, b"hello"):
        with pytest.raises(ValueError, match="expected an Ed25519 private key"):
            private_key(text)


def test_a_push_signs_the_copy_before_it_is_shown(bundle, tmp_path):
    version = push(bundle, tmp_path / "served", KEY)
    check_signed(version, TRUSTED)
    assert not (bundle / SIGNATURE).exists()


def test_a_push_refuses_a_changed_bundle_and_leaves_nothing_behind(bundle, tmp_path):
    (bundle / "saved_model.pb").write_bytes(b"other graph")
    for key in (None, KEY):
        with pytest.raises(ManifestError, match="changed: saved_model.pb"):
            push(bundle, tmp_path / "served", key)
    assert not list((tmp_path / "served").iterdir())


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the keys of the docstring")
def test_the_commands_of_the_documentation_make_keys_that_sign(bundle, tmp_path):
    for words in (
        "openssl genpkey -algorithm ed25519 -out signing.pem",
        "openssl pkey -in signing.pem -pubout -out trusted.pem",
    ):
        subprocess.run(words.split(), cwd=tmp_path, check=True, capture_output=True)
    command = [sys.executable, "-m", "serving", "sign", str(bundle), str(tmp_path / "signing.pem")]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0 and process.stdout.strip() == str(bundle / SIGNATURE)
    check_signed(bundle, (tmp_path / "trusted.pem").read_bytes())


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """(folder of versions, file of the trusted key), with a signed bundle as its version."""
    folder = tmp_path_factory.mktemp("signed")
    push(tiny_bundle(), folder / "models", KEY)
    (folder / "trusted.pem").write_bytes(TRUSTED)
    return folder / "models", folder / "trusted.pem"


def strict_command(served) -> list[str]:
    base, trusted = served
    return [*serve_command(base), "--require_signed", f"--public_key_file={trusted}"]


def test_a_server_that_requires_a_signature_serves_a_signed_bundle_and_refuses_a_flipped_byte(
    served,
):
    """the second version differs in one byte of a weight; the first goes on serving."""
    base, _ = served
    with ServerProcess(strict_command(served)) as server, Client(server.address) as client:
        first = versions(base)
        other = shutil.copytree(base / str(first[0]), base / "scratch")
        weights = next((other / "variables").glob("*.data*"), other / "saved_model.pb")
        data = bytearray(weights.read_bytes())
        data[len(data) // 2] ^= 1
        weights.write_bytes(bytes(data))
        other.rename(base / str(first[0] + 1))
        words = state_of(server.address, first[0] + 1)
        assert f"changed: {weights.relative_to(base / 'scratch')}" in words
        assert client.predict("normal", {"image_bytes": PICTURES[:1]}, ["normal"])["normal"].size
    shutil.rmtree(base / str(first[0] + 1))


def state_of(address: str, version: int) -> str:
    """the error that the status of a version shows, as soon as it has one."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "taxonomy"
    with grpc.insecure_channel(address) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        for _ in range(300):
            for status in stub.GetModelStatus(request, timeout=20).model_version_status:
                if status.version == version and status.status.error_message:
                    return status.status.error_message
            time.sleep(0.1)
    return ""


def test_a_server_that_requires_a_signature_does_not_start_on_an_unsigned_bundle(served, tmp_path):
    push(tiny_bundle(), tmp_path / "models")
    with pytest.raises(ServerError, match="is not signed"):
        ServerProcess(strict_command((tmp_path / "models", served[1])))


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--require_signed"], "--require_signed needs --public_key_file"),
        (["--require_signed", "--public_key_file=/no/such.pem"], "No such file"),
        (["--require_signed", f"--public_key_file={__file__}"], "expected Ed25519 public keys"),
    ],
)
def test_wrong_flags_end_the_start(flags, words, tmp_path, capsys):
    assert main(["serve", f"--model_base_path={tmp_path}", *flags]) != 0
    assert words in "".join(capsys.readouterr())
