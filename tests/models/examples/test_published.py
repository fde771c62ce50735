"""Published files read back exactly, and what is no label is refused with a reason."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from synthetic import view

from models.examples import LabelError, encode_view, parse_view, read_label, write_label
from models.tasks import DOMAINS, label_domains

MAPS = [name for name in label_domains() if DOMAINS[name].file == "png"]


@pytest.mark.parametrize(
    "folder", [name for name in label_domains() if name not in ("rgb", "point_info")]
)
def test_a_label_reads_back_exactly(folder, tmp_path):
    value, path = view(0).labels[folder], tmp_path / f"label.{DOMAINS[folder].file}"
    write_label(path, value, DOMAINS[folder])
    np.testing.assert_array_equal(read_label(path, DOMAINS[folder]), value)


def test_a_view_survives_being_an_example():
    first = view(3)
    second = parse_view(encode_view(first, "train"))
    assert second.key == first.key
    np.testing.assert_array_equal(second.rgb, first.rgb)
    assert set(second.labels) == set(first.labels)
    for folder, value in first.labels.items():
        np.testing.assert_array_equal(second.labels[folder], value)
    np.testing.assert_allclose(second.camera.rotation, first.camera.rotation, atol=1e-6)


def test_three_equal_channels_are_one():
    grey = np.arange(64, dtype="uint8").reshape(8, 8)
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([grey] * 3)).save(buffer, "PNG")
    from models.examples.published import decode_png

    np.testing.assert_array_equal(decode_png(buffer.getvalue(), DOMAINS["reshading"]), grey)


def test_a_picture_of_a_record_is_decoded_as_a_file_is():
    from models.examples.published import decode_png, decode_recorded, encode_png

    for folder in MAPS:
        pixels = view(0).rgb if folder == "rgb" else view(0).labels[folder]
        # our own form, and Pillow's, of records that earlier code may have written
        for data in [encode_png(pixels), *([png(pixels)] if pixels.ndim == 3 else [])]:
            found = decode_recorded(data, DOMAINS[folder])
            np.testing.assert_array_equal(found, decode_png(data, DOMAINS[folder]))
    data = encode_png(view(0).rgb)
    for broken in (data[:-20], data[:50] + b"?" + data[51:], b"", data[:40]):
        with pytest.raises(LabelError):
            decode_recorded(broken, DOMAINS["rgb"])
    with pytest.raises(LabelError, match="largest code 18"):
        decode_recorded(encode_png(np.full((4, 4), 18, "uint8")), DOMAINS["segment_semantic"])


def png(pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def jpeg(pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


GREY = np.zeros((8, 8), "uint8")
WRONG = {
    "zero-byte": ("normal", b"", "zero-byte"),
    "truncated": (
        "normal",
        png(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype="uint8"))[:400],
        "damaged PNG",
    ),
    "jpeg": ("rgb", jpeg(np.zeros((8, 8, 3), "uint8")), "JPEG named .png"),
    "rgba": ("rgb", png(np.zeros((8, 8, 4), "uint8")), "alpha"),
    "eight bits": ("depth_zbuffer", png(GREY), "8-bit copy"),
    "colours": ("segment_semantic", png(np.zeros((8, 8, 3), "uint8")), "colour-coded"),
    "not square": ("rgb", png(np.zeros((8, 9, 3), "uint8")), "square"),
    "range": ("segment_semantic", png(GREY + 18), "largest code 18"),
    "text": ("normal", b"hello", "not a PNG"),
    "bomb": (
        "rgb",
        b"\x89PNG\r\n\x1a\n"
        + b"\x00\x00\x00\rIHDR"
        + (60000).to_bytes(4, "big") * 2
        + b"\x08\x02"
        + b"\x00" * 20,
        "at most",
    ),
    "nan": ("point_info", json.dumps({"a": float("nan")}).encode(), "NaN"),
    "list": ("point_info", b"[1]", "object"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_label_is_refused_with_a_reason(name, tmp_path):
    folder, data, reason = WRONG[name]
    path = tmp_path / "label"
    path.write_bytes(data)
    with pytest.raises(LabelError, match=reason):
        read_label(path, DOMAINS[folder])


def test_mutated_files_never_raise_anything_but_a_label_error(tmp_path):
    rng, path = np.random.default_rng(0), tmp_path / "label"
    for folder in MAPS:
        write_label(path, view(1).labels.get(folder, view(1).rgb), DOMAINS[folder])
        whole = path.read_bytes()
        for _ in range(15):
            data = bytearray(whole[: rng.integers(1, len(whole))] if rng.random() < 0.3 else whole)
            for _ in range(rng.integers(1, 8)):
                data[rng.integers(len(data))] = rng.integers(256)
            path.write_bytes(bytes(data))
            try:
                value = read_label(path, DOMAINS[folder])
            except LabelError:
                continue
            assert value.dtype == DOMAINS[folder].dtype
