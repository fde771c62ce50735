"""Says which model, version and signature a request names."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.message import DecodeError

from serving.wire.messages import message

DEFAULT_SIGNATURE = "serving_default"


@dataclass(frozen=True)
class ModelSpec:
    """A model, perhaps a version by its number or its label, perhaps a signature.

    signature: "" is `serving_default`.
    """

    name: str = ""
    version: int | None = None
    label: str | None = None
    signature: str = ""

    @property
    def servable(self) -> str:
        """Name of the servable in TensorFlow Serving's texts."""
        if self.version is None:
            return f"Latest({self.name})"
        return f"Specific({self.name}, {self.version})"


def model_spec_of(text: bytes) -> ModelSpec:
    """Returns the ModelSpec of serialised bytes. Raises ValueError."""
    try:
        spec = message("ModelSpec").FromString(text)
    except DecodeError as error:
        raise ValueError(f"expected a ModelSpec, got {error}") from error
    return ModelSpec(
        name=spec.name,
        # a number may be 0: only the wrapper says whether it is there
        version=spec.version.value if spec.HasField("version") else None,
        label=spec.version_label or None,
        signature=spec.signature_name,
    )


def model_spec_bytes(name: str, version: int, signature: str) -> bytes:
    """Returns a serialised ModelSpec: what an answer says of where it comes from."""
    spec = message("ModelSpec")(name=name, signature_name=signature)
    spec.version.value = version
    data: bytes = spec.SerializeToString()
    return data
