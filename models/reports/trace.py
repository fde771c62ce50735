"""The page of a served version: from every answer back to networks, labels, views, data
and code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.reports import embedded, words
from models.reports.drawing import drawn

# Number of line colours in the style; each network takes one.
COLOURS = 4
# Height of a row, top margin and width of the picture, in pixels.
ROW, TOP, WIDTH = 28, 40, 1132
# Left edges and widths of its columns: answers, networks, labels, and what all of them share.
COLUMNS = {"answer": (0, 262), "network": (340, 346), "label": (742, 178), "data": (972, 158)}


@dataclass(frozen=True)
class Answer:
    """One target of a version. way: "supervised", "transfer" or "scratch". sources: tasks whose
    networks the answer is read from. address: of its head. quality, gain: in [0, 1], None if not
    measured. labels: address of the labels that the head learned from.
    """

    target: str
    way: str
    sources: tuple[str, ...]
    address: str
    learner: str
    quality: float | None
    gain: float | None
    labels: str

    @property
    def networks(self) -> tuple[str, ...]:
        """The names of the networks that the answer is read from."""
        if self.way == "scratch":
            return (f"{self.target} from scratch",)
        return self.sources or (self.target,)


@dataclass(frozen=True)
class Network:
    """One network of a version. name: its task, followed by `from scratch` if only the data of
    transfers taught it. labels: their address. samples: split -> number of samples.
    """

    name: str
    task: str
    address: str
    record: Mapping[str, Any]
    labels: str
    samples: Mapping[str, int]


@dataclass(frozen=True)
class Trace:
    """Everything that is known about a version. state: serves, older or withdrawn. bundle: folder,
    digest of its manifest, bytes. data: place, hash, views, buildings, what ingest left out. code:
    node -> digest. artifacts: (NODE/OUTPUT, folder, whether it still exists). unknown: what is no
    longer known.
    """

    version: int
    state: str
    pushed: str
    bundle: Mapping[str, Any]
    answers: Sequence[Answer]
    networks: Sequence[Network]
    data: Mapping[str, Any]
    code: Mapping[str, str]
    config: Mapping[str, Any]
    artifacts: Sequence[tuple[str, str, bool]]
    verdicts: Sequence[Mapping[str, Any]] = ()
    unknown: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True)
class Box:
    """A box in the picture. key: what it stands for. colour: number of the style's line colour.
    answers: those that lead to it.
    """

    key: str
    kind: str
    left: int
    middle: int
    width: int
    title: str
    text: str
    colour: int
    answers: tuple[str, ...]

    @property
    def right(self) -> int:
        return self.left + self.width


@dataclass(frozen=True)
class Line:
    """A line from one box to the next one further back. answers: those that lead along it."""

    path: str
    colour: int
    answers: tuple[str, ...]


def render_trace(trace: Trace) -> str:
    """Returns the page as text; it loads nothing from elsewhere."""
    boxes = placed(trace)
    return drawn(
        "trace.html",
        trace=trace,
        boxes=boxes,
        lines=connected(trace, boxes),
        heads=[(COLUMNS[name][0], heading) for name, heading in HEADS.items()],
        width=WIDTH,
        height=TOP + ROW * max(len(trace.answers), len(trace.networks)) + 8,
        row=ROW,
        style=embedded.style(),
    )


HEADS = {
    "answer": "Answer, and its quality",
    "network": "Network it is read from",
    "label": "What taught the network",
    "data": "Views",
}


def placed(trace: Trace) -> dict[str, Box]:
    """Returns every box by its kind and key, with columns filled evenly from top to bottom."""
    height = ROW * max(len(trace.answers), len(trace.networks))
    colours = {network.name: i % COLOURS for i, network in enumerate(trace.networks)}
    boxes = []
    for i, answer in enumerate(trace.answers):
        place = middle(i, len(trace.answers), height)
        quality = "" if answer.quality is None else words.share(answer.quality)
        colour = colours.get(answer.networks[0], 0)
        title = words.title(answer.target)
        boxes.append(box("answer", answer.target, place, title, quality, colour, (answer.target,)))
    for i, network in enumerate(trace.networks):
        place = middle(i, len(trace.networks), height)
        name, colour, answers = network.name, colours[network.name], users(trace, network)
        title = words.title(network.task) + name.removeprefix(network.task).replace(" ", ", ", 1)
        address = network.address[:8]
        boxes.append(box("network", name, place, title, address, colour, answers))
        samples = f"{network.samples.get('train', '?')} samples" if network.labels else "no labels"
        boxes.append(box("label", name, place, samples, network.labels[:8], colour, answers))
    views, digest = f"{trace.data.get('count', '?')} views", str(trace.data.get("hash", "?"))[:8]
    everyone = tuple(answer.target for answer in trace.answers)
    boxes.append(box("data", "data", TOP + height // 2, views, digest, 0, everyone))
    return {f"{each.kind} {each.key}": each for each in boxes}


def users(trace: Trace, network: Network) -> tuple[str, ...]:
    """Returns the answers that are read from a network."""
    return tuple(answer.target for answer in trace.answers if network.name in answer.networks)


def box(
    kind: str, key: str, place: int, title: str, text: str, colour: int, answers: tuple[str, ...]
) -> Box:
    left, width = COLUMNS[kind]
    return Box(key, kind, left, place, width, title, text, colour, answers)


def middle(number: int, count: int, height: int) -> int:
    """Returns the vertical position of row `number` in a column of `count` rows."""
    return TOP + round(height * (number + 0.5) / count)


def connected(trace: Trace, boxes: Mapping[str, Box]) -> list[Line]:
    """Returns the lines from answers to networks, from these to their labels, and from these to the
    views.
    """
    lines = []
    for network in trace.networks:
        end = boxes[f"network {network.name}"]
        for target in end.answers:
            lines.append(Line(curve(boxes[f"answer {target}"], end), end.colour, (target,)))
        label = boxes[f"label {network.name}"]
        lines.append(Line(curve(end, label), end.colour, end.answers))
        lines.append(Line(curve(label, boxes["data data"]), end.colour, end.answers))
    return lines


def curve(start: Box, end: Box) -> str:
    """Returns the SVG path of a curve from one box to another."""
    half = (start.right + end.left) // 2
    bend = f"C{half} {start.middle} {half} {end.middle} {end.left} {end.middle}"
    return f"M{start.right} {start.middle}{bend}"
