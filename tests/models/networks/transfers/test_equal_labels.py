"""Targets that differ in their input alone ask the same of a representation."""

from tiny_store import TinyStore

from models.networks.transfers.equal_labels import first_with_equal_labels


def test_denoising_asks_what_autoencoding_asks_and_nobody_else_does():
    names = ["normal", "denoising", "reshading", "autoencoding"]
    first = first_with_equal_labels(TinyStore(), names, "val")
    assert first == {name: name for name in names} | {"autoencoding": "denoising"}
