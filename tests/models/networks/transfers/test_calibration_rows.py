"""Which targets are calibrated."""

from tiny_store import TinyStore

from models.networks.transfers.calibration_rows import alternating_kinds, distinct_targets


def test_calibration_takes_targets_of_different_kinds_and_the_dearest_last():
    targets = [
        "segment_unsup2d",
        "normal",
        "reshading",
        "segment_semantic",
        "class_scene",
        "room_layout",
        "egomotion",
    ]
    assert alternating_kinds(targets, 4) == ["normal", "class_scene", "room_layout", "reshading"]
    assert alternating_kinds(targets, 9)[-2:] == ["segment_unsup2d", "segment_semantic"]
    assert distinct_targets(["autoencoding", "normal", "denoising"], TinyStore(), "val") == [
        "autoencoding",
        "normal",
    ]
