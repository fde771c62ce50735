"""Principal components equal those of the whole matrix."""

import numpy as np
import pytest

from models.networks.sources.reduction import deviation_along, principal_components


def test_parts_give_what_the_whole_gives():
    rng = np.random.default_rng(0)
    maps = (rng.normal(size=(30, 4, 4, 6)) @ rng.normal(size=(6, 6)) + 100).astype("float32")
    mean, components, share = principal_components(np.array_split(maps, 7), 3)
    flat = maps.reshape(-1, 6).astype("float64")
    _, sizes, rows = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    np.testing.assert_allclose(mean, flat.mean(0), rtol=1e-5)
    np.testing.assert_allclose(np.abs((rows[:3] * components.T).sum(1)), 1, rtol=1e-5)
    assert share == pytest.approx((sizes[:3] ** 2).sum() / (sizes**2).sum(), rel=1e-6)
    assert (components[np.abs(components).argmax(0), np.arange(3)] > 0).all()


def test_fewer_features_than_components_leave_zeros():
    maps = np.random.default_rng(0).normal(size=(10, 2, 2, 2))
    _, components, share = principal_components([maps], 5)
    assert components.shape == (2, 5) and not components[:, 2:].any() and share == pytest.approx(1)


def test_nothing_has_no_components():
    with pytest.raises(ValueError, match="no features"):
        principal_components([], 3)


def test_the_deviation_along_a_component_is_that_of_the_whole():
    rng = np.random.default_rng(0)
    maps = (rng.normal(size=(30, 4, 4, 6)) * np.arange(1, 7) * 1e-9 + 1e-8).astype("float32")
    mean, components, _ = principal_components([maps], 3)
    deviation = deviation_along(np.array_split(maps, 7), mean, components[:, 0])
    codes = (maps.astype("float64") - mean) @ components[:, 0]
    assert deviation == pytest.approx(codes.std(), rel=1e-6)


def test_rounding_is_no_deviation():
    maps = np.full((30, 2, 2, 3), 7, "float32")
    maps[::2, ..., 1] = np.nextafter(np.float32(7), np.float32(8))
    mean, components, _ = principal_components([maps], 1)
    assert deviation_along([maps], mean, components[:, 0]) == 0
