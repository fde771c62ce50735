"""The live page in a real browser: photos in, answers out, by mouse and by keys, and its errors."""

import json
from pathlib import Path

import pytest
from chromium import OWN, Watched, assert_accessible
from client_answers import PICTURES, made_up_answer


@pytest.fixture
def files(tmp_path):
    """three photos, one that is none, one HEIC."""
    for i in range(3):
        (tmp_path / f"room{i}.png").write_bytes(PICTURES[i])
    (tmp_path / "notes.png").write_bytes(b"hello")
    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    return tmp_path


@pytest.fixture
def watched(browser, door):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page_log = Watched(page, (*OWN, door.address))
    yield page_log
    page.close()
    assert page_log.requests == []


@pytest.fixture
def page(watched, door):
    opened(watched.page, door)
    yield watched.page
    assert watched.complaints == []


def opened(page, door):
    page.goto(door.address)
    page.wait_for_selector("html[data-ready]")
    return page


def choose(page, *paths):
    page.get_by_label("Drop one to three photos").set_input_files([str(path) for path in paths])


def ask(page):
    page.get_by_role("button", name="Ask").click()
    page.wait_for_function(
        "() => document.querySelector('#trouble').textContent || document.querySelector('.answer')"
    )


def test_a_photo_brings_answers_with_figures_and_downloads(page, files):
    choose(page, files / "room0.png")
    ask(page)
    assert page.locator(".answer").count() == 4
    assert page.locator(".answer .panels").count() == 4
    assert "version 7" in page.locator("#summary").inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download answers.json").click()
    facts = json.loads(Path(download.value.path()).read_text())
    assert set(facts["answers"]) >= {"normal", "depth_zbuffer"}
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all figures").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("width", [390, 1400])
def test_pictures_are_not_shrunk_and_their_words_are_text(page, files, client, width):
    names = ["principal_curvature", "class_scene", "normal"]
    client.tasks = lambda: dict.fromkeys(names, 1)
    client.ask = lambda images, asked: {name: made_up_answer(name) for name in names}
    page.set_viewport_size({"width": width, "height": 900})
    page.reload()
    page.wait_for_selector("html[data-ready]")
    choose(page, files / "room0.png")
    ask(page)
    shares = page.evaluate(
        """() => {
            const images = [...document.querySelectorAll('.answer figure + figure img')];
            return Promise.all(images.map(async (image) => {
                await image.decode();
                return image.clientWidth / image.naturalWidth;
            }));
        }"""
    )
    # letters of the pictures have 12 pixels and more
    assert len(shares) == 3 + 1 + 2 and min(shares) >= 0.85
    card = page.locator(".answer", has_text="Principal curvatures")
    assert card.locator("figcaption").all_inner_texts() == [
        "input",
        "answer: the stronger, per metre; red convex",
        "answer: the weaker; blue hollow",
    ]
    sizes = "(texts) => texts.map((text) => parseFloat(getComputedStyle(text).fontSize))"
    assert min(card.locator("figcaption").evaluate_all(sizes)) >= 12
    assert "both curvatures together" in card.locator("caption").inner_text()


def test_tasks_follow_the_number_of_photos(page, files, client):
    choose(page, files / "room0.png")
    assert page.get_by_label("Camera pose (fixated)").is_disabled()
    choose(page, files / "room1.png")
    assert page.get_by_label("Camera pose (fixated)").is_enabled()
    page.get_by_role("button", name="None").click()
    assert page.get_by_role("button", name="Ask").is_disabled()
    page.get_by_label("Camera pose (fixated)").check()
    ask(page)
    assert len(client.asked[0][0]) == 2 and client.asked[0][1] == ["fixated_pose"]
    choose(page, files / "room1.png", files / "room2.png")
    assert "At most 3 photos" in page.locator("#trouble").inner_text()
    page.get_by_role("button", name="Remove room0.png").click()
    assert page.locator("#chosen li").count() == 2


def test_answers_leave_with_their_photo(page, files):
    choose(page, files / "room0.png")
    ask(page)
    choose(page, files / "room1.png")
    page.get_by_role("button", name="Remove room1.png").click()
    assert page.locator(".answer").count() == 4, "of the other photo"
    page.get_by_role("button", name="Remove room0.png").click()
    assert page.locator(".answer").count() == page.locator("#downloads a").count() == 0
    assert "was removed" in page.locator("#summary").inner_text()


def test_keys_alone_are_enough(page, files, client):
    choose(page, files / "room0.png")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "send":
            break
    page.keyboard.press("Enter")
    page.wait_for_selector(".answer")
    assert page.evaluate("document.activeElement.id") == "answers", "the reader is led there"
    assert len(client.asked) == 1


def test_a_dropped_photo_is_taken_anywhere_on_the_page(page, files):
    page.evaluate(
        """() => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(['x'], 'dropped.png', { type: 'image/png' }));
            const how = { dataTransfer: transfer, bubbles: true, cancelable: true };
            document.querySelector('#served').dispatchEvent(new DragEvent('drop', how));
        }"""
    )
    assert page.locator("#chosen li").inner_text().startswith("dropped.png")


@pytest.mark.parametrize(
    "name, words", [("notes.png", "notes.png: no picture"), ("phone.heic", "phone.heic: HEIC")]
)
def test_what_is_no_picture_is_said_by_name(watched, door, files, name, words):
    page = opened(watched.page, door)
    choose(page, files / name)
    ask(page)
    assert words in page.locator("#trouble").inner_text()
    assert page.get_by_role("button", name="Ask").is_enabled(), "one may go on"


def test_a_server_that_is_away_is_said_and_asked_again(watched, door, client, files):
    client.away = True
    page = opened(watched.page, door)
    assert "No model server answers" in page.locator("#trouble").inner_text()
    client.away = False
    choose(page, files / "room0.png")
    ask(page)
    page.wait_for_selector(".answer")
    assert page.locator("#tasks input").count() == 5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_at_any_width(browser, door, files, scheme):
    # axe is put into the page, which the page's own rules forbid
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)
    page = opened(context.new_page(), door)
    choose(page, files / "room0.png", files / "room1.png")
    ask(page)
    assert_accessible(page, scheme)
    context.close()
