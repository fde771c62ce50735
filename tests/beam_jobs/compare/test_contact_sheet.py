"""A contact sheet shows views side by side, labels below them, and says what it cannot show."""

import cv2
import numpy as np
import pytest

from beam_jobs.__main__ import main
from beam_jobs.compare.contact_sheet import sheet, shortened
from beam_jobs.compare.legends import LEAST_TILE, PAPER, Layout

LAYOUT = Layout(LEAST_TILE)
TITLE_WIDTH = LAYOUT.title_width
LEGEND_WIDTH = LAYOUT.legend_width
CAPTION_HEIGHT = LAYOUT.caption_height


@pytest.fixture
def data(tmp_path):
    """three views of 8 pixels: red, green, blue; depth rising to the right, one pixel missing."""
    for view in range(3):
        rgb = np.zeros((8, 8, 3), "uint8")
        rgb[..., view] = 255
        for label, image in (
            ("rgb", rgb[..., ::-1]),
            ("depth_zbuffer", np.tile(np.arange(8, dtype="uint16") * 100, (8, 1))),
        ):
            folder = tmp_path / "house" / label
            folder.mkdir(parents=True, exist_ok=True)
            if label != "rgb":
                image[0, 0] = 65535
            cv2.imwrite(str(folder / f"point_0_view_{view}_domain_{label}.png"), image)
    return tmp_path


def test_views_stand_side_by_side_and_labels_below(data):
    image = sheet(data, ["rgb", "depth_zbuffer"], 3, 2)
    height = 2 * (CAPTION_HEIGHT + 2 * LEAST_TILE)
    assert image.shape == (height, TITLE_WIDTH + 2 * LEAST_TILE + LEGEND_WIDTH, 3)
    assert (tile(image, 0, 0) == [255, 0, 0]).all()
    assert (tile(image, 0, 1) == [0, 255, 0]).all()
    assert (tile(image, 2, 0) == [0, 0, 255]).all()
    assert (tile(image, 2, 1) == PAPER).all(), "no fourth view"
    depth = tile(image, 1, 0)[..., 0].astype(int)
    assert depth[0, 0] == 0 and (np.diff(depth[20]) >= 0).all() and depth[20, -1] == 255


def test_every_row_has_its_name_and_legend_and_every_view_its_caption(data):
    image = sheet(data, ["rgb", "depth_zbuffer"], 3, 3)
    title, legend = image[:, :TITLE_WIDTH], image[:, -LEGEND_WIDTH:]

    def written(part):
        return (part != PAPER).any(-1).sum()

    rgb, depth = slice(CAPTION_HEIGHT, CAPTION_HEIGHT + LEAST_TILE), slice(-LEAST_TILE, None)
    assert written(title[rgb]) > 20 and written(title[depth]) > 100
    assert not written(legend[rgb]) and written(legend[depth]) > 1000
    captions = image[:CAPTION_HEIGHT, TITLE_WIDTH:-LEGEND_WIDTH]
    for view in range(3):
        assert written(captions[:, view * LEAST_TILE :][:, :LEAST_TILE]) > 20


def test_a_view_without_the_label_says_so_and_stops_nothing(data):
    next(data.glob("house/depth_zbuffer/point_0_view_1_*")).unlink()
    image = sheet(data, ["rgb", "depth_zbuffer"], 3, 3)
    assert 10 < (tile(image, 1, 1) != PAPER).any(-1).sum() < 1000


def tile(image, row: int, column: int):
    """two rows of labels below each line of captions."""
    y = (1 + row // 2) * CAPTION_HEIGHT + row * LEAST_TILE
    x = TITLE_WIDTH + column * LEAST_TILE
    return image[y : y + LEAST_TILE, x : x + LEAST_TILE]


def test_the_command_writes_a_picture(data):
    assert (
        main(["sheet", "--data", str(data), "--out", str(data / "sheet.png"), "--views", "2"]) == 0
    )
    width = TITLE_WIDTH + 2 * LEAST_TILE + LEGEND_WIDTH
    assert cv2.imread(str(data / "sheet.png")).shape == (CAPTION_HEIGHT + LEAST_TILE, width, 3)


def test_what_cannot_be_shown_is_named(data, tmp_path, capsys):
    with pytest.raises(ValueError, match="no pictures of class_scene"):
        sheet(data, ["class_scene"], 3, 2)
    assert main(["sheet", "--data", str(tmp_path / "nowhere"), "--out", str(data / "x.png")]) == 1
    assert "makes a data set in another folder" in capsys.readouterr().err


def test_a_caption_that_does_not_fit_is_two_lines_and_whole(data):
    short = sheet(data, ["rgb"], 3, 3)
    (data / "house").rename(data / "procedural00000")
    long = sheet(data, ["rgb"], 3, 3)
    assert len(long) == len(short) + CAPTION_HEIGHT
    assert (long[-LEAST_TILE:] == short[-LEAST_TILE:]).all()
    for line in range(2):
        words = long[line * CAPTION_HEIGHT :][:CAPTION_HEIGHT, TITLE_WIDTH:][:, :LEAST_TILE]
        written = (words != PAPER).any((0, 2)).nonzero()[0]
        # from the left edge, and not over the right one
        assert written[0] >= 3 and 60 < written[-1] < LEAST_TILE - 3


def test_a_name_that_is_too_long_for_a_line_loses_its_middle():
    assert shortened("procedural00000", len, 20) == "procedural00000"
    assert shortened("procedural00000", len, 11) == "proc...0000"
    assert shortened("procedural00000", len, 0) == "..."
