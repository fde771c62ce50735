"""A configuration that makes no sense cannot be held, and every field says what it is."""

import ast
import inspect
import textwrap

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
        {"supervised_shares": (0.0,)},
        {"supervised_shares": (0.5, 1.0)},
        {"supervised_shares": (0.5, 0.5)},
        {"supervised_shares": ("half",)},
        {"supervised_shares": (True,)},
        {"transfer_split": "test"},
        {"transfer_split": "foo"},
        {"seed": -1},
        {"learning_rate": -1.0},
        {"learning_rate": float("nan")},
        {"vector_rate": 0.0},
        {"weight_decay": float("inf")},
        {"checkpoint_seconds": -1.0},
        {"random_features": 0},
        {"calibration_sources": 0},
        {"policy_epochs": -1},
        {"transfer_widths": (48, 0)},
    ],
)
def test_nonsense_is_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        NetworkConfig(**change)


def test_zeros_that_mean_something_are_kept():
    fields = ("weight_decay", "warm_up", "checkpoint_seconds", "scratch_steps", "policy_epochs")
    zeros = dict.fromkeys((*fields, "calibration_targets", "regime_epochs"), 0)
    assert NetworkConfig(**zeros).scratch_steps == 0


def test_lists_from_json_become_tuples():
    assert NetworkConfig(ridges=[0.1]).ridges == (0.1,)
    assert NetworkConfig(shares=[["normal", 0.5]]).shares == (("normal", 0.5),)
    assert NetworkConfig(supervised_shares=[0.25, 0.5]).supervised_shares == (0.25, 0.5)


def test_every_field_has_a_comment_right_above_its_line():
    source = textwrap.dedent(inspect.getsource(NetworkConfig))
    lines = source.splitlines()
    (described,) = ast.parse(source).body
    named = [node for node in described.body if isinstance(node, ast.AnnAssign)]
    assert len(named) == len(NetworkConfig.__dataclass_fields__)
    for node in named:
        assert lines[node.lineno - 2].lstrip().startswith("# "), node.target.id


def test_edges_take_as_many_epochs_as_the_transfers_that_chose_them_unless_told():
    by_gradient = {"learner": "gradient", "transfer_epochs": 7}
    assert NetworkConfig().edge_epochs == 0
    assert NetworkConfig(**by_gradient).edge_epochs == 7
    assert NetworkConfig(**by_gradient, policy_epochs=2).edge_epochs == 2
    assert NetworkConfig(policy_epochs=2).edge_epochs == 2
