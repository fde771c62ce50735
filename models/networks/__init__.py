"""How is it learned? Encoders, heads, losses, task networks, representations, transfers. Keras 3, backend-neutral."""

from models.networks.config import NetworkConfig

_LAZY = {
    "train_tasks": "task_networks.train",
    "load_task_network": "task_networks.train",
    "task_records": "task_networks.train",
    "encode_views": "task_networks.representations",
    "RepresentationStore": "task_networks.representations",
    "proxy_inputs": "transfers.proxy_inputs",
    "measure_transfers": "transfers.measure",
    "train_transfer": "transfers.measure",
    "load_transfer_network": "transfers.edge",
    "sample_predictions": "predictions.samples",
    "encoder_input": "training.inputs",
}
__all__ = ["NetworkConfig", *_LAZY]


def __getattr__(name):
    """functions that need Keras are imported when first asked for, so that a configuration can be read without it."""
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(f"models.networks.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'models.networks' has no attribute {name!r}")
