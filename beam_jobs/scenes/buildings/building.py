"""A seeded building: three to five rooms in a grid that share walls, with doorways, windows, lamps,
and furniture by kind of room.
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.buildings.materials import Kit
from beam_jobs.scenes.buildings.plan import WALL, Plan, doorways
from beam_jobs.scenes.buildings.rooms import FURNISH, fill
from beam_jobs.scenes.buildings.scene import Builder, Room, Scene
from beam_jobs.scenes.buildings.shell import ceiling_lights, shell
from beam_jobs.scenes.buildings.windows import windows

KINDS = ("living_room", "bedroom", "kitchen", "dining_room", "home_office", "bathroom")


def building(seed: int) -> Scene:
    """the same scene for the same seed."""
    builder = Builder(np.random.default_rng(seed))
    kit = Kit(builder)
    for plan in plans(builder.rng):
        windows(kit, plan)
        shell(kit, plan)
        ceiling_lights(kit, plan)
        FURNISH[plan.kind](kit, plan)
        fill(kit, plan)
        builder.rooms.append(
            Room(plan.kind, (plan.x0, plan.y0, 0.0), (plan.x1, plan.y1, plan.height))
        )
    return builder.finished()


def plans(rng: np.random.Generator) -> list[Plan]:
    """rooms of different kinds in two columns, their doorways cut. A bathroom is the smallest, a
    living room the largest.
    """
    height = rng.uniform(2.4, 3.1)
    count = int(rng.integers(3, 5))
    columns = 2
    widths = rng.permutation([rng.uniform(4.6, 7.4), rng.uniform(3.3, 5.6)])
    depths = rng.permutation([rng.uniform(4.4, 7.0), rng.uniform(3.1, 5.2)])
    areas = [widths[i % columns] * depths[i // columns] for i in range(count)]
    by_size = sorted(
        rng.permutation(KINDS)[:count],
        key=lambda kind: (kind == "living_room") - (kind == "bathroom"),
    )
    made = []
    for i, place in enumerate(np.argsort(np.argsort(areas))):
        kind = by_size[place]
        column = i % columns
        row = i // columns
        x, y = widths[:column].sum() + WALL * column, depths[:row].sum() + WALL * row
        made.append(Plan(str(kind), x, y, x + widths[column], y + depths[row], height))
    doorways(made, columns, rng)
    return made
