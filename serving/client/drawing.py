"""Pieces of a figure: colour scales, text, panels. uint8 [H, W, 3] arrays throughout."""

from __future__ import annotations

import functools

import numpy as np

INK, PAPER = (32, 32, 36), (250, 250, 248)


@functools.cache
def font(size: int):
    from PIL import ImageFont

    return ImageFont.load_default(size=size)


def text(
    words: str,
    width: int,
    height: int,
    *,
    size: int = 15,
    ink=INK,
    paper=PAPER,
    align: str = "left",
) -> np.ndarray:
    """one line of words on paper, cut at `width`."""
    from PIL import Image, ImageDraw

    page = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(page)
    x = {
        "left": 4,
        "centre": (width - draw.textlength(words, font(size))) / 2,
        "right": width - 4 - draw.textlength(words, font(size)),
    }[align]
    draw.text((x, height / 2), words, ink, font(size), anchor="lm")
    return np.asarray(page).copy()


def coloured(value: np.ndarray, low: float, high: float, scale: str) -> np.ndarray:
    """[H, W] float -> colours. scale: "depth" (near bright), "heat" (dark to bright), "signed"
    (blue, white, red), "grey".
    """
    import cv2

    codes = np.nan_to_num(np.clip((value - low) / max(high - low, 1e-9), 0, 1) * 255).astype(
        "uint8"
    )
    if scale == "grey":
        return np.repeat(codes[..., None], 3, -1)
    if scale == "signed":
        return SIGNED[codes]
    table = {"depth": cv2.COLORMAP_TURBO, "heat": cv2.COLORMAP_INFERNO}[scale]
    return np.ascontiguousarray(
        cv2.applyColorMap(255 - codes if scale == "depth" else codes, table)[..., ::-1]
    )


def _signed() -> np.ndarray:
    t = np.linspace(-1, 1, 256)[:, None]
    ends = np.where(t < 0, np.array([[33, 82, 170]]), np.array([[178, 36, 44]]))
    return (247 + (ends - 247) * np.abs(t) ** 0.8).astype("uint8")


SIGNED = _signed()


def enlarged(picture: np.ndarray, side: int, smooth: bool = True) -> np.ndarray:
    import cv2

    way = cv2.INTER_CUBIC if smooth else cv2.INTER_NEAREST
    return cv2.resize(
        picture, (side, side), interpolation=way if side > picture.shape[0] else cv2.INTER_AREA
    )


def colour_bar(
    low: float, high: float, scale: str, unit: str, height: int, width: int = 88
) -> np.ndarray:
    """a vertical scale with five marks; low at the bottom ("depth": the near end is at the top)."""
    from PIL import Image, ImageDraw

    ramp = (
        np.linspace(low, high, height - 48)
        if scale == "depth"
        else np.linspace(high, low, height - 48)
    )
    page = Image.fromarray(text("", width, height))
    page.paste(
        Image.fromarray(
            np.ascontiguousarray(coloured(ramp[:, None].repeat(18, 1), low, high, scale))
        ),
        (6, 32),
    )
    draw = ImageDraw.Draw(page)
    draw.text((6, 14), unit, INK, font(13), anchor="lm")
    for share in np.linspace(0, 1, 5):
        y = 32 + share * (height - 49)
        draw.line((24, y, 29, y), INK)
        draw.text(
            (32, y), f"{ramp[0] + share * (ramp[-1] - ramp[0]):.2f}", INK, font(12), anchor="lm"
        )
    return np.asarray(page)


def key(
    entries: list[tuple[tuple[int, int, int], str]], height: int, width: int = 190
) -> np.ndarray:
    """a legend: a patch of colour and a word a line, as many as fit."""
    from PIL import Image, ImageDraw

    page = Image.fromarray(text("", width, height))
    draw = ImageDraw.Draw(page)
    for i, (colour, word) in enumerate(entries[: (height - 8) // 22]):
        draw.rectangle((8, 8 + 22 * i, 24, 24 + 22 * i), tuple(int(c) for c in colour), INK)
        draw.text((32, 16 + 22 * i), word, INK, font(13), anchor="lm")
    return np.asarray(page)


def beside(panels: list[np.ndarray], gap: int = 6) -> np.ndarray:
    """panels of one height in a row."""
    strip = np.full((panels[0].shape[0], gap, 3), PAPER, "uint8")
    row = [part for panel in panels for part in (panel, strip)]
    return np.concatenate(row[:-1], axis=1)


def titled(panel: np.ndarray, words: str, size: int = 15) -> np.ndarray:
    return np.concatenate([text(words, panel.shape[1], size + 13, size=size), panel])


def overlay(
    photo: np.ndarray, ids: np.ndarray, palette: np.ndarray, strength: float = 0.5
) -> np.ndarray:
    """photo [H, W, 3] under the colours of ids [H, W], with dark lines where two ids meet."""
    mixed = photo * (1 - strength) + palette[ids % len(palette)] * strength
    edge = np.zeros(ids.shape, bool)
    edge[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    edge[1:] |= ids[1:] != ids[:-1]
    mixed[edge] *= 0.35
    return mixed.astype("uint8")


def palette(count: int) -> np.ndarray:
    """uint8 [count, 3]: hues by the golden angle, so that neighbours differ; the first is grey."""
    import cv2

    hues = (np.arange(count) * 0.618034 * 180 % 180).astype("uint8")
    value = np.where(np.arange(count) % 3 == 1, 190, 245).astype("uint8")
    colours = cv2.cvtColor(
        np.stack([hues, np.full(count, 190, "uint8"), value], -1)[None], cv2.COLOR_HSV2RGB
    )[0]
    colours[0] = (150, 150, 150)
    return colours
