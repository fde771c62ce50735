"""Makes a data set in the published layout from procedural buildings: every label of every view, exact.

A building that is complete (its `building.json` names the same parameters) is kept, so a killed run resumes and a second run is instant.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

# Version of the generator: raise it when the same seed gives other pixels.
GENERATOR = 2
# ImageNet indices and Places365 indices of what the generator can build.
OBJECTS = {
    "bottle": 898,
    "chair": 559,
    "couch": 831,
    "potted plant": 738,
    "bed": 564,
    "dining table": 532,
    "toilet": 861,
    "tv": 851,
    "microwave": 651,
    "oven": 827,
    "toaster": 859,
    "sink": 896,
    "refrigerator": 760,
    "book": 921,
    "clock": 892,
    "vase": 883,
    "bookcase": 453,
    "cabinet": 495,
    "wardrobe": 894,
    "desk": 526,
    "bathtub": 435,
    "curtain": 905,
    "lamp": 846,
    "window": 904,
    "bowl": 659,
    "coffee table": 736,
}
PLACES = {"living_room": 215, "bedroom": 52, "kitchen": 203, "dining_room": 121, "home_office": 176, "bathroom": 45}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--buildings", type=int, default=12)
    parser.add_argument("--views", type=int, default=40, help="views a building (whole points, so slightly more)")
    parser.add_argument("--size", type=int, default=128, help="side of the images in pixels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)


def run(options: argparse.Namespace) -> int:
    made = annotate_buildings(options.out, buildings=options.buildings, views=options.views, size=options.size, seed=options.seed, processes=options.processes)
    print(f"data set: {made['buildings']} buildings, {made['views']} views with all labels in {options.out}", file=sys.stderr)
    return 0


def annotate_buildings(root: Path, *, buildings: int, views: int, size: int, seed: int, processes: int = 1) -> dict:
    """write `buildings` procedural buildings below `root`; {"buildings", "views"} that are there at the end.

    views: a building, at least 3. size: at least 32 pixels. Raises ValueError for numbers that make no data set, OSError if `root` cannot be written.
    """
    from tqdm import tqdm

    if buildings < 3 or views < 3 or size < 32:
        raise ValueError(f"a data set needs at least 3 buildings (one a split), 3 views each and 32 pixels; got {buildings}, {views}, {size}")
    root.mkdir(parents=True, exist_ok=True)
    wanted = [(root, building_number(seed, i), views, size) for i in range(buildings)]
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    missing = [job for job in wanted if not complete(*job)]
    if missing:
        with (
            multiprocessing.get_context("spawn").Pool(min(processes, len(missing)), initializer=single_threaded) as pool,
            tqdm(total=len(missing) * views, desc="views", unit="view", file=sys.stderr) as bar,
        ):
            for made in pool.imap_unordered(annotate_building, missing):
                bar.total += made - views
                bar.update(made)
    counts = [json.loads((building_folder(root, number) / "building.json").read_text())["views"] for _, number, _, _ in wanted]
    splits = write_splits(root, [building_name(number) for _, number, _, _ in wanted])
    describe(root, splits, counts, wanted)
    return {"buildings": buildings, "views": sum(counts)}


def single_threaded() -> None:
    """a process a core: threads inside libraries would only fight. (BLAS reads its variables when numpy is first imported: the parent sets them.)"""
    import cv2

    cv2.setNumThreads(1)


def building_number(seed: int, i: int) -> int:
    """the seed of the i-th building of a data set: one for one, so that no two data sets of seeds below 100,000 share a building."""
    return seed * 1000 + i % 1000 + i // 1000 * 10**8


def building_name(number: int) -> str:
    return f"procedural{number:05d}"


def building_folder(root: Path, number: int) -> Path:
    return root / building_name(number)


def parameters(number: int, views: int, size: int) -> dict:
    return {"generator": GENERATOR, "seed": number, "asked": views, "size": size}


def complete(root: Path, number: int, views: int, size: int) -> bool:
    """is the building there, made with the same parameters?"""
    described = building_folder(root, number) / "building.json"
    if not described.exists():
        return False
    return {key: value for key, value in json.loads(described.read_text()).items() if key != "views"} == parameters(number, views, size)


def annotate_building(job: tuple[Path, int, int, int]) -> int:
    """one building into a hidden folder that is renamed when complete; the number of its views."""
    from beam_jobs.scenes.building import building
    from beam_jobs.scenes.cameras import shots
    from beam_jobs.scenes.renderer import Eye

    root, number, views, size = job
    rng = np.random.default_rng([number, 7])
    eye = Eye(building(number))
    scratch = Path(tempfile.mkdtemp(prefix=f".{building_name(number)}.", dir=root))  # of this run alone: another may work beside it
    scratch.chmod(0o755)
    taken = shots(eye, rng, views)
    sights: dict[int, list] = {}
    for shot in taken:
        write_view(scratch, eye, shot, size, rng, sights, taken)
    write_matches(scratch, sights, taken)
    (scratch / "building.json").write_text(json.dumps({**parameters(number, views, size), "views": len(taken)}))
    publish(scratch, *job)
    return len(taken)


def publish(scratch: Path, root: Path, number: int, views: int, size: int) -> None:
    """move a finished building into place; where another run was first with the same one, keep that."""
    folder = building_folder(root, number)
    for _ in range(10):
        if complete(root, number, views, size):
            return shutil.rmtree(scratch)
        if folder.exists():
            stale = Path(tempfile.mkdtemp(prefix=f".{building_name(number)}.stale.", dir=root))
            with contextlib.suppress(OSError):  # the other run moved it first
                os.replace(folder, stale)
            shutil.rmtree(stale, ignore_errors=True)
        try:
            return os.replace(scratch, folder)
        except OSError:  # another run put its own there meanwhile: look again
            continue
    raise OSError(f"{folder} is replaced by another run again and again; give each run with other parameters its own --out")


def write_view(folder: Path, eye, shot, size: int, rng, sights: dict, taken: list) -> None:
    """all label files of one view; sights collects which other points the view sees, for nonfixated_matches."""
    from models.examples.published import file_name, write_label
    from models.tasks import DOMAINS
    from models.tasks.labels.cameras import point_info

    surfaces = eye.look(shot.camera, size, rng)
    labels = pixel_labels(surfaces, shot.camera, eye.scene)
    others = visible_points(surfaces, shot, taken)
    for point, pixel in others.items():
        sights.setdefault(point, []).append((shot, pixel))
    labels["point_info"] = point_info(
        shot.camera, normal=shot.normal, point=shot.point, view=shot.view, room=str(shot.room), others=sorted(others), resolution=size
    )
    labels["class_object"], labels["class_scene"] = object_logits(surfaces, eye.scene), scene_probabilities(eye.scene.rooms[shot.room].kind)
    for name, value in labels.items():
        write_label(folder / name / file_name(DOMAINS[name], shot.point, shot.view), value, DOMAINS[name])


def pixel_labels(surfaces, camera, scene) -> dict[str, np.ndarray]:
    """the published encodings of one view's maps."""
    from models.tasks.labels import edges, keypoints, segments
    from models.tasks.labels import surfaces as codes

    seen = np.isfinite(surfaces.depth)
    depth = codes.depth_codes(surfaces.depth)
    normal, edge = codes.normal_codes(surfaces.normal, seen), edges.edge_occlusion(depth)
    semantic = np.where(surfaces.instance >= 0, scene.semantic[np.maximum(surfaces.instance, 0)], 0).astype("uint8")
    return {
        "rgb": surfaces.rgb,
        "depth_zbuffer": depth,
        "depth_euclidean": codes.depth_codes(surfaces.distance),
        "normal": normal,
        "principal_curvature": codes.curvature_codes(surfaces.curvature, seen),
        "reshading": codes.reshading(surfaces.facing, surfaces.distance),
        "edge_occlusion": edge,
        "edge_texture": edges.edge_texture(surfaces.rgb),
        "keypoints2d": keypoints.keypoints2d(surfaces.rgb),
        "keypoints3d": keypoints.keypoints3d(surfaces.depth, surfaces.normal, camera.field_of_view),
        "segment_unsup2d": segments.segment_unsup2d(surfaces.rgb),
        "segment_unsup25d": segments.segment_unsup25d(depth, normal, edge),
        "segment_semantic": semantic,
    }


def object_logits(surfaces, scene) -> np.ndarray:
    """[1000] logits: log of each visible object's share of the pixels, floored at 1e-4; a view without any such object is near uniform."""
    share = np.full(1000, 1e-4)
    instances, counts = np.unique(surfaces.instance[surfaces.instance >= 0], return_counts=True)
    for instance, count in zip(instances, counts):
        if scene.names[instance] in OBJECTS:
            share[OBJECTS[scene.names[instance]]] += count / surfaces.instance.size
    return np.log(share).astype("float32")


def scene_probabilities(kind: str) -> np.ndarray:
    """[365] probabilities: 0.9 on the room's kind, the rest spread evenly, as a confident classifier would answer."""
    value = np.full(365, 0.1 / 364, "float32")
    value[PLACES[kind]] = 0.9
    return value


def visible_points(surfaces, shot, taken: list) -> dict[int, tuple[float, float]]:
    """other fixated points that this view sees (line of sight by its own distance map) -> their pixel, at 512 pixels as published."""
    size, found = surfaces.depth.shape[0], {}
    focal = size / 2 / np.tan(shot.camera.field_of_view / 2)
    for other in taken:
        if other.point == shot.point or other.point in found:
            continue
        x, y, z = shot.camera.rotation.T @ (other.camera.point - shot.camera.location)
        column, row = size / 2 + focal * x / -z if z < 0 else -1, size / 2 - focal * y / -z if z < 0 else -1
        if z < 0 and 0 <= column < size and 0 <= row < size:
            far = np.linalg.norm(other.camera.point - shot.camera.location)
            if abs(surfaces.distance[int(row), int(column)] - far) < 0.03 * far:
                found[other.point] = (column * 512 / size, row * 512 / size)
    return found


def write_matches(folder: Path, sights: dict, taken: list) -> None:
    """nonfixated_matches: for every point the views of other points that see it."""
    from models.examples.published import file_name, write_label
    from models.tasks import DOMAINS

    domain = DOMAINS["nonfixated_matches"]
    for point, seen in sights.items():
        place = next(shot.camera.point for shot in taken if shot.point == point)
        views = [
            {"camera_uuid": "", "point_uuid": str(shot.point), "view_id": shot.view, "nonfixated_pixel_x": pixel[0], "nonfixated_pixel_y": pixel[1]}
            for shot, pixel in seen
        ]
        write_label(
            folder / domain.folder / file_name(domain, point, "all"), {"point_uuid": str(point), "point_location": place.tolist(), "views": views}, domain
        )


def write_splits(root: Path, names: list[str]) -> dict[str, str]:
    """splits.csv in the published form (one-hot rows): a quarter of the buildings validates (transfers learn there), a quarter tests."""
    held = max(1, len(names) // 4)
    splits = {name: "val" if i < held else "test" if i < 2 * held else "train" for i, name in enumerate(names)}
    rows = ["id,train,val,test"] + [",".join([name, *(str(int(split == column)) for column in ("train", "val", "test"))]) for name, split in splits.items()]
    replace_if_changed(root / "splits.csv", "\n".join(rows) + "\n")
    return splits


def replace_if_changed(path: Path, text: str) -> None:
    """write atomically, and only what differs: times of change are part of the pipeline's cache key."""
    if not path.exists() or path.read_text() != text:
        scratch = path.with_name(f".{path.name}")
        scratch.write_text(text)
        os.replace(scratch, path)


def describe(root: Path, splits: dict[str, str], counts: list[int], jobs: list) -> None:
    """dataset.json: what was made, and how."""
    text = json.dumps(
        {
            "name": "procedural",
            "depth_units_per_metre": 512,
            "absent": [],
            "splits": splits,
            "views": sum(counts),
            "parameters": [parameters(number, views, size) for _, number, views, size in jobs],
        },
        indent=1,
    )
    replace_if_changed(root / "dataset.json", text)
