"""How is it learned? Encoders, heads, losses, task networks, representations, transfers. Keras 3, backend-neutral."""

from models.networks.plan import NetworkConfig

_LAZY = {
    "train_tasks": "task_network",
    "load_task_network": "task_network",
    "task_records": "task_network",
    "encode_views": "representations",
    "RepresentationStore": "representations",
    "proxy_inputs": "features",
    "measure_transfers": "transfers",
    "train_transfer": "transfers",
    "load_transfer_network": "transfer_network",
    "sample_predictions": "predictions",
    "encoder_input": "inputs",
}
__all__ = ["NetworkConfig", *_LAZY]


def __getattr__(name):
    """functions that need Keras are imported when first asked for, so that a configuration can be read without it."""
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(f"models.networks.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'models.networks' has no attribute {name!r}")
