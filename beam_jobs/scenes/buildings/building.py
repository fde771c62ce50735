"""Makes a seeded building: three or four rooms in a grid that share walls, with doorways, windows,
lamps, and furniture by kind of room.
"""

from __future__ import annotations

import numpy as np

from beam_jobs.scenes.buildings.materials import Kit
from beam_jobs.scenes.buildings.plan import WALL, Plan, doorways
from beam_jobs.scenes.buildings.rooms import ROOMS, furnish
from beam_jobs.scenes.buildings.scene import Builder, Room, Scene
from beam_jobs.scenes.buildings.shell import ceiling_lights, shell
from beam_jobs.scenes.buildings.windows import windows

KINDS = tuple(ROOMS)


def building(seed: int) -> Scene:
    """Returns the building of this seed as a scene, the same one for the same seed."""
    builder = Builder(np.random.default_rng(seed))
    kit = Kit(builder)
    for plan in plans(builder.rng):
        # openings first: the shell is built around them
        windows(kit, plan)
        shell(kit, plan)
        ceiling_lights(kit, plan)
        furnish(kit, plan)
        low = (plan.x0, plan.y0, 0.0)
        high = (plan.x1, plan.y1, plan.height)
        builder.rooms.append(Room(plan.kind, low, high))
    return builder.finished()


def plans(rng: np.random.Generator) -> list[Plan]:
    """Returns rooms of different kinds in two columns, with their doorways cut. The kinds are
    sorted by size, so that the smallest room is a bathroom or a store rather than a living room.
    """
    columns = 2
    height = rng.uniform(2.4, 3.0)
    count = int(rng.integers(3, 5))
    widths = rng.permutation([rng.uniform(5.4, 8.0), rng.uniform(3.8, 6.0)])
    depths = rng.permutation([rng.uniform(5.2, 7.6), rng.uniform(3.6, 5.6)])
    areas = [widths[i % columns] * depths[i // columns] for i in range(count)]
    likely = np.array([kind.likely for kind in ROOMS.values()])
    sample = rng.choice(KINDS, count, replace=False, p=likely / likely.sum())
    kinds = sorted(sample, key=lambda kind: ROOMS[str(kind)].size)
    rooms = []
    # sorting the order again gives ranks: the smallest room gets the first of the sorted kinds
    for i, rank in enumerate(np.argsort(np.argsort(areas))):
        column = i % columns
        row = i // columns
        x = widths[:column].sum() + WALL * column
        y = depths[:row].sum() + WALL * row
        rooms.append(Plan(str(kinds[rank]), x, y, x + widths[column], y + depths[row], height))
    doorways(rooms, columns, rng)
    return rooms
