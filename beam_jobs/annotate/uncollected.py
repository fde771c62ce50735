"""Imported first by the server that annotation's workers are forked from, and by nothing else,
since this import does something: until `preloaded` is through, Python does not look for what may
be collected. Modules stay, and looking through them took a tenth of the time to load them.
"""

from __future__ import annotations

import gc

gc.disable()
