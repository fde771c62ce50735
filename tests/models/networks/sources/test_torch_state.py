"""Files of `torch.save` in both forms, written here as torch writes them, are read without it."""

import io
import pickle
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from models.networks.sources.description import SourceError
from models.networks.sources.torch_state import MAGIC, read_state

KERNEL = np.arange(24, dtype="<f4").reshape(2, 3, 4)
COUNT = np.array([7], "<i8")


class Named:
    """a class by its name alone, as a file of torch mentions it."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Tensor:
    """an array as `torch.save` tells it: the view (offset, shape, strides) of a storage."""

    def __init__(self, key, kind, length, offset, shape, strides):
        self.storage = ("storage", Named("torch", kind), key, "cpu", length)
        self.view = (offset, shape, strides)


class Writer(pickle._Pickler):
    """writes `Named` as a global, storages as persistent ids, tensors as torch rebuilds them."""

    def save(self, value, save_persistent_id=True):
        if isinstance(value, Named):
            self.write(f"c{value.module}\n{value.name}\n".encode())
        elif isinstance(value, Tensor):
            self.save(Named("torch._utils", "_rebuild_tensor_v2"))
            self.write(b"(")
            self.write_storage(value)
            for part in (*value.view, False, OrderedDict()):
                self.save(part)
            self.write(b"tR")
        else:
            super().save(value, save_persistent_id)

    def write_storage(self, value):
        self.write(b"(")
        for part in value.storage:
            self.save(part)
        self.write(b"tQ")


def pickled(value):
    file = io.BytesIO()
    Writer(file, 2).dump(value)
    return file.getvalue()


def state():
    """a kernel that is stored transposed, a part of it, and a counter."""
    return {
        "kernel": Tensor("1", "FloatStorage", 24, 0, (4, 3, 2), (1, 4, 12)),
        "part": Tensor("1", "FloatStorage", 24, 4, (4,), (1,)),
        "count": Tensor("2", "LongStorage", 1, 0, (), ()),
    }


def old_form(content):
    parts = [pickled(MAGIC), pickled(1001), pickled({"little_endian": True}), pickled(content)]
    parts.append(pickled(["1", "2"]))
    for values in (KERNEL.ravel(), COUNT):
        parts.append(struct.pack("<q", values.size) + values.tobytes())
    return b"".join(parts)


def new_form(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("model/data.pkl", pickled(content))
        archive.writestr("model/data/1", KERNEL.tobytes())
        archive.writestr("model/data/2", COUNT.tobytes())
    return file.getvalue()


@pytest.mark.parametrize("form", [old_form, new_form])
def test_both_forms_are_read(form):
    tensors = read_state(form(state()))
    np.testing.assert_array_equal(tensors["kernel"], KERNEL.transpose(2, 1, 0))
    np.testing.assert_array_equal(tensors["part"], KERNEL[0, 1])
    assert tensors["count"] == 7 and tensors["kernel"].flags.c_contiguous


@pytest.mark.parametrize("form", [old_form, new_form])
def test_other_classes_are_never_made(form):
    with pytest.raises(SourceError, match="posix.system|os.system"):
        read_state(form({"a": Named("os", "system")}))


def test_a_view_beyond_its_storage_is_refused():
    wrong = {**state(), "far": Tensor("1", "FloatStorage", 24, 20, (5,), (1,))}
    with pytest.raises(SourceError, match="beyond its storage"):
        read_state(new_form(wrong))


@pytest.mark.parametrize("content", [b"", b"PK", pickle.dumps(3), pickle.dumps([1, 2])])
def test_other_files_are_refused(content):
    with pytest.raises(SourceError, match="torch"):
        read_state(content)
