"""Features from elsewhere, keyed by view, in each of their three forms."""

import numpy as np
import pytest
from outside_encoders import feature_file

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
    wanted = values[[2, 0]].reshape(2, 2, 2, 2, 2, -1).mean((2, 4))
    for name in ("named.npz", "rows.npz", "plain.npy"):
        found = FeatureArrays(tmp_path / name).of(asked, 2)
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


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
