"""Folders: what is asked about, what is skipped, in which requests."""

import io
import itertools

import grpc
import numpy as np
import pytest
from PIL import Image

from serving.client import folder as module
from serving.client.folder import (
    IN_FLIGHT,
    MOST_ABSENT,
    NOT_ASKED,
    ask_files,
    grouped,
    pictures_below,
    places,
    requests_of,
    skipped_words,
)
from serving.client.pictures import Picture

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype="uint8")


def saved(kind: str, shade: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS // 2 + np.uint8(shade)).save(buffer, kind)
    return buffer.getvalue()


class Refusal(grpc.RpcError):
    def __init__(self, code):
        self._code = code

    def code(self):
        return self._code

    def details(self):
        return "refused"


class Server:
    """answers a picture with its number of bytes; refuses a request that holds a refused one."""

    def __init__(self, refused=(), code=grpc.StatusCode.INVALID_ARGUMENT):
        self.refused, self.code, self.requests = set(refused), code, []

    def chosen(self, names, images):
        return list(names) or ["normal"]

    def ask_batch(self, images, names=()):
        self.requests.append(len(images))
        if self.refused & set(images):
            raise Refusal(self.code)
        return [{"normal": np.array(len(image))} for image in images]


@pytest.fixture
def mixed(tmp_path):
    (tmp_path / "deep").mkdir()
    for name, data in {
        "a.png": saved("PNG"),
        "b.TIF": saved("TIFF"),
        "c.webp": saved("WEBP"),
        "deep/no_ending": saved("JPEG"),
        "phone.heic": b"\0\0\0\x18ftypheic" + b"\0" * 40,
        "broken.jpg": b"hello",
        "notes.txt": b"words",
        ".hidden.png": saved("PNG"),
        "data.json": b"{}",
    }.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def names(paths):
    return [path.name for path in paths]


def test_a_folder_takes_what_a_single_question_takes_and_names_the_rest(mixed):
    listing = pictures_below(mixed)
    assert names(listing.pictures) == [
        "a.png",
        "b.TIF",
        "broken.jpg",
        "c.webp",
        "no_ending",
        "phone.heic",
    ]
    assert names(listing.skipped) == [".hidden.png", "data.json", "notes.txt"]


def test_every_picture_has_its_outcome_in_order(mixed):
    listing = pictures_below(mixed)
    outcomes = list(ask_files(Server(), listing.pictures, batch=2, out=None))
    assert [outcome.path for outcome in outcomes] == listing.pictures
    errors = {outcome.path.name: outcome.error for outcome in outcomes if outcome.error}
    assert set(errors) == {"broken.jpg", "phone.heic"}
    assert errors["phone.heic"].startswith("HEIC") and errors["broken.jpg"].startswith("no picture")


def test_one_refused_picture_costs_no_other_its_answer(tmp_path):
    for i in range(5):
        (tmp_path / f"{i}.png").write_bytes(saved("PNG", i))
    server = Server(refused=[saved("PNG", 2)])
    outcomes = list(ask_files(server, pictures_below(tmp_path).pictures, batch=4, out=None))
    assert [bool(outcome.error) for outcome in outcomes] == [False, False, True, False, False]
    assert sorted(server.requests) == [1, 1, 1, 1, 1, 4]


def test_an_absent_service_is_not_asked_again_picture_by_picture(tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(saved("PNG", i))
    server = Server(refused=[saved("PNG", 2)], code=grpc.StatusCode.UNAVAILABLE)
    outcomes = list(ask_files(server, pictures_below(tmp_path).pictures, batch=4, out=None))
    assert all(outcome.error == "UNAVAILABLE: refused" for outcome in outcomes)
    assert server.requests == [3]


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 8])
def test_batches_of_any_size_answer_every_picture_once(tmp_path, batch):
    for i in range(7):
        (tmp_path / f"{i}.png").write_bytes(saved("PNG", i))
    paths = pictures_below(tmp_path).pictures
    server = Server()
    assert [outcome.path for outcome in ask_files(server, paths, batch=batch, out=None)] == paths
    assert sum(server.requests) == 7 and max(server.requests) <= batch


def test_heavy_pictures_are_asked_about_in_lighter_requests(monkeypatch):
    monkeypatch.setattr(module, "LARGEST_REQUEST", 10)
    pictures = {
        name: Picture(b"x" * size) for name, size in (("a", 6), ("b", 4), ("c", 1), ("d", 30))
    }
    assert [list(request) for request in requests_of(pictures)] == [["a", "b"], ["c"], ["d"]]


def test_a_folder_without_pictures_says_what_it_holds(tmp_path):
    with pytest.raises(ValueError, match="no file at all"):
        pictures_below(tmp_path)
    (tmp_path / "notes.txt").write_text("words")
    with pytest.raises(ValueError, match="found only notes.txt"):
        pictures_below(tmp_path)


def test_files_that_differ_in_their_ending_keep_apart(tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "a.jpg", tmp_path / "b" / "a.png"]
    place = places(paths, tmp_path)
    assert [str(place(path)) for path in paths] == ["a.png", "a.jpg", "b/a"]


def test_every_picture_has_a_place_of_its_own(tmp_path):
    """names over a few letters and endings, in every combination of three."""
    wholes = ["a", "a.jpg", "a.png", "a.jpg.png", "a.jpg.png.jpg", "b/a", "b.jpg"]
    for names in itertools.combinations(wholes, 3):
        paths = [tmp_path / name for name in names]
        place = places(paths, tmp_path)
        assert len({place(path) for path in paths}) == 3, names


@pytest.mark.parametrize("out", ["answers", "deep/../answers", "answers/"])
def test_a_folder_is_not_asked_about_its_own_answers(mixed, out):
    before = pictures_below(mixed)
    (mixed / "answers" / "a").mkdir(parents=True)
    (mixed / "answers" / "a" / "normal.png").write_bytes(saved("PNG"))
    assert pictures_below(mixed, mixed / out) == before
    assert len(pictures_below(mixed, mixed / "elsewhere").pictures) == len(before.pictures) + 1
    assert pictures_below(mixed / "deep", mixed).pictures, "a folder above hides nothing"


def test_a_server_that_has_gone_is_not_asked_for_the_rest(tmp_path):
    for i in range(20):
        (tmp_path / f"{i:02}.png").write_bytes(saved("PNG", i))
    paths = pictures_below(tmp_path).pictures
    lost = [saved("PNG", i) for i in range(4, 20)]
    server = Server(refused=lost, code=grpc.StatusCode.UNAVAILABLE)
    outcomes = list(ask_files(server, paths, batch=1, out=None))
    assert [outcome.path for outcome in outcomes] == paths
    # one more may be on its way
    assert 4 + MOST_ABSENT <= len(server.requests) <= 4 + MOST_ABSENT + IN_FLIGHT
    assert not any(outcome.error for outcome in outcomes[:4])
    gone = [outcome for outcome in outcomes if outcome.error == "UNAVAILABLE: refused"]
    rest = [outcome for outcome in outcomes if outcome.error == NOT_ASKED]
    assert len(gone) + len(rest) == 16 and len(gone) == len(server.requests) - 4
    first, second = grouped([(outcome.path, outcome.error) for outcome in (*gone, *rest)])
    assert first.startswith(f"{len(gone)} pictures, ") and first.endswith(": UNAVAILABLE: refused")
    assert f" and {len(rest) - 10} more: not asked" in second or len(rest) <= 10
    assert second.endswith("once it is there")


def test_a_server_that_comes_back_is_asked_on(tmp_path):
    for i in range(8):
        (tmp_path / f"{i}.png").write_bytes(saved("PNG", i))
    lost = [saved("PNG", i) for i in (1, 2, 4, 5)]
    server = Server(refused=lost, code=grpc.StatusCode.UNAVAILABLE)
    outcomes = list(ask_files(server, pictures_below(tmp_path).pictures, batch=1, out=None))
    assert len(server.requests) == 8 and sum(bool(outcome.error) for outcome in outcomes) == 4


def test_many_skipped_files_are_counted_not_listed():
    assert skipped_words(["a", "b", "c"], most=2) == "a, b and 1 more"
    assert skipped_words(["a", "b"], most=2) == "a, b"
