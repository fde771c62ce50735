"""What is one stage? One TFX component a file, thin: read artifacts, call one function of the core,
write artifacts.

Kubeflow's container entry point imports an artifact's TYPE_NAME as a class path
(`components.NetworkBank`), so the package exports the types, lazily, to keep `import components`
instant.
"""

_TYPES = (
    "AffinityTable",
    "EvidenceBook",
    "LabelBank",
    "LossBank",
    "NetworkBank",
    "ProxyTable",
    "ReportPages",
    "RepresentationBank",
    "TaxonomyList",
    "TransferBank",
)


def __getattr__(name: str) -> object:
    if name in _TYPES:
        from components import artifacts

        return getattr(artifacts, name)
    raise AttributeError(
        f"module 'components' has no attribute {name!r}; artifact types are {', '.join(_TYPES)}"
    )
