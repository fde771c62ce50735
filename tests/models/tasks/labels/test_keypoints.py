"""2D keypoints against scikit-image, the published annotator's own library."""

import numpy as np
import pytest
from skimage.feature import hessian_matrix_det

from models.tasks.labels.keypoints import box_hessian


@pytest.mark.parametrize("size", [3, 12, 41, 90])
@pytest.mark.parametrize("step", [1, 4])
def test_boxes_at_every_few_pixels_are_those_of_scikit_image(size, step):
    image = np.random.default_rng(0).random((128, 128))
    wanted = hessian_matrix_det(image, (size + 0.5) / 3)[::step, ::step]
    np.testing.assert_allclose(box_hessian(image.cumsum(0).cumsum(1), size, step), wanted, atol=1e-9)
