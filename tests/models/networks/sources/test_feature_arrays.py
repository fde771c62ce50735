"""Features from elsewhere, keyed by view, in each of their three forms."""

import numpy as np
import pytest
from outside_encoders import feature_file

from models.networks.sources import feature_arrays
from models.networks.sources.description import SourceError
from models.networks.sources.feature_arrays import FeatureArrays

KEYS = ["house/point_1/view_0", "house/point_1/view_1", "house/point_2/view_0"]


def test_the_three_forms_say_the_same(tmp_path):
    named = feature_file(tmp_path / "named.npz", KEYS)
    with np.load(named) as file:
        values = np.stack([file[key] for key in KEYS])
    np.savez(tmp_path / "rows.npz", keys=KEYS, features=values)
    np.save(tmp_path / "plain.npy", values)
    (tmp_path / "plain.txt").write_text("\n".join(KEYS), encoding="utf-8-sig")
    asked = [KEYS[2], KEYS[0]]
    expected = values[[2, 0]].reshape(2, 2, 2, 2, 2, -1).mean((2, 4))
    for name in ("named.npz", "rows.npz", "plain.npy"):
        features = FeatureArrays(tmp_path / name).of(asked, 2)
        np.testing.assert_allclose(features, expected, rtol=1e-5)


def test_lacking_views_and_keys_are_named(tmp_path):
    arrays = FeatureArrays(feature_file(tmp_path / "some.npz", KEYS[:2]))
    with pytest.raises(SourceError, match=f"1 of 3 views, such as {KEYS[2]}"):
        arrays.of(KEYS, 2)
    np.save(tmp_path / "bare.npy", np.zeros((2, 4, 4, 3)))
    with pytest.raises(SourceError, match=r"bare\.txt"):
        FeatureArrays(tmp_path / "bare.npy")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_no_numbers_are_refused(tmp_path, value):
    np.savez(tmp_path / "a.npz", keys=KEYS[:1], features=np.full((1, 4, 4, 3), value))
    with pytest.raises(SourceError, match=KEYS[0]):
        FeatureArrays(tmp_path / "a.npz").of(KEYS[:1], 2)


def test_vectors_and_torn_files_are_refused(tmp_path):
    np.savez(tmp_path / "flat.npz", keys=KEYS, features=np.zeros((3, 7)))
    with pytest.raises(SourceError, match="h, w, c"):
        FeatureArrays(tmp_path / "flat.npz")
    (tmp_path / "torn.npz").write_bytes(b"PK")
    with pytest.raises(SourceError, match="torn"):
        FeatureArrays(tmp_path / "torn.npz")


@pytest.mark.parametrize(
    ("features", "match"),
    [
        (np.full((3, 1, 1, 1), "x"), "expected numbers"),
        (np.ones((3, 2, 2, 2)) * 1j, "expected numbers"),
        (np.array([{}, {}, {}], dtype=object), "cannot be read"),
        (np.zeros((3, 2, 2, 0)), "hold nothing"),
        (np.zeros((3, 7, 4, 4)), "channels last"),
        (np.float32(3), "expected .view, h, w, c."),
    ],
)
def test_what_cannot_be_features_is_refused(tmp_path, features, match):
    np.savez(tmp_path / "a.npz", keys=KEYS, features=features)
    with pytest.raises(SourceError, match=match):
        FeatureArrays(tmp_path / "a.npz")


def test_each_view_has_one_array_of_one_shape(tmp_path):
    values = np.random.default_rng(0).random((3, 4, 4, 2))
    np.savez(tmp_path / "twice.npz", keys=[*KEYS[:2], KEYS[0]], features=values)
    with pytest.raises(SourceError, match=f"{KEYS[0]} 2 times"):
        FeatureArrays(tmp_path / "twice.npz")
    np.savez(tmp_path / "ragged.npz", **{KEYS[0]: values[0], KEYS[1]: values[1][:, :2]})
    with pytest.raises(SourceError, match="one shape for all views"):
        FeatureArrays(tmp_path / "ragged.npz").of(KEYS[:2], 2)
    np.savez(tmp_path / "objects.npz", **{KEYS[0]: np.array([None])})
    with pytest.raises(SourceError, match=f"{KEYS[0]} cannot be read"):
        FeatureArrays(tmp_path / "objects.npz")


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_an_empty_file_is_refused(tmp_path, suffix):
    (tmp_path / "empty").with_suffix(suffix).touch()
    (tmp_path / "empty.txt").touch()
    with pytest.raises(SourceError, match="cannot be read as arrays"):
        FeatureArrays((tmp_path / "empty").with_suffix(suffix))


def test_keys_of_bytes_are_read(tmp_path):
    np.savez(tmp_path / "a.npz", keys=np.array(KEYS, "S"), features=np.ones((3, 4, 4, 2)))
    assert FeatureArrays(tmp_path / "a.npz").keys == KEYS


def test_no_more_than_a_part_is_read_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_arrays, "PART", 2)
    arrays = FeatureArrays(feature_file(tmp_path / "a.npz", KEYS))
    parts = list(arrays.parts(KEYS, 2))
    assert [len(part) for part in parts] == [2, 1]
    np.testing.assert_array_equal(np.concatenate(parts), arrays.of(KEYS, 2))
