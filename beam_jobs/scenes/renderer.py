"""What a camera sees of a scene: geometry exact per pixel, light by shadow rays to lamps and windows plus a hemisphere of occlusion.

Rays: Embree. Pixel centres at +0.5 (measured on the published frames).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beam_jobs.scenes.scene import Scene
from beam_jobs.scenes.textures import SIDE
from models.tasks import Camera

TO_OPENCV = np.array([1.0, -1.0, -1.0])  # normals are published in a frame with x right, y down, z away


@dataclass(frozen=True)
class Surfaces:
    """[S, S] maps of one view: rgb uint8 [S, S, 3]; depth m along the axis, distance m along the ray (inf: nothing hit); normal [S, S, 3] OpenCV
    camera frame; curvature [S, S, 2] 1/m; instance int32 (-1: nothing); facing: cosine between the normal and the way back to the camera."""

    rgb: np.ndarray
    depth: np.ndarray
    distance: np.ndarray
    normal: np.ndarray
    curvature: np.ndarray
    instance: np.ndarray
    facing: np.ndarray


def pixel_rays(camera: Camera, size: int) -> tuple[np.ndarray, np.ndarray]:
    """directions [S*S, 3] unit, world frame, and their share along the optical axis [S*S] (depth = distance * share)."""
    half = np.tan(camera.field_of_view / 2)
    x, y = np.meshgrid(((np.arange(size) + 0.5) / size * 2 - 1) * half, -((np.arange(size) + 0.5) / size * 2 - 1) * half)
    rays = np.stack([x.ravel(), y.ravel(), -np.ones(size * size)], 1)
    length = np.linalg.norm(rays, axis=1)
    return (rays / length[:, None]) @ camera.rotation.T, 1 / length


class Eye:
    """A scene made ready for rays."""

    def __init__(self, scene: Scene) -> None:
        from embreex import rtcore_scene
        from embreex.mesh_construction import TriangleMesh

        self.scene, self.embree = scene, rtcore_scene.EmbreeScene()
        TriangleMesh(self.embree, scene.shape.vertices[scene.shape.faces].astype("float32"))
        self.linear = (np.clip(scene.textures, 0, 1) ** 2.2).astype("float32")

    def cast(self, origins: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """distance [n] (inf: none), triangle [n] (-1: none), barycentric weights [n, 3] of the first hit of every ray."""
        hit = self.embree.run(np.ascontiguousarray(origins, "float32"), np.ascontiguousarray(directions, "float32"), output=1)
        found = hit["primID"] >= 0
        weights = np.stack([1 - hit["u"] - hit["v"], hit["u"], hit["v"]], 1).astype("float64")
        return np.where(found, hit["tfar"], np.inf).astype("float64"), np.where(found, hit["primID"], -1), weights

    def clear(self, points: np.ndarray, goals: np.ndarray) -> np.ndarray:
        """[n] is the straight way from point to goal free, but for its last 2 %?"""
        way = goals - points
        length = np.linalg.norm(way, axis=1)
        distance, _, _ = self.cast(points, way / np.maximum(length, 1e-9)[:, None])
        return distance >= length * 0.98

    def look(self, camera: Camera, size: int, rng: np.random.Generator) -> Surfaces:
        """one view. rng: jitters the shadow rays and adds the sensor's noise."""
        rays, share = pixel_rays(camera, size)
        distance, triangle, weights = self.cast(np.broadcast_to(camera.location, rays.shape), rays)
        seen = triangle >= 0
        corners = self.scene.shape.faces[np.maximum(triangle, 0)]
        mix = lambda values: (values[corners] * weights[..., None]).sum(1)
        normal = mix(self.scene.shape.normals)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
        normal = np.where(((normal * rays).sum(1) > 0)[:, None], -normal, normal)
        points = camera.location + rays * np.where(seen, distance, 0)[:, None]
        material = self.scene.material[np.maximum(triangle, 0)]
        albedo = self.albedo(material, mix(self.scene.shape.uv))
        light = self.light(points + normal * 2e-3, normal, size, rng)
        glow = self.scene.glow[material][:, None]
        colour = np.where(glow > 0, albedo * glow, albedo * light)
        colour = np.where(seen[:, None], colour, 2.0)
        square = lambda values: values.reshape(size, size, *values.shape[1:])
        return Surfaces(
            square(developed(colour, rng)),
            square(np.where(seen, distance * share, np.inf)),
            square(distance),
            square((normal @ camera.rotation) * TO_OPENCV),
            square(mix(self.scene.shape.curvature)),
            square(np.where(seen, self.scene.instance[np.maximum(triangle, 0)], -1).astype("int32")),
            square(-(normal * rays).sum(1)),
        )

    def albedo(self, material: np.ndarray, uv: np.ndarray) -> np.ndarray:
        """[n, 3] linear reflectance: bilinear look-up that wraps."""
        place = uv / self.scene.scale[material][:, None] * SIDE - 0.5
        low = np.floor(place).astype(int)
        fraction = place - low
        total = np.zeros((len(uv), 3))
        for dx in (0, 1):
            for dy in (0, 1):
                weight = np.abs(1 - dx - fraction[:, 0]) * np.abs(1 - dy - fraction[:, 1])
                total += weight[:, None] * self.linear[material, (low[:, 1] + dy) % SIDE, (low[:, 0] + dx) % SIDE]
        return total

    def light(self, points: np.ndarray, normals: np.ndarray, size: int, rng: np.random.Generator, reach: float = 0.8) -> np.ndarray:
        """[n, 3] light that arrives: the four strongest lights with a jittered shadow ray each, then sky light weighted by openness within `reach` m."""
        total = np.zeros_like(points)
        strength = []
        for light in self.scene.lights:
            way = np.array(light.position) - points
            square = (way**2).sum(1)
            cosine = np.clip((way * normals).sum(1) / np.sqrt(square), 0, 1)
            strength.append(cosine / np.maximum(square, 0.25) * max(light.power))
        order = np.argsort([-s.mean() for s in strength])[:4]
        for index in order:
            light = self.scene.lights[index]
            lit = strength[index] > 0.003
            goals = np.array(light.position) + rng.normal(0, light.size / 2, (int(lit.sum()), 3))
            free = np.zeros(len(points))
            free[lit] = self.clear(points[lit], goals)
            total += (strength[index] * free)[:, None] * np.array(light.power) / max(light.power)
        openness = np.zeros(len(points))
        for _ in range(3):
            direction = normals + rng.normal(0, 0.6, normals.shape)
            direction /= np.linalg.norm(direction, axis=1, keepdims=True)
            openness += np.clip(self.cast(points, direction)[0] / reach, 0.15, 1) / 3
        return smoothed(total, size) + 0.32 * smoothed(openness[:, None], size) * (0.8 + 0.2 * normals[:, 2:])


def smoothed(values: np.ndarray, size: int) -> np.ndarray:
    """[S*S, c] averaged twice over 1/32 of the side (a tent filter): shadow rays are noisy."""
    import cv2

    side = max(3, size // 32 | 1)
    once = cv2.blur(values.reshape(size, size, -1).astype("float32"), (side, side))
    return cv2.blur(once, (side, side)).reshape(size * size, -1)


def developed(colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """uint8: exposure by the log mean, ACES-like curve, gamma 2.2, a little noise."""
    luminance = colour @ [0.2126, 0.7152, 0.0722]
    x = colour * (0.30 / np.exp(np.log(np.maximum(luminance, 1e-3)).mean()))
    x = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1) ** (1 / 2.2)
    return (np.clip(x + rng.normal(0, 0.008, x.shape), 0, 1) * 255 + 0.5).astype("uint8")
