"""A label store of some targets of the tiny bundle, in its whitening."""

import numpy as np
from synthetic_policy import WHITENING
from tiny_store import TinyStore

COMPARED = ("normal", "class_scene", "fixated_pose")


class ComparedStore(TinyStore):
    """has labels of `COMPARED` alone."""

    def has(self, name):
        return name in COMPARED

    def whitening(self, name):
        return WHITENING.get(name, (np.zeros(1), np.ones(1)))
