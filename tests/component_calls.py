"""What a component is called with outside a pipeline: artifacts at folders, its own function."""

from pathlib import Path


def artifact(kind, uri: Path):
    """of a kind, at a folder that is there."""
    made = kind()
    made.uri = str(uri)
    Path(uri).mkdir(parents=True, exist_ok=True)
    return made


def run(component, **arguments):
    """what the executor of a function component calls."""
    function = component.EXECUTOR_SPEC.executor_class._FUNCTION
    return getattr(function, "__func__", function)(**arguments)
