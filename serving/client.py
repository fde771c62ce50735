"""Ask a model server about an image and keep the answers as pictures and text a person can read. Any TensorFlow Serving will do."""

from __future__ import annotations

import json
from pathlib import Path

import grpc
import numpy as np

from models.networks.pictures import picture
from models.tasks import TASKS, task

CLASS_FILES = {"class_object": "ImageNet class", "class_scene": "indoor Places class", "point_matching": "same point"}


class Client:
    """A connection to `server` (host:port). deadline: seconds a request may take; a server that is not there yet is waited for as long."""

    def __init__(self, server: str, model: str = "taxonomy", deadline: float = 30.0) -> None:
        from tensorflow_serving.apis import prediction_service_pb2_grpc

        self.channel = grpc.insecure_channel(server, options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)])
        self.stub, self.model, self.deadline = prediction_service_pb2_grpc.PredictionServiceStub(self.channel), model, deadline

    def predict(self, signature: str, inputs: dict, outputs=()) -> dict[str, np.ndarray]:
        """one Predict; outputs: names to return, all if empty. Raises grpc.RpcError with the server's code and text."""
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        from serving.tensors import from_proto

        request = predict_pb2.PredictRequest(output_filter=outputs)
        request.model_spec.name, request.model_spec.signature_name = self.model, signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        response = self.stub.Predict(request, timeout=self.deadline, wait_for_ready=True)
        return {name: from_proto(value) for name, value in response.outputs.items()}

    def tasks(self) -> dict[str, int]:
        """what the served policy answers: task -> images that a question about it takes."""
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = self.model
        response = self.stub.GetModelMetadata(request, timeout=self.deadline, wait_for_ready=True)
        table = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(table)
        return {name: TASKS[name].images for name in table.signature_def if name in TASKS}

    def ask(self, images: list[bytes], names: list[str] | None = None) -> dict[str, np.ndarray]:
        """answers about encoded images (one, or the two or three views of a question): task -> array. Names default to all that the images allow."""
        offered = self.tasks()
        names = names or [name for name, count in offered.items() if count <= len(images)]
        for name in names:
            task(name)
            if name not in offered:
                raise KeyError(f"the served policy does not answer {name}; it answers {', '.join(sorted(offered))}")
            if offered[name] > len(images):
                raise ValueError(f"{name} takes {offered[name]} images, got {len(images)}: give --image once for each view")
        made = {}
        for count in sorted({offered[name] for name in names}):
            group = [name for name in names if offered[name] == count]
            made.update(
                self.predict("image_bytes" if count == 1 else f"image_bytes_{count}", {"image_bytes": images[:1] if count == 1 else [images[:count]]}, group)
            )
        return {name: value[0] for name, value in made.items()}


def save_answers(answers: dict[str, np.ndarray], folder: Path) -> list[Path]:
    """maps as <task>.png, vectors and classes together in answers.json; the paths."""
    from models.examples.published import encode_png

    folder.mkdir(parents=True, exist_ok=True)
    saved, words = [], {}
    for name, value in answers.items():
        entry = TASKS[name]
        if entry.output.dense:
            shown = picture(entry, value, False)
            path = folder / f"{name}.png"
            path.write_bytes(encode_png(shown.repeat(max(1, 256 // len(shown)), 0).repeat(max(1, 256 // len(shown)), 1)))
            saved.append(path)
        elif entry.output.kind == "classes":
            shares = np.exp(value - value.max()) / np.exp(value - value.max()).sum()
            words[name] = [{CLASS_FILES.get(name, "class"): int(i), "probability": round(float(shares[i]), 4)} for i in np.argsort(-shares)[:5]]
        else:
            words[name] = {"unit": entry.unit, "value": [round(float(number), 4) for number in value]}
    if words:
        path = folder / "answers.json"
        path.write_text(json.dumps(words, indent=1))
        saved.append(path)
    return saved
