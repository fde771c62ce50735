"""Pictures of a report: input, label, the task network's answer and the served one, for a person.

Drawn by the client's own code, so that a report and an answer to a photo look alike.
"""

import os
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, TypedDict

import numpy as np

from models.examples.label_store import LabelStore
from models.networks.predictions.pictures import assemble_tiles, cut_into_tiles, picture
from models.networks.predictions.samples import TaskAnswers, sample_answers
from models.tasks import Task
from models.tasks.arrays import Array
from models.tasks.labels.permutations import permutation_set
from serving.client.drawing import beside, enlarged, overlay, palette
from serving.client.figures import SIDE, answer_panels, curvature_panels, magnitude_panels
from serving.client.readings import likeliest

HEIGHT = 240  # pixels of a saved picture
QUALITY = 82  # of WebP, in 100
TILES = 3  # of jigsaw, in a row
CERTAIN = 20.0  # logit of a label's class: its softmax is 1 to nine digits


class Cell(TypedDict, total=False):
    """One picture of a sample in pictures.json, or the lines in its place."""

    name: str  # "input", "label", "own network" or "served"
    picture: str  # path below the report's folder
    words: List[str]


class TaskPictures(TypedDict):
    """A row of pictures.json. rows: samples, each a list of cells."""

    task: str
    note: str
    rows: List[List[Cell]]


def save_pictures(
    folder: str,
    networks: str,
    transfers: Optional[str],
    policy: Dict[str, Any],
    store: LabelStore,
    count: int = 2,
) -> List[TaskPictures]:
    """Draws `count` test samples of every task into `folder`/pictures and returns the rows of
    pictures.json.

    networks: folder of task networks. transfers: folder of the policy's transfer networks; served
    answers are left out if None. policy: a `Taxonomy.to_json`.
    """
    heads = served_heads(networks, transfers, policy, store) if transfers else None
    entries: List[TaskPictures] = []
    for answers in sample_answers(networks, store, count):
        by_policy = served_answers(heads, answers) if heads else None
        whitening = store.whitening(answers.task.name)
        rows = [
            sample_row(folder, answers, i, None if by_policy is None else by_policy[i], whitening)
            for i in range(len(answers.views))
        ]
        entries.append({"task": answers.task.name, "note": shown_unit(answers.task), "rows": rows})
    return entries


def served_heads(networks: str, transfers: str, policy: Dict[str, Any], store: LabelStore) -> Any:
    """`Heads` of the policy, over the encoders that they share."""
    from serving.bundle.heads import Heads

    return Heads.load(policy, networks, transfers, store.size, {})


def served_answers(heads: Any, answers: TaskAnswers) -> Optional[Array]:
    """Answers of the policy's head, [samples, ...]; None for a task that it does not answer."""
    name = answers.task.name
    if name not in heads.targets:
        return None
    head = heads.only(name)
    pictures = answers.views.reshape(-1, *answers.views.shape[2:]).astype("float32") / 255
    codes = head.encode(pictures, answers.task.images)
    return np.asarray(head.answers(codes, answers.task.images)[name])


def shown_unit(entry: Task) -> str:
    """Unit of what a picture or its words show; numbers are shown before whitening."""
    return entry.unit.removesuffix("whitened").rstrip(" ,;") if entry.whitened else entry.unit


def sample_row(
    folder: str,
    sample: TaskAnswers,
    number: int,
    served_answer: Optional[Array],
    whitening: Tuple[Array, Array],
) -> List[Cell]:
    """Cells of one sample: input, label, the task network's answer, the served one. served_answer:
    [S, S, C] or [K]. whitening: mean and deviation [K] that the task's numbers were whitened
    by, in the label and in both answers.
    """
    mean, deviation = whitening
    entry = sample.task
    photo = enlarged(np.ascontiguousarray(sample.views[number, 0]), SIDE)
    stem = f"pictures/{entry.name}_{number}"
    input_view = (
        np.concatenate(list(sample.views[number]), axis=1)
        if entry.images > 1
        else sample.inputs[number]
    )
    cells: List[Cell] = [
        save_cell(folder, f"{stem}_input.webp", "input", resize_to_height(input_view))
    ]
    label = sample.target[number]
    answers = [("label", label), ("own network", sample.answer[number])]
    if served_answer is not None:
        answers.append(("served", served_answer))
    for name, value in answers:
        if entry.input == "tiles":
            enlargement = resize_to_height(unshuffle(sample.inputs[number], value))
            cells.append(save_cell(folder, f"{stem}_{name.split()[0]}.webp", name, enlargement))
        elif entry.output.dense:
            enlargement = resize_to_height(beside(map_panels(entry, value, photo, label)))
            cells.append(save_cell(folder, f"{stem}_{name.split()[0]}.webp", name, enlargement))
        else:
            numbers = value * deviation + mean if entry.whitened else value
            cells.append({"name": name, "words": answer_words(entry, numbers, value is label)})
    return cells


def unshuffle(shuffled: Array, value: Array) -> Array:
    """Picture of shuffled tiles, [S, S, 3], put in order by the likeliest permutation. value:
    scores [classes] of the permutations.
    """
    order = permutation_set(len(value))[int(value.argmax())]
    return assemble_tiles(cut_into_tiles(shuffled, TILES), order)


def map_panels(entry: Task, value: Array, photo: Array, label: Array) -> Any:
    """Panels uint8 [SIDE, w, 3] of a map [S, S, C], label or answer, with legends; magnitudes are
    on the label's scale.
    """
    is_label = value is label
    if entry.output.kind == "pixels" and entry.make == "curvature":
        return curvature_panels(value, label)
    if entry.output.kind == "pixels" and entry.output.channels == 1:
        return magnitude_panels(entry, value, label)
    if entry.output.kind == "embedding" and is_label:
        ids = enlarged(value[..., 0].astype("uint8"), SIDE, False)
        return [overlay(photo, ids, palette(256))]
    if entry.output.kind == "pixel_classes" and is_label and value.shape[-1] == 1:
        classes = np.eye(entry.output.channels, dtype="float32")
        value = classes[np.clip(value[..., 0], 0, entry.output.channels - 1).astype(int)] * CERTAIN
    panels = answer_panels(entry, value, photo)
    return panels or [enlarged(picture(entry, value, is_label), SIDE, False)]


def answer_words(entry: Task, value: Array, is_label: bool) -> List[str]:
    """Lines that say an answer [K]: the likeliest three classes, or the numbers with their names,
    in the units that these state.
    """
    if entry.output.kind == "classes":
        logits = np.log(np.maximum(value, 1e-9)) if is_label else value
        return [f"{word} {share:.0%}" for word, share in likeliest(entry.name, logits, 3)]
    # zero added: a rounded -0.0 has no sign for a reader
    return [f"{word} {round(float(n), 2) + 0.0:.2f}" for word, n in zip(entry.names, value)]


def resize_to_height(pixels: Array, height: int = HEIGHT) -> Array:
    """Picture [H, W, 3] at another height, pixels, in its proportions."""
    import cv2

    width = round(pixels.shape[1] * height / pixels.shape[0])
    way = cv2.INTER_AREA if pixels.shape[0] > height else cv2.INTER_NEAREST
    return cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=way)


def save_cell(folder: str, path: str, name: str, pixels: Array) -> Cell:
    """Saves a picture, uint8 [H, W, 3], at `path` below `folder` and returns its cell."""
    from PIL import Image

    file = Path(folder) / path
    os.makedirs(file.parent, exist_ok=True)
    Image.fromarray(pixels).save(file, "WEBP", quality=QUALITY)
    return {"name": name, "picture": path}
