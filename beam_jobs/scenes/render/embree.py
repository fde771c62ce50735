"""Embree's interface in C, from the library that embreex brings along. embreex itself hands a mesh
over number by number, each as a Python object, which takes two to three times as long as building
the tree.

https://github.com/RenderKit/embree/blob/v4.4.0/doc/src/api.md
"""

from __future__ import annotations

import ctypes
import functools
import weakref

import numpy as np
from llvmlite import binding
from numba import types

from models.tasks.arrays import Floats, Integers

# Of Embree's enumerations.
TRIANGLES = 0
INDEX, VERTEX = 0, 1
UINT3, FLOAT3 = 0x5003, 0x9003
ROBUST = 4  # no ray passes between two triangles that share an edge
# Functions of (scene, ray, arguments: 0) that compiled code calls: numba's linker knows them once
# `library` was called.
intersect = types.ExternalFunction("rtcIntersect1", types.void(*[types.uintp] * 3))
occluded = types.ExternalFunction("rtcOccluded1", types.void(*[types.uintp] * 3))

POINTER, UNSIGNED, ENUM, SIZE = ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_size_t
# {function: (what it returns, its arguments)}
SIGNATURES = {
    "rtcNewDevice": (POINTER, [ctypes.c_char_p]),
    "rtcGetDeviceError": (ENUM, [POINTER]),
    "rtcReleaseDevice": (None, [POINTER]),
    "rtcNewScene": (POINTER, [POINTER]),
    "rtcSetSceneFlags": (None, [POINTER, ENUM]),
    "rtcCommitScene": (None, [POINTER]),
    "rtcReleaseScene": (None, [POINTER]),
    "rtcNewGeometry": (POINTER, [POINTER, ENUM]),
    "rtcSetNewGeometryBuffer": (POINTER, [POINTER, ENUM, UNSIGNED, ENUM, SIZE, SIZE]),
    "rtcCommitGeometry": (None, [POINTER]),
    "rtcAttachGeometry": (UNSIGNED, [POINTER, POINTER]),
    "rtcReleaseGeometry": (None, [POINTER]),
}


@functools.cache
def library() -> ctypes.CDLL:
    """Returns Embree, and makes its functions known to numba's linker."""
    # Imported here: who only asks for --help should not wait for it.
    from embreex import rtcore_scene

    # The system looks for a name in the libraries that a module was linked with, too.
    embree = ctypes.CDLL(rtcore_scene.__file__)
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(embree, name)
        function.restype, function.argtypes = result, arguments
    for external in (intersect, occluded):
        address = ctypes.cast(getattr(embree, external.symbol), POINTER).value
        binding.add_symbol(external.symbol, address)
    return embree


class EmbreeScene:
    """A mesh in Embree. vertices [v, 3] metres; faces [f, 3] int. Raises RuntimeError if Embree
    does not take it.
    """

    def __init__(self, vertices: Floats, faces: Integers) -> None:
        embree = library()
        self.device = embree.rtcNewDevice(None)
        self.scene = embree.rtcNewScene(self.device)
        embree.rtcSetSceneFlags(self.scene, ROBUST)
        geometry = embree.rtcNewGeometry(self.device, TRIANGLES)
        # four numbers a vertex: Embree reads 16 bytes at a time
        corners = np.zeros((len(vertices), 4), "float32")
        corners[:, :3] = vertices
        triangles = np.ascontiguousarray(faces, "int32")
        for kind, form, rows in ((VERTEX, FLOAT3, corners), (INDEX, UINT3, triangles)):
            place = embree.rtcSetNewGeometryBuffer(
                geometry, kind, 0, form, rows.strides[0], len(rows)
            )
            self.check()
            ctypes.memmove(place, rows.ctypes.data, rows.nbytes)
        embree.rtcCommitGeometry(geometry)
        embree.rtcAttachGeometry(self.scene, geometry)
        embree.rtcReleaseGeometry(geometry)
        # not at the end of the process, when Embree's own threads end as well
        weakref.finalize(self, release, self.scene, self.device).atexit = False

    @functools.cached_property
    def address(self) -> int:
        """Where the scene is, for `intersect` and `occluded`. The first look builds the tree."""
        library().rtcCommitScene(self.scene)
        self.check()
        return int(self.scene)

    def check(self) -> None:
        """Raises RuntimeError if Embree has failed."""
        error = library().rtcGetDeviceError(self.device)
        if error:
            raise RuntimeError(
                f"Embree could not take the mesh: error {error} of RTCError in its documentation"
            )


def release(scene: int, device: int) -> None:
    """Gives back what Embree holds of a scene."""
    library().rtcReleaseScene(scene)
    library().rtcReleaseDevice(device)
