"""A blessing in the form of TFX's own components: a file BLESSED or NOT_BLESSED, and a property."""

import os
from typing import Any, Sequence

from components.content import say_content


def bless(blessing: Any, reasons: Sequence[str]) -> None:
    """Writes an artifact's blessing. reasons: why it is refused, in words, a line each in the file;
    none if it is blessed.
    """
    os.makedirs(blessing.uri, exist_ok=True)
    name = "NOT_BLESSED" if reasons else "BLESSED"
    with open(os.path.join(blessing.uri, name), "w") as file:
        file.write("\n".join(reasons))
    # the property that TFX's own Evaluator and InfraValidator set
    blessing.set_int_custom_property("blessed", int(not reasons))
    say_content(blessing, reasons)
