"""What is one stage? One TFX component a file, thin: read artifacts, call one function of the core,
write artifacts.

Kubeflow's container entry point imports an artifact's TYPE_NAME as a class path
(`components.NetworkBank`), so the package has the types, lazily, to keep `import components`
instant.
"""


def __getattr__(name: str) -> object:
    if name[:1].isupper():
        # types alone: a look for any other name must not load TFX
        from components import artifacts

        if hasattr(artifacts, name):
            return getattr(artifacts, name)
    raise AttributeError(f"module 'components' has no attribute {name!r}")
