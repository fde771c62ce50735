"""Every transfer and control measured from stored representations, image by image, with the target
task's own loss.

Transfers learn from `config.transfer_split` (the paper: the validation buildings) and are judged on
the test buildings. Controls in the same tournament: supervised (the task network itself), scratch
(the same learner on pixels averaged to the representation's grid, with the same little data, as the
released `pixels` rows are a shallow network), average (the best constant). The random encoder is a
source as any other (random_projection).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import sys
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

import numpy as np

from models.networks.config import NetworkConfig, sources_of
from models.networks.task_networks.train import average_losses
from models.networks.transfers.calibration import calibrate
from models.networks.transfers.candidates import first_wave, second_wave
from models.networks.transfers.closed_form.maps import global_transfers, local_transfers, twins
from models.networks.transfers.ledger import TransferLedger, key_of
from models.networks.transfers.regimes import Regime, known, regimes_of
from models.tasks import TASKS

Record = Callable[[dict, list[str], np.ndarray], None]
Wanted = Mapping[str, Collection[tuple[str, ...]]]
Todo = Mapping[
    str, list[tuple[int, ...]]
]  # target -> source indices of its transfers; (number of sources,) stands for pixels
PIXELS = "pixels"
CHEAP = (
    "pixels",
    "classes",
    "vector",
)  # kinds of output that calibration takes first: the pair metric and 17 classes a pixel take several times as long
CODE = (
    "losses/block_layout",
    "transfers/closed_form/maps",
    "losses/block_losses",
    "transfers/closed_form/cholesky",
    "losses/losses",
    "transfers/closed_form/ridge",
    "transfers/regimes",
    "transfers/measure",
)
GRADIENT_CODE = (
    "architecture/pair_difference",
    "transfers/gradient/learner",
    "architecture/heads",
    "transfers/gradient/member_stack",
    "transfers/gradient/programs",
    "task_networks/train",
    "architecture/transfer_heads",
)
MEASURED = (
    "random_features",
    "output_stride",
    "ridges",
    "transfer_split",
    "seed",
    "learner",
)  # settings that every transfer depends on
TRAINED = (
    "encoder",
    "decoder_widths",
    "head_width",
    "transfer_widths",
    "transfer_rate",
    "vector_rate",
    "transfer_batch",
    "transfer_epochs",
    "regime_epochs",
)  # and those trained by gradient


def measure_transfers(
    store,
    representations,
    networks: str | Path,
    ledger: str | Path,
    config: NetworkConfig,
    *,
    record: Record,
    targets: Iterable[str],
    wanted: Wanted | None = None,
    out=sys.stderr,
) -> dict:
    """measure every transfer into `targets`; `record(transfer, sample names, losses)` is called
    once for each.

    transfer: {"sources", "target", "regime", "control"}. wanted: target -> sets of sources that are
    worth measuring; all if None, and all of a target that it does not name. Controls and the higher
    orders that follow from what was measured are always measured. What `ledger` holds is not
    measured again. Returns {"transfers", "fresh": how many of them were measured now, "seconds",
    "calibration": rows of `calibration.calibrate`, "addresses": target -> content address of what
    was measured}.
    """
    since, asked = time.time(), list(targets)
    targets = [name for name in asked if store.has(name)]
    if len(targets) < len(asked):
        print(
            "  left out, since not every split holds labels of them: "
            f"{', '.join(name for name in asked if name not in targets)}",
            file=out,
            flush=True,
        )
    bench = Bench(store, representations, networks, ledger, config, targets, wanted, out)
    if lacking := [
        amount
        for amount in config.regimes
        if str(amount) not in {regime.name for regime in bench.regimes}
    ]:
        print(
            f"  not measured with {lacking} images apart: the {config.transfer_split} split "
            "holds no more than that",
            file=out,
            flush=True,
        )
    rows: dict[str, list] = {name: [] for name in targets}
    for regime in bench.regimes:
        taught = [
            name for name in targets if not regime.name or bench.teaches(regime, name)
        ]  # that which decides lacks labels: an error, not a gap
        if len(taught) < len(targets):
            print(
                f"  left out with {regime.name} images, of which fewer than 2 are labelled: "
                f"{', '.join(sorted({*targets} - {*taught}))}",
                file=out,
                flush=True,
            )
        first = first_wave(len(bench.sources), regime.order, config.higher_orders)
        todo = {
            name: [
                *(subset for subset in first if bench.wants(name, subset)),
                (len(bench.sources),),
            ]
            for name in taught
        }
        bench.measure(todo, regime)
        more = {
            name: second_wave(
                bench.ranked(name, todo[name], regime), regime.order, config.higher_orders
            )
            for name in taught
        }
        bench.measure(more, regime)
        for name in taught:
            rows[name] += [(subset, regime) for subset in (*todo[name], *more[name])]
    count = 0
    for name in targets:
        names = store.sample_names(name, "test")
        for subset, regime in rows[name]:
            scratch = subset == (len(bench.sources),)
            facts = {
                "sources": [] if scratch else list(bench.names(subset)),
                "target": name,
                "regime": regime.name,
                "control": "scratch" if scratch else None,
            }
            record(facts, names, bench.losses(name, subset, regime))
            count += not scratch
        for control, losses in bench.controls(name).items():
            record({"sources": [], "target": name, "regime": "", "control": control}, names, losses)
    print(
        f"  {count} transfers into {len(targets)} targets ({count - bench.fresh} from the "
        f"ledger): {time.time() - since:.1f} s",
        file=out,
        flush=True,
    )
    seconds = time.time() - since
    sample = (
        []
        if config.learner == "gradient"
        else calibration_sample(
            unlike(targets, store, config.transfer_split), config.calibration_targets
        )
    )
    rate = (
        seconds / bench.fresh if bench.fresh else None
    )  # none where all losses came from the ledger
    return {
        "transfers": count,
        "fresh": bench.fresh,
        "seconds": seconds,
        "calibration": [calibrated(bench, name, rate) for name in sample],
        "addresses": {name: bench.address(name, rows[name]) for name in targets},
    }


class Bench:
    """What all targets share: the sources, the regimes, the ledgers, and which transfers are
    wanted.
    """

    def __init__(
        self,
        store,
        representations,
        networks,
        ledger,
        config: NetworkConfig,
        targets=(),
        wanted: Wanted | None = None,
        out=sys.stderr,
    ) -> None:
        self.store, self.representations, self.networks, self.config, self.out = (
            store,
            representations,
            Path(networks),
            config,
            out,
        )
        self.wanted = {
            name: {tuple(sorted(sources)) for sources in sets}
            for name, sets in (wanted or {}).items()
        }
        self.sources, self.regimes = representations.sources, regimes_of(store, config)
        self.grid = representations.read(self.sources[0], "test").shape[1]
        self.ledgers = {
            name: TransferLedger(Path(ledger) / f"{name}-{settings_address(store, config)}")
            for name in targets
        }
        self.fresh, self.kernels, self.made = 0, {}, None

    @property
    def programs(self):
        """what the gradient learner compiled, kept from target to target."""
        if self.made is None:
            from models.networks.transfers.gradient.programs import StackPrograms

            self.made = StackPrograms(self.config, self.store.size)
        return self.made

    def maps(self, index: int, split: str) -> np.ndarray:
        """standardised representation of source `index`; one past the last is raw pixels, averaged
        to the grid.
        """
        if index < len(self.sources):
            return np.asarray(self.representations.read(self.sources[index], split), "float32")
        return pixel_map(self.store.images(split), self.grid)

    def names(self, subset: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(self.sources[i] for i in subset)

    def wants(self, target: str, subset: tuple[int, ...]) -> bool:
        """is this transfer to be measured?"""
        return target not in self.wanted or tuple(sorted(self.names(subset))) in self.wanted[target]

    def teaches(self, regime: Regime, target: str) -> bool:
        """do two samples of a regime or more have a label of the target that is not masked?"""
        data = self.store.samples(target, self.config.transfer_split)
        return len(known(data, regime.samples(data, self.config.seed))) > 1

    def key(self, subset: tuple[int, ...], regime: Regime) -> str:
        """of a row in the ledger: the sources' networks and the amount of data."""
        amount = json.dumps([len(regime.views), regime.limit])
        if subset == (len(self.sources),):
            return key_of([(PIXELS, str(self.grid))], regime.name, amount, control="scratch")
        return key_of(
            [
                (name, self.representations.facts["sources"][name]["address"])
                for name in self.names(subset)
            ],
            regime.name,
            amount,
        )

    def losses(self, target: str, subset: tuple[int, ...], regime: Regime) -> np.ndarray:
        return self.ledgers[target][self.key(subset, regime)]

    def keep(self, target: str, rows: Mapping[tuple[int, ...], np.ndarray], regime: Regime) -> None:
        """add what was measured to the ledger."""
        self.ledgers[target].extend(
            {self.key(subset, regime): losses for subset, losses in rows.items()}
        )
        self.fresh += sum(subset != (len(self.sources),) for subset in rows)

    def ranked(self, target: str, subsets: list[tuple[int, ...]], regime: Regime) -> list[int]:
        """sources by the mean loss of their first-order transfer, best first."""
        singles = [
            subset for subset in subsets if len(subset) == 1 and subset[0] < len(self.sources)
        ]
        return [
            subset[0]
            for subset in sorted(
                singles, key=lambda subset: float(self.losses(target, subset, regime).mean())
            )
        ]

    def measure(self, todo: Todo, regime: Regime) -> None:
        """measure what the ledger lacks, with the learner of the configuration."""
        lacking = {
            name: [
                subset for subset in subsets if self.key(subset, regime) not in self.ledgers[name]
            ]
            for name, subsets in todo.items()
        }
        lacking = {name: subsets for name, subsets in lacking.items() if subsets}
        if self.config.learner == "gradient":
            from models.networks.transfers.gradient.learner import gradient_transfers

            for name, subsets in lacking.items():
                gradient_transfers(self, regime, name, subsets)
            return
        maps = {name: subsets for name, subsets in lacking.items() if TASKS[name].output.dense}
        local_transfers(self, regime, maps)
        global_transfers(
            self, regime, {name: subsets for name, subsets in lacking.items() if name not in maps}
        )

    def controls(self, name: str) -> dict[str, np.ndarray]:
        """the supervised network's and the average's losses on the same test samples."""
        return {
            "supervised": np.load(self.networks / name / "test_losses.npy"),
            "average": average_losses(TASKS[name], self.store),
        }

    def address(self, name: str, rows: list) -> str:
        """of everything that is recorded about one target."""
        own = json.loads((self.networks / name / "network.json").read_text())["address"]
        content = json.dumps(
            [
                own,
                self.ledgers[name].folder.name,
                sorted(self.key(subset, regime) for subset, regime in rows),
            ]
        )
        return f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def settings_address(store, config: NetworkConfig) -> str:
    """what all transfers into a target depend on beside their sources, 8 hex digits."""
    fields = MEASURED + (TRAINED if config.learner == "gradient" else ())
    code = sources_of(*CODE, *(GRADIENT_CODE if config.learner == "gradient" else ()))
    content = json.dumps(
        [store.hash, {name: getattr(config, name) for name in fields}, code], sort_keys=True
    )
    return f"{zlib.crc32(content.encode()):08x}"


def pixel_map(images: np.ndarray, grid: int) -> np.ndarray:
    """uint8 [n, S, S, 3] -> [n, grid, grid, 12]: each cell's four quarters' mean colours, about
    unit variance.
    """
    n, side = images.shape[:2]
    half = side // (2 * grid)
    quarters = (
        images.reshape(n, grid, 2, half, grid, 2, half, 3)
        .astype("float32")
        .mean((3, 6))
        .transpose(0, 1, 3, 2, 4, 5)
    )
    return (quarters.reshape(n, grid, grid, 12) - 127.5) / 64


def unlike(targets: list[str], store, split: str) -> list[str]:
    """targets of which no two ask the same of a code: the second would only repeat the first."""
    return list(dict.fromkeys(twins(store, targets, split).values()))


def calibration_sample(targets: list[str], count: int) -> list[str]:
    """`count` of the targets: pixels, classes and vectors in turn, then the kinds that cost most to
    train.
    """
    kinds: dict[str, list[str]] = {kind: [] for kind in CHEAP}
    for name in targets:
        kinds.setdefault(TASKS[name].output.kind, []).append(name)
    dealt = [
        name
        for turn in itertools.zip_longest(*(kinds.pop(kind) for kind in CHEAP))
        for name in turn
        if name is not None
    ]
    return [*dealt, *itertools.chain(*kinds.values())][:count]


def calibrated(bench: Bench, name: str, rate: float | None) -> dict:
    """the calibration row of one target, in the largest regime, kept beside the target's losses in
    the ledger. rate: seconds a transfer in closed form.
    """
    regime, config = bench.regimes[-1], bench.config
    singles = [
        (index,)
        for index in range(len(bench.sources))
        if bench.key((index,), regime) in bench.ledgers[name]
    ]
    keys = [bench.key(subset, regime) for subset in singles]
    fields = [
        getattr(config, field) for field in (*TRAINED, "calibration_sources", "calibration_epochs")
    ]
    settings = json.dumps([keys, fields, sources_of("transfers/calibration", *GRADIENT_CODE)])
    path = bench.ledgers[name].folder / f"calibration-{zlib.crc32(settings.encode()):08x}.json"
    if not path.exists():
        closed = {bench.names(subset): bench.losses(name, subset, regime) for subset in singles}
        row = calibrate(
            bench.store,
            bench.maps,
            bench.sources,
            name,
            closed,
            config,
            out=bench.out,
            programs=bench.programs,
        ) | {"closed_seconds_a_transfer": rate}
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        scratch.write_text(json.dumps(row))
        os.replace(scratch, path)
    return json.loads(path.read_text())


def train_transfer(
    sources: tuple[str, ...],
    target: str,
    store,
    representations,
    networks: str | Path,
    folder: str | Path,
    config: NetworkConfig,
    programs=None,
) -> Path:
    """the network of one edge, written for `load_transfer_network`; a complete one is kept.
    programs: `StackPrograms` that several edges share.
    """
    from models.networks.transfers.edge import write_transfer

    bench = Bench(store, representations, networks, "", config)
    bench.made = programs
    subset = tuple(bench.sources.index(source) for source in sources)
    fields = {name: getattr(config, name) for name in (*TRAINED, "edge_epochs")}
    content = json.dumps(
        [
            settings_address(store, config),
            bench.key(subset, bench.regimes[-1]),
            fields,
            sources_of("transfers/edge", *GRADIENT_CODE),
        ]
    )
    address, described = (
        hashlib.sha256(content.encode()).hexdigest()[:16],
        Path(folder) / "transfer.json",
    )
    if described.exists() and json.loads(described.read_text())["address"] == address:
        return Path(folder)
    return write_transfer(bench, subset, target, Path(folder), address)
