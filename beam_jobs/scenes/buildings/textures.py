"""Makes procedural textures: 128 x 128 float32 RGB images in [0, 1] that tile, one function for
each material, drawn from a generator.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import fft

from beam_jobs.scenes.geometry.shapes import Triple
from models.tasks.arrays import Floats

# A power of two: the renderer wraps coordinates by a mask, and halves the side for each level.
SIDE = 128


@lru_cache(maxsize=64)
def loudness(falloff: float, stretch: float) -> Floats:
    """Returns [S, S / 2 + 1] float32, the amplitude of every frequency: 1/f^falloff, 0 for the
    mean; stretch > 1 draws the noise out along the first axis.
    """
    frequency = np.hypot(
        np.fft.fftfreq(SIDE)[:, None] * stretch, np.fft.rfftfreq(SIDE)[None] / stretch
    )
    # infinite, so that the power below is 0 for the mean
    frequency[0, 0] = np.inf
    return (frequency**-falloff).astype("float32")


def noise(rng: np.random.Generator, falloff: float = 1.6, stretch: float = 1.0) -> Floats:
    """Returns [S, S] float32 tiling noise with a 1/f^falloff spectrum, unit variance; stretch > 1
    draws it out along the first axis.
    """
    # pairs of normal numbers, looked at as complex ones without a copy
    spectrum = rng.standard_normal((SIDE, SIDE // 2 + 1, 2), "float32").view("complex64")[
        ..., 0
    ] * loudness(falloff, stretch)
    image = fft.irfft2(spectrum, s=(SIDE, SIDE))
    return image / image.std()


def tinted(rng: np.random.Generator, base: Triple, spread: float = 0.06) -> Floats:
    """Returns [3], a colour near `base`."""
    return np.clip(
        np.asarray(base) + rng.normal(0, spread) + rng.normal(0, spread / 2, 3), 0.02, 0.98
    ).astype("float32")


def muted(rng: np.random.Generator) -> Floats:
    """Returns [3], any colour, rarely a strong one."""
    return np.clip(
        rng.uniform(0.12, 0.85) + rng.uniform(0.2, 1.0) * rng.uniform(-0.22, 0.22, 3), 0.02, 0.95
    ).astype("float32")


def _finished(image: Floats) -> Floats:
    return np.clip(np.broadcast_to(image, (SIDE, SIDE, 3)), 0, 1).astype("float32")


def plain(rng: np.random.Generator, colour: Floats, amount: float = 0.012) -> Floats:
    """Returns [S, S, 3], a colour [3] with a little noise."""
    return _finished(colour + amount * noise(rng, 1.0)[..., None])


def grain(rng: np.random.Generator, colour: Floats, amount: float = 0.07) -> Floats:
    """Returns [S, S, 3], a colour [3] with noise drawn out along the first axis, as of wood."""
    return _finished(colour * (1 + amount * noise(rng, 1.7, 3.5)[..., None]))


def planks(rng: np.random.Generator, colour: Floats, boards: int = 6) -> Floats:
    """Returns [S, S, 3], boards of one colour [3] that differ in shade, with dark joints."""
    image = grain(rng, colour, 0.05).copy()
    height = SIDE // boards
    for i in range(boards):
        row = slice(i * height, (i + 1) * height)
        ends = np.sort(rng.integers(0, SIDE, 2))
        image[row] *= rng.uniform(0.92, 1.05)
        image[row, ends[0] : ends[1]] *= rng.uniform(0.94, 1.04)
        image[row, ends] *= 0.84
        image[i * height] *= 0.82
    return _finished(image)


def tiles(rng: np.random.Generator, colour: Floats, grout: float = 0.5, count: int = 3) -> Floats:
    """Returns [S, S, 3], count x count tiles of one colour [3]. grout: brightness of the joints."""
    image = plain(rng, colour, 0.02).copy()
    side = SIDE // count
    for i in range(count):
        for j in range(count):
            image[i * side : (i + 1) * side, j * side : (j + 1) * side] *= rng.uniform(0.95, 1.03)
        image[i * side] = image[:, i * side] = grout
    return _finished(image)


def bricks(rng: np.random.Generator, colour: Floats) -> Floats:
    """Returns [S, S, 3], eight rows of bricks of one colour [3], every other shifted by half a
    brick.
    """
    image = plain(rng, colour, 0.05).copy()
    for i in range(8):
        shift = 16 * (i % 2)
        row = slice(i * 16, (i + 1) * 16)
        for j in range(4):
            # modulo the side, so that a row that is shifted by half a brick tiles too
            columns = (np.arange(32) + j * 32 + shift) % SIDE
            image[row, columns] *= rng.uniform(0.8, 1.15)
            image[row, columns[:2]] = 0.72
        image[i * 16 : i * 16 + 2] = 0.72
    return _finished(image)


def stripes(rng: np.random.Generator, colour: Floats, other: Floats, count: int = 8) -> Floats:
    """Returns [S, S, 3], stripes of two colours [3]; count: of both together."""
    band = (np.arange(SIDE) * count // SIDE) % 2
    return _finished(
        np.where(band[None, :, None] == 0, colour, other) + 0.01 * noise(rng)[..., None]
    )


def dots(rng: np.random.Generator, colour: Floats, other: Floats, count: int = 5) -> Floats:
    """Returns [S, S, 3], count x count dots of the colour `other` [3] on `colour` [3]."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE * count
    inside = ((x % 1 - 0.5) ** 2 + (y % 1 - 0.5) ** 2) < 0.06
    return _finished(np.where(inside[..., None], other, colour) + 0.01 * noise(rng)[..., None])


def fabric(rng: np.random.Generator, colour: Floats) -> Floats:
    """Returns [S, S, 3], a weave of one colour [3]."""
    y, x = np.mgrid[:SIDE, :SIDE]
    # a period of four pixels, which divides the side: the weave tiles
    weave = 0.05 * np.sin(x * np.pi / 2) * np.sin(y * np.pi / 2)
    return _finished(colour * (1 + weave[..., None] + 0.05 * noise(rng, 1.0)[..., None]))


def carpet(rng: np.random.Generator, colour: Floats, other: Floats) -> Floats:
    """Returns [S, S, 3], a carpet of one colour [3] with a frame, rings or stripes of
    `other` [3].
    """
    image = np.clip(colour * (1 + 0.1 * rng.standard_normal((SIDE, SIDE, 1))), 0, 1)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    frame = np.maximum(abs(x), abs(y))
    far = np.hypot(x, y)
    pattern = ((frame > 0.38) & (frame < 0.43), (far * 10 % 1) < 0.35, ((x + y) * 8 % 1) < 0.3)[
        rng.integers(3)
    ]
    return _finished(np.where(pattern[..., None], other, image))


def kilim(rng: np.random.Generator, colour: Floats, other: Floats) -> Floats:
    """Returns [S, S, 3], a woven rug: borders around a field of medallions, in four colours, of
    which `colour` and `other` [3] are two.
    """
    y, x = np.abs(np.mgrid[:SIDE, :SIDE] / SIDE - 0.5)
    frame = np.maximum(x, y)
    n = int(rng.integers(2, 5))
    accent = muted(rng)
    lozenge = np.abs((x * n) % 1 - 0.5) + np.abs((y * n) % 1 - 0.5)
    image = np.where((lozenge < rng.uniform(0.3, 0.45))[..., None], other, colour)
    image = np.where((lozenge < 0.16)[..., None], accent, image)
    teeth = np.abs(((x + y) * 14) % 1 - 0.5) < 0.25
    image = np.where((frame > 0.36)[..., None], np.where(teeth[..., None], accent, other), image)
    image = np.where(
        ((frame > 0.44) | (np.abs(frame - 0.36) < 0.012))[..., None], colour * 0.8, image
    )
    return _finished(image * (1 + 0.06 * noise(rng, 0.8)[..., None]))


def rug(rng: np.random.Generator) -> Floats:
    """Returns [S, S, 3], a rug, in half of the cases a woven one, else a printed one or a
    carpet.
    """
    pale = tinted(rng, (0.68, 0.6, 0.5), 0.1)
    deep = tinted(rng, (0.32, 0.24, 0.26), 0.1)
    deep = pale + (deep - pale) * rng.uniform(0.35, 0.9)
    return (pattern, carpet, kilim)[rng.choice(3, p=[0.25, 0.25, 0.5])](rng, pale, deep)


def marble(rng: np.random.Generator, colour: Floats) -> Floats:
    """Returns [S, S, 3], stone of one colour [3] with dark veins."""
    return _finished(
        colour * (0.72 + 0.28 * np.abs(np.sin(noise(rng, 1.8) * 2.5))[..., None] ** 0.35)
    )


def granite(rng: np.random.Generator, colour: Floats, amount: float = 0.12) -> Floats:
    """Returns [S, S, 3], speckled stone of one colour [3]."""
    return _finished(colour * (1 + amount * noise(rng, 0.6)[..., None]))


def books(rng: np.random.Generator) -> Floats:
    """Returns [S, S, 3], the backs of books that stand side by side, with labels and titles."""
    image = np.zeros((SIDE, SIDE, 3), "float32")
    x = 0
    while x < SIDE:
        width = int(rng.integers(4, 12))
        colour = muted(rng) * rng.choice([0.5, 1.0, 1.15])
        image[:, x : x + width] = colour
        image[:, x] *= 0.3
        label = int(rng.integers(8, 60))
        image[label : label + 8, x + 1 : x + width - 1] = 0.5 + 0.4 * muted(rng)
        image[70 : int(rng.integers(80, 115)), x + width // 2 : x + width // 2 + 1] = rng.choice(
            [0.1, 0.9]
        )  # title
        x += width
    return _finished(image)


def painting(rng: np.random.Generator) -> Floats:
    """Returns [S, S, 3], a landscape of layers, shapes on a ground, or a blurred photograph with
    dark and light.
    """
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    image = np.broadcast_to(muted(rng), (SIDE, SIDE, 3)).copy()
    kind = rng.integers(3)
    if kind == 0:
        for i in range(4):
            # one row of the noise: a ridge that runs from side to side
            image[y < 0.7 - 0.18 * i + 0.06 * noise(rng, 1.9)[:1]] = muted(rng)
    elif kind == 1:
        tone = (
            noise(rng, 1.5)[..., None] * rng.uniform(0.08, 0.2) + noise(rng, 2.0)[..., None] * 0.15
        )
        return _finished(np.clip(muted(rng) + tone * rng.uniform(0.6, 1.2, 3), 0.03, 0.95))
    for _ in range(rng.integers(2, 7)):
        cx = rng.random()
        cy = rng.random()
        size = rng.uniform(0.05, 0.25)
        colour = muted(rng)
        image[
            (np.hypot(x - cx, y - cy) < size)
            if rng.random() < 0.5
            else ((abs(x - cx) < size) & (abs(y - cy) < size * 0.7))
        ] = colour
    return _finished(image + 0.03 * noise(rng, 0.8)[..., None])


def framed(rng: np.random.Generator) -> Floats:
    """Returns [S, S, 3], a painting, or a print or drawing on white board."""
    image = painting(rng)
    if rng.random() < 0.6:
        board = int(rng.integers(10, 26))
        image[:board] = image[-board:] = image[:, :board] = image[:, -board:] = rng.uniform(
            0.8, 0.95
        )
        if rng.random() < 0.4:  # ink
            inner = slice(board, -board)
            image[inner, inner] = np.where(noise(rng, 1.7)[inner, inner, None] > 0.4, 0.12, 0.85)
    return image


def outdoor(rng: np.random.Generator) -> Floats:
    """Returns [S, S, 3], sky above trees above grass; the first row is the ground."""
    y = np.linspace(1, 0, SIDE)[:, None, None]
    sky = (
        np.array([0.66, 0.78, 0.93]) * (1 - y)
        + np.array([0.92, 0.94, 0.97]) * y
        + 0.08 * np.clip(noise(rng, 1.9), 0, 2)[..., None]
    )
    trees = np.array([0.3, 0.38, 0.25]) * (1 + 0.4 * noise(rng, 1.0)[..., None])
    grass = np.array([0.45, 0.5, 0.32]) * (1 + 0.15 * noise(rng, 0.8)[..., None])
    horizon = rng.uniform(0.4, 0.65) + 0.07 * noise(rng, 1.4)[:1, :, None]
    image = np.where(y > rng.uniform(0.78, 0.9), grass, np.where(y > horizon, trees, sky))
    if rng.random() < 0.5:
        house(rng, image)
    for x in rng.integers(0, SIDE - 4, rng.integers(0, 4)):  # trunks (the first row is the ground)
        image[10:, x : x + int(rng.integers(2, 5))] *= rng.uniform(0.35, 0.6)
    return _finished(image)


def house(rng: np.random.Generator, image: Floats) -> None:
    """Draws the front of a neighbouring house, with windows, into an image [S, S, 3]."""
    left = int(rng.integers(-20, 80))
    wide = int(rng.integers(40, 90))
    high = int(rng.integers(50, 90))
    columns = slice(max(left, 0), left + wide)
    image[12:high, columns] = muted(rng) * 0.5 + 0.4
    image[high : high + 8, columns] = muted(rng) * 0.5
    for x in range(max(left, 0) + 6, min(left + wide, SIDE) - 12, 20):
        for y in range(24, high - 14, 24):
            image[y : y + 14, x : x + 10] = rng.uniform(0.1, 0.3)
            image[y : y + 14, x + 5] = 0.85


def worn(rng: np.random.Generator, colour: Floats) -> Floats:
    """Returns [S, S, 3], paint or enamel of one colour [3] with soft stains and scuffs."""
    stain = np.clip(noise(rng, 1.9) - 1.2, 0, 2)
    return _finished(
        colour
        # powers by channel: blue loses most, so that stains are yellowish
        * (1 - 0.06 * stain - 0.02 * np.abs(noise(rng, 1.0)))[..., None]
        ** np.array([1.0, 1.1, 1.3])
    )


def plaster(rng: np.random.Generator, colour: Floats, dirt: float = 0.012) -> Floats:
    """Returns [S, S, 3], a wall painted in one colour [3], mottled, a shade darker in patches."""
    return _finished(
        colour * (1 + 0.008 * noise(rng, 0.8) - dirt * np.clip(noise(rng, 2.0), 0, 2))[..., None]
    )


def leaf(rng: np.random.Generator, colour: Floats) -> Floats:
    """Returns [S, S, 3], a leaf of one colour [3] with paler veins."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    veins = 0.12 * (np.abs(((x * 8 + 3 * np.abs(y - 0.5)) % 1) - 0.5) < 0.08) + 0.25 * (
        np.abs(y - 0.5) < 0.02
    )
    return _finished(colour * (1 + veins + 0.12 * noise(rng, 1.4))[..., None])


def pattern(rng: np.random.Generator, colour: Floats, other: Floats) -> Floats:
    """Returns [S, S, 3], cloth of one colour [3] printed with `other` [3]: stripes, checks, dots,
    zigzag or flowers.
    """
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    kind = rng.integers(5)
    n = int(rng.integers(4, 9))
    if kind == 0:
        mark = (x * n) % 1 < rng.uniform(0.2, 0.5)
    elif kind == 1:
        mark = ((x * n) % 1 < 0.3) * 0.5 + ((y * n) % 1 < 0.3) * 0.5
    elif kind == 2:
        mark = np.hypot((x * n) % 1 - 0.5, (y * n) % 1 - 0.5) < 0.28
    elif kind == 3:
        mark = (y * n + np.abs(((x * n) % 2) - 1)) % 1 < 0.4
    else:
        px, py = (x * n) % 1 - 0.5, (y * n) % 1 - 0.5
        mark = np.hypot(px, py) < 0.25 + 0.13 * np.cos(5 * np.arctan2(py, px))
    mark = np.broadcast_to(np.asarray(mark, "float32"), (SIDE, SIDE))[..., None]
    return _finished((colour * (1 - mark) + other * mark) * (1 + 0.05 * noise(rng, 0.8)[..., None]))


def printed(rng: np.random.Generator, colour: Floats, other: Floats) -> Floats:
    """Returns [S, S, 3], cloth of two colours [3] whose print differs little from its ground, as
    with most cloth in homes.
    """
    return pattern(rng, colour, colour + (other - colour) * rng.uniform(0.25, 0.7))


def cardboard(rng: np.random.Generator) -> Floats:
    """Returns [S, S, 3], brown cardboard with a strip of tape and a print."""
    image = plain(rng, tinted(rng, (0.66, 0.54, 0.4), 0.04), 0.02).copy()
    image[58:70] = image[58:70] * 0.5 + np.array([0.75, 0.68, 0.55]) * 0.5
    image[20:40, 15:50] = np.where(
        noise(rng, 0.5)[20:40, 15:50, None] > 0.6, 0.2, image[20:40, 15:50]
    )
    return _finished(image)


def page(rng: np.random.Generator) -> Floats:
    """Returns [S, S, 3], paper with lines of print and a picture."""
    image = np.full((SIDE, SIDE, 3), 0.9, "float32")
    for row in range(8, 120, 6):
        image[row : row + 2, 10 : int(rng.integers(60, 118))] = 0.35
    top, left = rng.integers(10, 70, 2)
    image[top : top + 40, left : left + 40] = rng.uniform(0.2, 0.8, 3)
    return _finished(image)


def wallpaper(rng: np.random.Generator, colour: Floats) -> Floats:
    """Returns [S, S, 3], a wall's own colour [3] with a pattern a shade lighter or darker."""
    return pattern(
        rng, colour, np.clip(colour * rng.choice([0.93, 1.05]) + rng.normal(0, 0.008, 3), 0, 1)
    )


def keys(rng: np.random.Generator) -> Floats:
    """Returns [S, S, 3], a keyboard, 12 x 5 keys to one repeat."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    gap = ((x * 12) % 1 < 0.15) | ((y * 5) % 1 < 0.18)
    return _finished(
        np.where(gap[..., None], 0.08, rng.uniform(0.25, 0.8)) + 0 * noise(rng)[..., None]
    )


def window_of_words(rng: np.random.Generator) -> Floats:
    """Returns [S, S, 3], what a computer's screen shows: a bar, panes and text."""
    image = np.full((SIDE, SIDE, 3), rng.choice([0.12, 0.85]), "float32")
    ink = 0.75 if image[0, 0, 0] < 0.5 else 0.2
    for row in range(12, 116, 5):
        start = int(rng.integers(6, 20))
        image[row : row + 2, start : start + int(rng.integers(10, 60))] = np.clip(
            ink + rng.normal(0, 0.15, 3), 0, 1
        )
    image[118:] = rng.uniform(0.2, 0.6, 3)
    image[20:100, 84:122] = rng.uniform(0.2, 0.8, 3)
    return _finished(image)


# Segments of a digit that are lit: top, upper left, upper right, middle, lower left, lower right,
# bottom.
SEGMENTS = ("1110111", "0010010", "1011101", "1011011", "0111010", "1101011", "1101111", "1010010",
            "1111111", "1111011")  # fmt: skip


def digits(rng: np.random.Generator) -> Floats:
    """Returns [S, S, 3], a clock's four figures of seven segments, lit on black; the first row is
    the lowest.
    """
    image = np.full((SIDE, SIDE, 3), 0.04, "float32")
    lit = np.array(((0.9, 0.2, 0.15), (0.3, 0.9, 0.5), (0.4, 0.7, 0.95))[rng.integers(3)])
    for place, left in enumerate((8, 36, 70, 98)):
        # hours begin with 0 to 2, minutes with 0 to 5
        figure = SEGMENTS[int(rng.integers((3, 10, 6, 10)[place]))]
        bars = [
            (slice(100, 106), slice(left, left + 20)),
            (slice(66, 100), slice(left, left + 5)),
            (slice(66, 100), slice(left + 16, left + 21)),
            (slice(62, 68), slice(left, left + 20)),
            (slice(28, 62), slice(left, left + 5)),
            (slice(28, 62), slice(left + 16, left + 21)),
            (slice(22, 28), slice(left, left + 20)),
        ]
        for bar, mark in zip(bars, figure):
            if mark == "1":
                image[bar] = lit
    return _finished(image)


def piano_keys(rng: np.random.Generator) -> Floats:
    """Returns [S, S, 3], three octaves of a piano's keys; the first row is the nearest."""
    image = np.full((SIDE, SIDE, 3), 0.86, "float32")
    image += 0.01 * noise(rng, 1.0)[..., None]
    for key in range(21):
        image[:, 6 * key : 6 * key + 1] = 0.35
        # from C on: no black key follows E and B
        if key % 7 not in (2, 6):
            image[46:, 6 * key + 4 : 6 * key + 8] = 0.06
    return _finished(image)
