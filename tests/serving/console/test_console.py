"""What the page asks for, without HTTP and without a model server."""

import base64
import io

import grpc
import numpy as np
import pytest
from client_answers import PHOTO
from PIL import Image

from serving.console.console import Refused


def sent(data: bytes, name: str = "room.png") -> dict[str, str]:
    return {"name": name, "content": base64.b64encode(data).decode()}


def encoded(picture: Image.Image, kind: str, **how) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **how)
    return buffer.getvalue()


def test_one_photo_brings_every_task_about_one(console):
    answer = console.answer({"photos": [sent(PHOTO)], "tasks": []})
    assert {entry["task"] for entry in answer["answers"]} == {
        "normal",
        "class_scene",
        "segment_semantic",
        "depth_zbuffer",
    }
    assert answer["version"] == 7
    assert all(entry["figure"].startswith("data:image/png") for entry in answer["answers"])


def test_two_photos_also_answer_what_compares_views(console):
    answer = console.answer({"photos": [sent(PHOTO), sent(PHOTO)], "tasks": ["fixated_pose"]})
    (entry,) = answer["answers"]
    assert entry["views"] == 2
    assert entry["figure"] == "" and len(entry["rows"]) == 6, "numbers, not a picture"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK", "F"])
def test_any_mode_is_asked_about(console, client, mode):
    source = Image.fromarray(np.linspace(0, 255, 64 * 64).reshape(64, 64).astype("uint8"))
    kind = "PNG" if mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else "TIFF"
    picture = Image.new(mode, (64, 64)) if mode == "I;16" else source.convert(mode)
    console.answer({"photos": [sent(encoded(picture, kind))], "tasks": ["normal"]})
    (image,) = client.asked[0][0]
    assert Image.open(io.BytesIO(image)).mode in ("RGB", "L")


def test_a_photo_is_turned_as_its_camera_was_held(console, client):
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = encoded(Image.new("RGB", (60, 40)), "JPEG", exif=exif)
    console.answer({"photos": [sent(lying)], "tasks": ["normal"]})
    assert Image.open(io.BytesIO(client.asked[0][0][0])).size == (40, 60)


def test_a_photo_that_is_too_large_is_scaled_and_that_is_said(console):
    answer = console.answer(
        {"photos": [sent(encoded(Image.new("L", (9000, 500)), "PNG"))], "tasks": ["normal"]}
    )
    assert "scaled down from 9000 x 500" in answer["notes"][0]


@pytest.mark.parametrize(
    "photos, words",
    [
        ([sent(b"\0\0\0\x18ftypheic" + bytes(40), "a.heic")], "a.heic: HEIC"),
        ([sent(b"hello", "a.txt")], "a.txt: no picture"),
        ([sent(b"", "empty.png")], "empty.png: no picture"),
        ([sent(PHOTO[:100], "cut.png")], "cut.png: damaged"),
        ([{"name": "odd.png", "content": "%%%"}], "odd.png: cut on the way"),
        ([{"name": "odd.png"}], "a name and a content"),
        ([], "one to 3 photos"),
        ([sent(PHOTO)] * 4, "one to 3 photos"),
        (None, "one to 3 photos"),
    ],
)
def test_what_is_no_photo_is_refused_by_name(console, client, photos, words):
    with pytest.raises(Refused, match=words):
        console.answer({"photos": photos})
    assert client.asked == []


def test_an_absent_server_is_said_with_the_cure(console, client):
    client.away = True
    with pytest.raises(Refused, match="No model server answers at 127.0.0.1:8500. Start one"):
        console.answer({"photos": [sent(PHOTO)]})
    with pytest.raises(Refused) as caught:
        console.model_facts()
    assert caught.value.away


def test_other_errors_keep_the_servers_own_words(console, client):
    class Full(grpc.RpcError):
        def code(self):
            return grpc.StatusCode.RESOURCE_EXHAUSTED

        def details(self):
            return "queue is full"

    def full():
        raise Full

    client.served_version = full
    with pytest.raises(Refused, match="queue is full"):
        console.model_facts()
