"""How a labelled view is written down: codecs of the published files and of tf.train.Example, and
the store of decoded labels.
"""

from models.examples.example import encode_view, encoded_images, parse_view, records
from models.examples.published import LabelError, read_label, write_label

__all__ = [
    "LabelError",
    "encode_view",
    "encoded_images",
    "parse_view",
    "read_label",
    "records",
    "write_label",
]
