"""Switches Python's garbage collector off until `preloaded` is through. The server that
annotation's workers are forked from imports this module first, and nothing else may, since the
import runs code. Modules stay in memory anyway, and looking through them took a tenth of the time
to load them.
"""

from __future__ import annotations

import gc

gc.disable()
