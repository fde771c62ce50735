"""Procedural textures: 128 x 128 float32 RGB images in [0, 1] that tile, one function a material, all from a generator."""

from __future__ import annotations

import numpy as np

SIDE = 128


def noise(rng: np.random.Generator, falloff: float = 1.6, stretch: float = 1.0) -> np.ndarray:
    """[S, S] tiling noise with a 1/f^falloff spectrum, unit variance; stretch > 1 draws it out along the first axis."""
    y, x = np.fft.fftfreq(SIDE)[:, None] * stretch, np.fft.rfftfreq(SIDE)[None] / stretch
    frequency = np.hypot(y, x)
    frequency[0, 0] = 1
    spectrum = (rng.standard_normal((SIDE, SIDE // 2 + 1)) + 1j * rng.standard_normal((SIDE, SIDE // 2 + 1))) / frequency**falloff
    spectrum[0, 0] = 0
    image = np.fft.irfft2(spectrum, s=(SIDE, SIDE))
    return (image / image.std()).astype("float32")


def tinted(rng: np.random.Generator, base, spread: float = 0.06) -> np.ndarray:
    """[3] a colour near `base`."""
    return np.clip(np.asarray(base) + rng.normal(0, spread) + rng.normal(0, spread / 2, 3), 0.02, 0.98).astype("float32")


def _finished(image: np.ndarray) -> np.ndarray:
    return np.clip(np.broadcast_to(image, (SIDE, SIDE, 3)), 0, 1).astype("float32")


def plain(rng, colour, amount: float = 0.012) -> np.ndarray:
    return _finished(colour + amount * noise(rng, 1.0)[..., None])


def grain(rng, colour, amount: float = 0.07) -> np.ndarray:
    return _finished(colour * (1 + amount * noise(rng, 1.7, 3.5)[..., None]))


def planks(rng, colour, boards: int = 6) -> np.ndarray:
    image, height = grain(rng, colour, 0.09).copy(), SIDE // boards
    for i in range(boards):
        row = slice(i * height, (i + 1) * height)
        image[row] *= rng.uniform(0.8, 1.15)
        image[i * height] *= 0.5
        image[row, rng.integers(SIDE)] *= 0.55
    return _finished(image)


def tiles(rng, colour, grout: float = 0.5, count: int = 3) -> np.ndarray:
    image, side = plain(rng, colour, 0.02).copy(), SIDE // count
    for i in range(count):
        for j in range(count):
            image[i * side : (i + 1) * side, j * side : (j + 1) * side] *= rng.uniform(0.92, 1.06)
        image[i * side : i * side + 2] = image[:, i * side : i * side + 2] = grout
    return _finished(image)


def bricks(rng, colour) -> np.ndarray:
    image = plain(rng, colour, 0.05).copy()
    for i in range(8):
        shift, row = 16 * (i % 2), slice(i * 16, (i + 1) * 16)
        for j in range(4):
            columns = (np.arange(32) + j * 32 + shift) % SIDE
            image[row, columns] *= rng.uniform(0.8, 1.15)
            image[row, columns[:2]] = 0.72
        image[i * 16 : i * 16 + 2] = 0.72
    return _finished(image)


def stripes(rng, colour, other, count: int = 8) -> np.ndarray:
    band = (np.arange(SIDE) * count // SIDE) % 2
    return _finished(np.where(band[None, :, None] == 0, colour, other) + 0.01 * noise(rng)[..., None])


def dots(rng, colour, other, count: int = 5) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE * count
    inside = ((x % 1 - 0.5) ** 2 + (y % 1 - 0.5) ** 2) < 0.06
    return _finished(np.where(inside[..., None], other, colour) + 0.01 * noise(rng)[..., None])


def fabric(rng, colour) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE]
    weave = 0.05 * np.sin(x * np.pi / 2) * np.sin(y * np.pi / 2)
    return _finished(colour * (1 + weave[..., None] + 0.05 * noise(rng, 1.0)[..., None]))


def carpet(rng, colour, other) -> np.ndarray:
    image = np.clip(colour * (1 + 0.1 * rng.standard_normal((SIDE, SIDE, 1))), 0, 1)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    frame, far = np.maximum(abs(x), abs(y)), np.hypot(x, y)
    pattern = ((frame > 0.38) & (frame < 0.43), (far * 10 % 1) < 0.35, ((x + y) * 8 % 1) < 0.3)[rng.integers(3)]
    return _finished(np.where(pattern[..., None], other, image))


def marble(rng, colour) -> np.ndarray:
    return _finished(colour * (0.72 + 0.28 * np.abs(np.sin(noise(rng, 1.8) * 2.5))[..., None] ** 0.35))


def granite(rng, colour) -> np.ndarray:
    return _finished(colour * (1 + 0.25 * noise(rng, 0.6)[..., None]))


def books(rng) -> np.ndarray:
    image, x = np.zeros((SIDE, SIDE, 3), "float32"), 0
    while x < SIDE:
        width, colour = int(rng.integers(5, 14)), rng.uniform(0.05, 0.85, 3)
        image[:, x : x + width] = colour
        image[:, x] *= 0.4
        image[20:28, x + 1 : x + width - 1] = rng.uniform(0.5, 1, 3)
        x += width
    return _finished(image)


def painting(rng) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    image = np.broadcast_to(rng.uniform(0.2, 0.95, 3), (SIDE, SIDE, 3)).copy()
    if rng.random() < 0.5:
        for i in range(3):
            image[y > 0.4 + 0.18 * i + 0.06 * noise(rng, 1.9)[:1]] = rng.uniform(0.05, 0.8, 3)
    for _ in range(rng.integers(3, 9)):
        cx, cy, size, colour = rng.random(), rng.random(), rng.uniform(0.06, 0.3), rng.uniform(0, 1, 3)
        image[(np.hypot(x - cx, y - cy) < size) if rng.random() < 0.5 else ((abs(x - cx) < size) & (abs(y - cy) < size * 0.7))] = colour
    return _finished(image)


def outdoor(rng) -> np.ndarray:
    y = np.linspace(0, 1, SIDE)[:, None, None]
    image = np.array([0.62, 0.78, 0.98]) * (1 - y) + np.array([0.93, 0.95, 1.0]) * y + 0.1 * np.clip(noise(rng, 1.9), 0, 2)[..., None]
    horizon = rng.uniform(0.45, 0.7) + 0.06 * noise(rng, 1.6)[:1, :, None]
    return _finished(np.where(y > horizon, np.array([0.22, 0.36, 0.16]) * (1 + 0.35 * noise(rng, 1.1)[..., None]), image))
