"""A configuration that makes no sense cannot be held."""

import pytest

from models.networks.config import NetworkConfig


@pytest.mark.parametrize(
    "change",
    [
        {"encoder": "vgg"},
        {"encoder": "lean"},
        {"steps": 0},
        {"transfer_order": 0},
        {"learner": "magic"},
        {"higher_orders": "some"},
        {"regimes": (0,)},
        {"ridges": ()},
        {"ridges": (0.0,)},
        {"shares": (("normals", 0.5),)},
        {"shares": (("normal", 0.0),)},
    ],
)
def test_nonsense_is_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        NetworkConfig(**change)


def test_lists_from_json_become_tuples():
    assert NetworkConfig(ridges=[0.1]).ridges == (0.1,)
    assert NetworkConfig(shares=[["normal", 0.5]]).shares == (("normal", 0.5),)
