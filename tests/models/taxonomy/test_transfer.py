"""A transfer is a value that refuses to be wrong, and says itself in words."""

import pytest

from models.networks.transfers.results import share_regime
from models.taxonomy import Transfer


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"sources": ["a"], "target": "t"}, "tuple of names"),
        ({"sources": ("a", "a"), "target": "t"}, "stands once"),
        ({"sources": (), "target": "t"}, "has sources"),
        ({"sources": ("a",), "target": "t", "control": "scratch"}, "a control has none"),
        (
            {"sources": (), "target": "t", "control": "luck"},
            "one of supervised, share, scratch, pixels, average",
        ),
    ],
)
def test_what_is_no_transfer_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Transfer(**fields)


@pytest.mark.parametrize(
    "transfer, means",
    [
        (Transfer(("a", "b"), "t", "1k"), "a + b (1k)"),
        (Transfer((), "t", control="supervised"), "its own labels"),
        (Transfer((), "t", "1k", "scratch"), "from scratch (1k)"),
    ],
)
def test_a_transfer_says_how_its_target_is_reached_and_survives_json(transfer, means):
    assert transfer.means == means
    assert Transfer.from_json(transfer.to_json()) == transfer


def test_order_counts_sources_and_an_own_encoder_is_one_of_them():
    assert Transfer(("a", "t"), "t").order == 2 and Transfer(("a", "t"), "t").own_encoder
    assert Transfer((), "t", control="average").order == 0


def test_only_supervised_networks_of_a_share_have_an_amount():
    assert Transfer((), "a", share_regime(48), "supervised").share_views == 48
    assert Transfer((), "a", "48", "share").share_views == 48
    assert Transfer((), "a", control="supervised").share_views is None
    with pytest.raises(ValueError, match="how many labels taught it, such as '1575', got 'half'"):
        Transfer((), "a", "half", "share")
    assert Transfer((), "a", share_regime(48), "scratch").share_views is None
    assert Transfer(("b",), "a", "48").share_views is None
