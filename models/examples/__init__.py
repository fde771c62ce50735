"""How is a labelled view written down? Codecs of the published files and of tf.train.Example, and
the decoded label store.
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
