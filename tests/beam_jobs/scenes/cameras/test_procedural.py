"""Which points of a building may be fixated."""

import numpy as np

from beam_jobs.scenes.buildings.building import building
from beam_jobs.scenes.cameras.procedural import (
    CLOSEST,
    DISTANT,
    EYE,
    HEAD_ON,
    STEEPEST,
    Corners,
    Points,
    candidates,
    stands,
)
from beam_jobs.scenes.render.renderer import Eye


def every_candidate(eye, points, locations, fewest):
    """{point: numbers of the cameras that see it}, with a ray for every pair of both"""
    ahead = points.places[:, None] - locations
    length = np.linalg.norm(ahead, axis=-1)
    ways = ahead / length[..., None]
    asked = (np.abs(ways[..., 2]) < STEEPEST) & (length > CLOSEST)
    origins = np.broadcast_to(locations, ahead.shape).reshape(-1, 3)
    reached = eye.reached(origins, ways.reshape(-1, 3))[0].reshape(length.shape)
    seen = asked & (np.abs(reached - length) < 5e-3)
    cosine = np.abs((ways * points.normals[:, None]).sum(-1))
    kept = {}
    for k in np.flatnonzero(seen.sum(1) >= fewest):
        head_on, far = cosine[k, seen[k]].mean(), length[k, seen[k]].mean() / DISTANT
        if points.luck[0, k] >= HEAD_ON * head_on and points.luck[1, k] <= far**2:
            kept[k] = np.flatnonzero(seen[k])
    return kept


def test_points_are_taken_as_if_every_camera_had_been_asked():
    rng = np.random.default_rng(0)
    eye = Eye(building(3))
    locations = np.array([place for place, _ in stands(eye, rng)])
    questions = []
    free = eye.caster.free
    eye.caster.free = lambda *rays: questions.append(len(rays[0])) or free(*rays)
    points = Points.of(Corners.of(eye.scene), rng, 600)
    expected = every_candidate(eye, points, locations, 3)
    fixations = candidates(eye, points, locations, 3)
    assert len(fixations) == len(expected) > 20
    for candidate, (k, seen) in zip(fixations, expected.items()):
        np.testing.assert_array_equal(candidate.place, points.places[k])
        np.testing.assert_array_equal(candidate.cameras, seen)
        np.testing.assert_allclose(candidate.ahead, points.places[k] - locations[seen])
    assert any(candidate.place[2] > EYE for candidate in fixations)
    assert sum(questions) < 0.75 * 600 * len(locations), (
        "luck spares most points their near cameras"
    )
