"""Signs bundles and checks who signed them: an Ed25519 signature of the manifest, which names the
SHA-256 of every file. A server that is told to require one loads nothing else.

    openssl genpkey -algorithm ed25519 -out signing.pem          (keep it where nobody serves)
    openssl pkey -in signing.pem -pubout -out trusted.pem        (goes to the gate and the servers)
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import TYPE_CHECKING

from models.provenance.atomic import write_text
from serving.bundle.manifest import (
    MANIFEST,
    SIGNATURE,
    ManifestError,
    check_files,
    check_manifest,
    read_manifest,
    write_manifest,
)

# for types alone: cryptography is loaded by who signs or checks
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

PUBLIC_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)


def sign(bundle: str | Path, key: bytes) -> Path:
    """Writes the signature beside the manifest and returns its path. key: PEM of an Ed25519 private
    key.

    A bundle without a manifest gets one; one whose files are not those of its manifest is not
    signed. Raises ManifestError, ValueError for another key.
    """
    bundle = Path(bundle)
    # the key first: a wrong one must not leave a manifest behind
    signer = private_key(key)
    if (bundle / MANIFEST).exists():
        check_manifest(bundle)
    elif (bundle / "saved_model.pb").exists():
        write_manifest(bundle)
    else:
        raise ValueError(f"no SavedModel at {bundle}")
    signature = signer.sign(read_manifest(bundle))
    write_text(bundle / SIGNATURE, base64.b64encode(signature).decode() + "\n")
    return bundle / SIGNATURE


def check_signed(bundle: str | Path, trusted: bytes) -> None:
    """Raises ManifestError unless `bundle` holds exactly the files of its manifest, and one of the
    keys `trusted` (PEM, one public key after the other) signed that manifest. ValueError where none
    is a key.

    The signature is checked before a file is read, over the very bytes that the files are then
    compared with.
    """
    keys = public_keys(trusted)
    # read once: what the signature is checked over is what the files are compared with
    manifest = read_manifest(bundle)
    signature = read_signature(bundle)
    if not any(is_signed_by(key, signature, manifest) for key in keys):
        raise ManifestError(f"the manifest of {bundle} was signed by none of the trusted keys")
    check_files(Path(bundle), manifest)


def read_signature(bundle: str | Path) -> bytes:
    try:
        return base64.b64decode((Path(bundle) / SIGNATURE).read_bytes().strip(), validate=True)
    except OSError as error:
        raise ManifestError(
            f"{bundle} is not signed; `python -m serving sign {bundle} KEY` signs it"
        ) from error
    except ValueError as error:
        raise ManifestError(f"expected a signature in base64 in {SIGNATURE}: {error}") from error


def is_signed_by(key: Ed25519PublicKey, signature: bytes, manifest: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, manifest)
    except InvalidSignature:
        return False
    return True


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """Returns the private key in a PEM. Raises ValueError for anything but an unencrypted Ed25519
    key.
    """
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        # no password: whoever runs this has nobody to ask
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"expected an Ed25519 private key in PEM (openssl genpkey -algorithm ed25519): {error}"
        ) from error
    # PEM holds keys of many kinds
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise ValueError(f"expected an Ed25519 private key, got {type(key).__name__}")
    return key


def public_keys(pem: bytes) -> list[Ed25519PublicKey]:
    """Returns the Ed25519 public key of every PEM block. Raises ValueError where there is none, or
    one of another kind.
    """
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    # several: keys can be changed while both are trusted
    keys: list[Ed25519PublicKey] = []
    for block in PUBLIC_BLOCK.findall(pem):
        key = load_pem_public_key(block)
        if not isinstance(key, ed25519.Ed25519PublicKey):
            raise ValueError(f"expected Ed25519 public keys, got {type(key).__name__}")
        keys.append(key)
    if not keys:
        raise ValueError("expected Ed25519 public keys in PEM (openssl pkey -pubout), got none")
    return keys
