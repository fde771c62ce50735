"""What a run folder holds that no kept version refers to, and its removal.

Kept are the newest versions, all that the runs behind them used, and what the newest run used,
pushed or not: it is what the next run takes from the cache. TFX looks whether a cached artifact is
there, so that what is removed is made again where it is needed.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from models.provenance.seals import DAMAGED
from serving.release.push import versions, withdrawn_numbers
from tfx_pipeline.history.ledgers import TRANSFERS
from tfx_pipeline.history.metadata import DONE, RunGraph, run_graphs

SERVED = Path("serving") / "taxonomy"
# In a LossBank's calibration.json: target -> folder of the ledger that its losses come from.
LEDGERS = "ledgers"
# Below TRANSFERS, and no folders of losses: networks from scratch, and of shares of the labels.
NETWORKS = ("scratch", "shares")


@dataclass(frozen=True)
class Waste:
    """Folders and files that may go, by what they are; bytes: that the disk gets back."""

    versions: tuple[Path, ...]
    artifacts: tuple[Path, ...]
    ledgers: tuple[Path, ...]
    leftovers: tuple[Path, ...]
    bytes: int

    @property
    def paths(self) -> tuple[Path, ...]:
        return (*self.versions, *self.artifacts, *self.ledgers, *self.leftovers)


def waste_of(run: Path, keep: int) -> Waste:
    """Returns what no kept version refers to. keep: how many of the newest served versions stay, at
    least 1; versions that were withdrawn go. Raises ValueError for less than 1.
    """
    if keep < 1:
        raise ValueError(f"--keep takes 1 or more versions, got {keep}")
    served = versions(run / SERVED) if (run / SERVED).is_dir() else []
    newest = served[-keep:]
    old = [run / SERVED / str(number) for number in served if number not in newest]
    if (run / SERVED).is_dir() and withdrawn_numbers(run / SERVED):
        old += sorted((run / SERVED).glob(".withdrawn-*"))
    # the whole metadata: what older runs used is only there
    graphs = run_graphs(run)
    # and the newest run, pushed or not: the next one takes its results from the cache
    alive = [graph for graph in graphs if version_of(graph) in newest] + graphs[-1:]
    # By their names: a run folder may be reached by more than one path.
    needed = {
        Path(folder).parts[-3:]
        for graph in alive
        for each in graph.executions
        for folders in (*each.outputs.values(), *each.inputs.values())
        for folder in folders
    }
    gone = [folder for folder in artifact_folders(run) if folder.parts[-3:] not in needed]
    parts = (
        tuple(old),
        # without metadata nobody knows what is needed: nothing is removed
        tuple(gone) if graphs else (),
        tuple(stale_ledgers(run, alive)),
        tuple(leftovers(run)),
    )
    return Waste(*parts, bytes=freed_bytes([path for part in parts for path in part]))


def version_of(graph: RunGraph) -> int | None:
    name = Path(graph.pushed).name if graph.pushed else ""
    return int(name) if name.isdigit() else None


def artifact_folders(run: Path) -> list[Path]:
    """Returns every artifact of the folder, of any run: artifacts/NODE/OUTPUT/NUMBER."""
    paths = (run / "artifacts").glob("*/*/*")
    # `.system` is TFX's own
    return sorted(path for path in paths if path.name.isdigit() and path.parent.name != ".system")


def stale_ledgers(run: Path, alive: Iterable[RunGraph]) -> Iterator[Path]:
    """Yields folders of measured losses that no kept run took losses from; none while a kept run
    does not say which it took. What the newest run touched stays: it may not have come to its end.
    """
    alive = list(alive)
    ledgers: set[str] = set()
    for graph in alive:
        for each in graph.executions:
            if each.node.startswith("TrainTransfers") and each.state in DONE:
                named = ledgers_named(each.outputs.get("losses", []))
                if named is None:
                    # a kept run that does not name its ledgers may use any
                    return
                ledgers |= named
    if not ledgers:
        return
    # TFX names a run by the time at which it began
    since = datetime.datetime.fromisoformat(alive[-1].name).timestamp()
    for folder in sorted((run / TRANSFERS).iterdir()):
        is_hidden = folder.name.startswith(".")
        is_losses = folder.is_dir() and folder.name not in NETWORKS and not is_hidden
        # touched since the newest run began: that run may not have come to its end
        if is_losses and folder.name not in ledgers and folder.stat().st_mtime < since:
            yield folder


def ledgers_named(losses: Iterable[str]) -> set[str] | None:
    """Returns the ledgers that LossBanks name; None where one does not say it."""
    ledgers: set[str] = set()
    for folder in losses:
        try:
            text = (Path(folder) / "calibration.json").read_text(encoding="utf-8")
            named = json.loads(text)
            ledgers |= set(named[LEDGERS].values())
        except (OSError, ValueError, KeyError):
            return None
    return ledgers


def leftovers(run: Path) -> Iterator[Path]:
    """Yields what was set aside as damaged, and halves of files whose writer was killed: the
    folder's lock says that nobody writes now.
    """
    for place in (run / "work", run / "artifacts", run):
        pattern = "*" if place == run else "**/*"
        for path in sorted(place.glob(pattern)):
            hidden = path.name.startswith(".")
            # the lock is held: nobody is writing such a file now
            if path.name == DAMAGED or (hidden and ".partial" in path.suffixes):
                yield path


def freed_bytes(paths: Iterable[Path]) -> int:
    """Returns the bytes of files whose every link goes: ledger and artifact may share one."""
    links: Counter[tuple[int, int]] = Counter()
    states: dict[tuple[int, int], os.stat_result] = {}
    # by device and inode: links of one file are one file
    for path in paths:
        for file in files_of(path):
            state = file.lstat()
            key = (state.st_dev, state.st_ino)
            links[key] += 1
            states[key] = state
    return sum(
        # blocks of 512 bytes, as `stat` counts them; only where no other link remains
        states[key].st_blocks * 512
        for key, count in links.items()
        if count >= states[key].st_nlink
    )


def files_of(path: Path) -> Iterator[Path]:
    if path.is_dir() and not path.is_symlink():
        for folder, _, names in os.walk(path):
            yield from (Path(folder) / name for name in names)
    else:
        yield path


def waste_lines(run: Path, waste: Waste) -> Iterator[str]:
    """Yields lines on what would go."""
    for title, paths in (
        ("versions", waste.versions),
        ("artifacts", waste.artifacts),
        ("ledgers", waste.ledgers),
        ("leftovers", waste.leftovers),
    ):
        if paths:
            yield f"{len(paths)} {title}:"
            yield from (f"  {path.relative_to(run)}" for path in paths)
    yield f"{waste.bytes / 2**20:.1f} MiB"


def remove(run: Path, waste: Waste) -> None:
    """Removes the waste for good; what an interruption leaves, the same command removes then. What
    withdrawn versions answered with stays noted.
    """
    # TensorFlow, which reads the graphs, takes seconds: for withdrawn versions alone
    if any(path.name.startswith(".") for path in waste.versions):
        from serving.release.withdrawals import note_withdrawn

        for path in waste.versions:
            note_withdrawn(path)
    for path in waste.versions:
        # a server must not see half of one
        hidden = path if path.name.startswith(".") else path.with_name(f".withdrawn-{path.name}")
        if hidden != path:
            # hidden by one rename before it is emptied: a poller reads numbers alone
            os.rename(path, hidden)
        shutil.rmtree(hidden)
    # the seal first: an artifact without one is taken for whole, one that is gone is made again
    for path in waste.artifacts:
        run.joinpath("seals", *path.parts[-3:-1], f"{path.name}.json").unlink(missing_ok=True)
        shutil.rmtree(path)
    for path in (*waste.ledgers, *waste.leftovers):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
