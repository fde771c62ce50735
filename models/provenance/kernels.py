"""Compiled kernels that are never stale.

numba keeps what it has compiled, and compiles anew once the kernel's own file has changed. But a
kernel also holds the constants and the kernels of other files that it reads and calls, as they were
then: after an edit there, labels would be made by old code under a new address. Here a kernel is
compiled anew, too, if a file has changed that its own imports, or theirs, whatever its time.

Every kernel of this repository is made by `njit` of this module.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import caching, config

from models.provenance.sources import PARSING, REPOSITORY, path_of

__all__ = ["njit"]


class OfItsImports:
    """Of a locator of numba: the stamp by which a kept kernel is known to be that of its sources.
    https://numba.readthedocs.io/en/stable/reference/envvars.html (NUMBA_CACHE_LOCATOR_CLASSES)
    """

    _py_file: str

    def get_source_stamp(self) -> Any:
        if not Path(self._py_file).is_relative_to(REPOSITORY):
            return super().get_source_stamp()  # type: ignore[misc]
        return content_digest(self._py_file)


class Provided(OfItsImports, caching.UserProvidedCacheLocator):
    """In NUMBA_CACHE_DIR, where that is set."""


class BesideSources(OfItsImports, caching.InTreeCacheLocator):
    """In the sources' __pycache__, where one may write there."""


class OfTheUser(OfItsImports, caching.UserWideCacheLocator):
    """In the user's own cache."""


# in numba's order; who names other locators in the environment has them
if not config.CACHE_LOCATOR_CLASSES:
    config.CACHE_LOCATOR_CLASSES = ",".join(
        f"{__name__}.{locator.__name__}" for locator in (Provided, BesideSources, OfTheUser)
    )


@functools.cache
def content_digest(path: str) -> str:
    """Returns 32 hex digits of the content of a source file of this repository and of all that it
    imports of it, directly or not; of packages' own files (`__init__.py`) none.
    """
    files = {path}
    open_files = [path]
    while open_files:
        for imported in imported_files(open_files.pop()):
            if imported not in files:
                files.add(imported)
                open_files.append(imported)
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(hashlib.sha256(Path(name).read_bytes()).digest())
    return digest.hexdigest()[:32]


@functools.cache
def imported_files(path: str) -> frozenset[str]:
    """Returns the files of this repository's modules that a file imports anywhere in it."""
    with PARSING:
        tree = ast.parse(Path(path).read_bytes())
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    places = {path_of(name) for name in names}
    return frozenset(str(place) for place in places if place and place.name != "__init__.py")
