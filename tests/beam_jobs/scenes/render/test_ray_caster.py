"""Rays cast through Embree's interface in C against those that embreex casts."""

import gc
import weakref

import numpy as np
import pytest

from beam_jobs.scenes.render import embree
from beam_jobs.scenes.render.embree import EmbreeScene
from beam_jobs.scenes.render.ray_caster import RayCaster

RNG = np.random.default_rng(0)
CORNERS = RNG.random((900, 3)) * 4 + np.repeat(RNG.random((300, 3)), 3, 0)
FACES = np.arange(900).reshape(300, 3)
ORIGINS = (RNG.random((5000, 3)) * 6 - 0.5).astype("float32")
WAYS = RNG.normal(size=(5000, 3))
WAYS = (WAYS / np.linalg.norm(WAYS, axis=1, keepdims=True)).astype("float32")
REACH = RNG.random(5000) * 3


def embreex_scene():
    from embreex import rtcore_scene
    from embreex.mesh_construction import TriangleMesh

    scene = rtcore_scene.EmbreeScene()
    TriangleMesh(scene, CORNERS.astype("float32"), FACES.astype("int32"))
    return scene


def test_first_hits_are_those_of_embreex_to_the_bit():
    expected = embreex_scene().run(ORIGINS, WAYS, output=1)
    hits = RayCaster(CORNERS, FACES).first(ORIGINS, WAYS)
    np.testing.assert_array_equal(hits.triangle, expected["primID"])
    hit = hits.triangle >= 0
    assert 500 < hit.sum() < 4900
    np.testing.assert_array_equal(hits.distance, expected["tfar"])
    np.testing.assert_array_equal(hits.u[hit], expected["u"][hit])
    np.testing.assert_array_equal(hits.v[hit], expected["v"][hit])


def test_free_ways_are_those_of_embreex():
    blocked = embreex_scene().run(ORIGINS, WAYS, REACH.astype("float32"), query="OCCLUDED") >= 0
    free = RayCaster(CORNERS, FACES).free(ORIGINS, WAYS, REACH)
    assert 500 < free.sum() < 4500
    np.testing.assert_array_equal(free, ~blocked)


def test_one_origin_serves_all_rays():
    caster = RayCaster(CORNERS, FACES)
    alone = caster.first(ORIGINS[:1], WAYS)
    repeated = caster.first(np.repeat(ORIGINS[:1], len(WAYS), 0), WAYS)
    for name in ("distance", "triangle", "u", "v"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(repeated, name))


def test_a_mesh_without_faces_is_hit_by_nothing():
    caster = RayCaster(CORNERS, FACES[:0])
    assert (caster.first(ORIGINS, WAYS).triangle == -1).all()
    assert caster.free(ORIGINS, WAYS, REACH).all()


def test_what_embree_refuses_is_an_error(monkeypatch):
    monkeypatch.setattr(embree, "UINT3", embree.FLOAT3)
    with pytest.raises(RuntimeError, match="Embree could not take the mesh: error"):
        EmbreeScene(CORNERS, FACES)


def test_a_scene_that_is_gone_is_given_back(monkeypatch):
    released = []
    monkeypatch.setattr(embree, "release", lambda *handles: released.append(handles))
    scene = EmbreeScene(CORNERS, FACES)
    handles, watch = (scene.scene, scene.device), weakref.ref(scene)
    del scene
    gc.collect()
    assert watch() is None and released == [handles]
