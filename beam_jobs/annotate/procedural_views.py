"""Makes the views of one procedural building, with every label exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from beam_jobs.annotate.building_job import BuildingJob
from beam_jobs.annotate.classes import classes
from beam_jobs.annotate.view_labels import Sights, write_view
from beam_jobs.scenes.buildings.building import building
from beam_jobs.scenes.cameras.procedural import shots
from beam_jobs.scenes.cameras.shot import Shot
from beam_jobs.scenes.render.renderer import Eye, noise


def write_views(
    job: BuildingJob, folder: Path, first: int = 0, of: int = 1
) -> tuple[list[Shot], Sights]:
    """Writes every `of`-th view of a building from the `first`-th on, and returns (all its shots,
    {point: views of other points that see it, and where}).
    """
    # cameras have a random stream of their own: the building is drawn from its number alone
    rng = np.random.default_rng([job.number, 7])
    eye = Eye(building(job.number))
    cameras = shots(eye, rng, job.views)
    sights: Sights = {}
    for i, shot in enumerate(cameras):
        if i % of != first:
            noise(rng, job.size)  # keeps the stream in step: another process takes this view
            continue
        surfaces = eye.look(shot.camera, job.size, rng)
        class_labels = classes(surfaces, eye.scene, shot.room)
        write_view(folder, surfaces, shot, class_labels, sights, cameras)
    return cameras, sights
