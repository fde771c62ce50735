"""Cholesky's routines give what numpy gives, and refuse what they would misread."""

import numpy as np
import pytest

from models.networks.transfers.closed_form.cholesky import inverse_root

RNG = np.random.default_rng(0)


def test_a_root_of_an_inverse_is_triangular_and_equals_numpys():
    x = RNG.normal(size=(60, 40))
    matrix = np.asfortranarray(x.T @ x)
    root = inverse_root(matrix.copy(order="F"))
    assert not np.triu(root, 1).any()
    np.testing.assert_allclose(root.T @ root, np.linalg.inv(matrix), atol=1e-12)
    with pytest.raises(np.linalg.LinAlgError, match="minors"):
        inverse_root(np.asfortranarray(-matrix))
    with pytest.raises(TypeError, match="Fortran"):
        inverse_root(np.ascontiguousarray(matrix[:, :3]))
