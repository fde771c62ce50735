"""python -m serving serve | ask | console | validate | sign | push | rollback | sbom | audit.
The flags of `serve` are spelled as TensorFlow Serving's, with underscores; other options have
hyphens.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from models.arguments.command import BAD_INPUT, UserError, run_command
from models.arguments.exact import ExactParser
from models.arguments.help import DefaultsParser
from models.arguments.numbers import count, natural, positive
from models.arguments.places import named_path

# flags alone: everything else is imported by the command that needs it, since TensorFlow takes
# seconds
from serving.server.flags import add_flags

# command -> what it leaves behind when it is interrupted; the others leave nothing
LEFT = {"ask": "answers that were written stay"}
LOCK = Path(__file__).resolve().parents[1] / "requirements.txt"

Subcommands: TypeAlias = "argparse._SubParsersAction[DefaultsParser]"


def parser() -> argparse.ArgumentParser:
    top = ExactParser(
        prog="python -m serving",
        description="Serve a taxonomy and ask it.",
        epilog="example: python -m serving ask --server 127.0.0.1:8500 --image room.png --task "
        "normal,depth_zbuffer --out answers",
    )
    commands = top.add_subparsers(dest="command", required=True, parser_class=DefaultsParser)
    for add in (
        add_serve,
        add_ask,
        add_console,
        add_validate,
        add_push,
        add_sign,
        add_rollback,
        add_sbom,
        add_audit,
    ):
        add(commands)
    return top


def add_verb(commands: Subcommands, name: str, text: str, example: str) -> argparse.ArgumentParser:
    """Adds a verb and returns its parser. text: what it does; example: its words after the name."""
    return commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=f"example: python -m serving {name} {example}",
    )


def add_renamed(
    command: argparse.ArgumentParser, option: str, former: str, **settings: Any
) -> None:
    """Adds an option, and its former spelling, which goes on to work and is in no help text."""
    name = option.removeprefix("--").replace("-", "_")
    command.add_argument(option, **settings)
    hidden = {"help": argparse.SUPPRESS, "default": argparse.SUPPRESS}
    command.add_argument(former, dest=name, **{**settings, **hidden})


def add_server(command: argparse.ArgumentParser) -> None:
    """Adds the options of a client: server, model, deadline."""
    command.add_argument(
        "--server", default="127.0.0.1:8500", metavar="HOST:PORT", help="gRPC door of the server"
    )
    add_renamed(
        command, "--model-name", "--model_name", default="taxonomy", help="as the server calls it"
    )
    command.add_argument(
        "--deadline",
        type=positive,
        default=30.0,
        help="seconds a request may take, repeats included",
    )


def add_bundle(command: argparse.ArgumentParser) -> None:
    command.add_argument("bundle", type=named_path, help="the folder of one version")


def add_destination(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "destination", type=named_path, help="the served folder, which holds a folder a version"
    )


def add_serve(commands: Subcommands) -> None:
    add_flags(
        add_verb(
            commands,
            "serve",
            "answer over gRPC and REST until interrupted",
            "--model_name=taxonomy --model_base_path=$PWD/runs/demo/serving/taxonomy "
            "--rest_api_port=8501",
        )
    )


def add_ask(commands: Subcommands) -> None:
    ask = add_verb(
        commands,
        "ask",
        "answers about an image, as pictures",
        "--image room.png --task normal,depth_zbuffer --out answers",
    )
    add_server(ask)
    group = ask.add_mutually_exclusive_group(required=True)
    group.add_argument(
        "--image",
        type=named_path,
        action="append",
        help="a picture; twice or thrice for tasks about several views",
    )
    group.add_argument(
        "--folder",
        type=named_path,
        help="ask about every picture below it but those below --out, in batches, with progress",
    )
    ask.add_argument(
        "--task", default="", help="comma separated; default: all that the images allow"
    )
    ask.add_argument(
        "--out",
        type=named_path,
        default=Path("answers"),
        help="folder for pictures and answers.json, with --folder one a picture (default: answers)",
    )
    ask.add_argument(
        "--attempts", type=count, default=8, help="how often a server that is not there is asked"
    )
    ask.add_argument(
        "--authority",
        type=named_path,
        help="PEM file of whoever signed the server's certificate: ask over TLS",
    )
    ask.add_argument(
        "--identity",
        type=named_path,
        nargs=2,
        metavar=("KEY", "CERTIFICATE"),
        help="PEM files, for servers that ask for a client's certificate",
    )
    ask.add_argument("--batch", type=count, default=8, help="pictures a request, with --folder")
    ask.add_argument(
        "--json",
        action="store_true",
        help="answers as one JSON object a picture on stdout, without pixels",
    )


def add_console(commands: Subcommands) -> None:
    page = add_verb(
        commands,
        "console",
        "a page on this machine: drop photos, see answers",
        "--server 127.0.0.1:8500 --model-base-path runs/demo/serving/taxonomy",
    )
    add_server(page)
    page.add_argument("--port", type=natural, default=8600, help="of the page; 0: any free one")
    add_renamed(
        page,
        "--model-base-path",
        "--model_base_path",
        type=named_path,
        metavar="FOLDER",
        help="the served folder, for lineage: what the answers were made of",
    )
    page.add_argument("--open", action="store_true", help="open the page in a browser")


def add_validate(commands: Subcommands) -> None:
    check = add_verb(
        commands,
        "validate",
        "start a server on a bundle and check its answers",
        "runs/demo/serving/taxonomy/1795853461 --image room.png --json",
    )
    add_bundle(check)
    check.add_argument(
        "--image",
        type=named_path,
        action="append",
        default=[],
        help="a picture that is replayed; default: made-up ones",
    )
    add_renamed(
        check,
        "--max-latency",
        "--longest",
        type=positive,
        default=30.0,
        metavar="SECONDS",
        help="that 99 of 100 answers may take",
    )
    add_renamed(
        check,
        "--largest-mib",
        "--largest_mib",
        type=count,
        default=16384,
        metavar="MIB",
        help="memory that the server may take",
    )
    add_renamed(
        check,
        "--public-key",
        "--public_key",
        type=named_path,
        metavar="PEM",
        help="Ed25519 public keys, one of which must have signed the bundle",
    )
    check.add_argument("--json", action="store_true", help="the verdict as JSON")


def add_push(commands: Subcommands) -> None:
    push = add_verb(
        commands,
        "push",
        "make a bundle the newest served version",
        "candidate served/taxonomy --sign-key signing.pem",
    )
    add_bundle(push)
    add_destination(push)
    add_renamed(
        push,
        "--sign-key",
        "--sign_key",
        type=named_path,
        metavar="PEM",
        help="Ed25519 private key; the copy is signed before it is shown",
    )


def add_sign(commands: Subcommands) -> None:
    sign = add_verb(
        commands, "sign", "sign the manifest of a bundle's files", "candidate signing.pem"
    )
    add_bundle(sign)
    sign.add_argument("key", type=named_path, help="PEM of an Ed25519 private key")


def add_rollback(commands: Subcommands) -> None:
    back = add_verb(
        commands,
        "rollback",
        "take the newest version out of service",
        "served/taxonomy --to 1795853461",
    )
    add_destination(back)
    back.add_argument(
        "--to",
        type=natural,
        help="the version to return to; left out: the newest older one that a server would load",
    )
    back.add_argument(
        "--public-key",
        type=named_path,
        metavar="PEM",
        help="one of these keys must have signed what is returned to, as for --require_signed",
    )


def add_sbom(commands: Subcommands) -> None:
    bill = add_verb(
        commands, "sbom", "what the lock installs, as CycloneDX documents", "--out runs/sbom"
    )
    bill.add_argument("--lock", type=named_path, default=LOCK, help="default: requirements.txt")
    bill.add_argument(
        "--out", type=named_path, default=Path("runs/sbom"), help="folder (default: runs/sbom)"
    )


def add_audit(commands: Subcommands) -> None:
    audit = add_verb(
        commands,
        "audit",
        "the locked packages against known advisories",
        "--advisories advisories.zip",
    )
    audit.add_argument("--lock", type=named_path, default=LOCK, help="default: requirements.txt")
    audit.add_argument(
        "--advisories", type=named_path, help="folder or zip of advisories in the OSV form"
    )


def main(arguments: list[str] | None = None) -> int:
    """Runs a command and returns its exit code."""
    # names of tasks are looked up as they were typed: KeyError
    return run_command(dispatch, arguments, errors=(*BAD_INPUT, KeyError), left=LEFT)


def dispatch(words: list[str]) -> int:
    """Runs the command that `words` name and returns its exit code."""
    # unknown flags are collected: `serve` must go on without them, every other command must not
    options, unknown = parser().parse_known_args(words)
    if unknown and options.command != "serve":
        parser().error(f"unrecognized arguments: {' '.join(unknown)}")
    for flag in unknown:  # as tensorflow_model_server: it says so and goes on
        print(f"unknown argument: {flag}", file=sys.stderr)
    # before any command imports TensorFlow or gRPC: they read these variables once
    quieten()
    commands: dict[str, Callable[[argparse.Namespace], int]] = {
        "serve": do_serve,
        "ask": do_ask,
        "console": do_console,
        "validate": do_validate,
        "push": do_push,
        "sign": do_sign,
        "rollback": do_rollback,
        "sbom": do_sbom,
        "audit": do_audit,
    }
    try:
        return commands[options.command](options)
    # any type: RpcError can only be named where gRPC was imported
    except Exception as error:
        if not is_rpc_error(error):
            raise
        raise UserError(rpc_words(error)) from error


def quieten() -> None:
    """Sets the variables that keep third parties' logs quiet; they are read at import."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # serving is for machines without a GPU; who has one says so in the variable
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    # google.api_core, which TensorFlow brings, about 2027
    warnings.filterwarnings("ignore", message="You are using a Python version")


def is_rpc_error(error: Exception) -> bool:
    """Returns whether an error is gRPC's. gRPC is not imported for this: bad paths are refused at
    once.
    """
    grpc = sys.modules.get("grpc")
    return grpc is not None and isinstance(error, grpc.RpcError)


def rpc_words(error: Any) -> str:
    """Returns status code and details of a gRPC error, in a line."""
    return f"{error.code().name}: {error.details()}"


def do_serve(options: argparse.Namespace) -> int:
    # TensorFlow loads one Keras or the other. A server runs graphs and needs neither; the older one
    # loads in a fifth of the time, and may be missing
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    from serving.server.start import start

    return start(options)


def do_ask(options: argparse.Namespace) -> int:
    from serving.client.ask import ask

    return ask(options)


def do_console(options: argparse.Namespace) -> int:
    from serving.console.start import start

    return start(options)


def do_validate(options: argparse.Namespace) -> int:
    import json

    from serving.release.validate import Limits, made_up_records, validate

    if not options.bundle.is_dir():
        raise ValueError(f"{options.bundle} is no folder; expected a bundle (a numbered version)")
    # made-up pictures where nobody names any: a bundle can be checked without data
    records = [path.read_bytes() for path in options.image] or made_up_records()
    verdict = validate(
        options.bundle,
        records=records,
        limits=Limits(options.max_latency, options.largest_mib),
        trusted=options.public_key.read_bytes() if options.public_key else None,
    )
    if options.json:
        print(
            json.dumps({"ok": verdict.ok, "reasons": verdict.reasons, "figures": verdict.figures})
        )
    else:
        for name, value in verdict.figures.items():
            print(f"{name:50s} {value:.3g}")
        print("blessed" if verdict.ok else "refused: " + "; ".join(verdict.reasons))
    return 0 if verdict.ok else 1


def do_push(options: argparse.Namespace) -> int:
    from serving.release.push import lost_signature, push

    key = options.sign_key.read_bytes() if options.sign_key else None
    version = push(options.bundle, options.destination, key)
    print(version)
    if lost_signature(version):
        print(
            f"version {version.name} is not signed, and the one before it is: a server with "
            "--require_signed refuses it (--sign-key signs)",
            file=sys.stderr,
        )
    return 0


def do_sign(options: argparse.Namespace) -> int:
    from serving.release.signing import sign

    print(sign(options.bundle, options.key.read_bytes()))
    return 0


def do_rollback(options: argparse.Namespace) -> int:
    from serving.release.push import rollback, run_of

    run = run_of(options.destination)
    if run is not None:
        version = " VERSION" if options.to is None else f" {options.to}"
        print(
            f"warning: {options.destination} belongs to the run {run}, which may be pushing to it; "
            "this rollback takes no lock and is not noted in the run's history. Next time: "
            f"python -m tfx_pipeline rollback {run}{version}",
            file=sys.stderr,
        )
    trusted = options.public_key.read_bytes() if options.public_key else None
    print(f"serving {rollback(options.destination, options.to, trusted)}")
    return 0


def do_sbom(options: argparse.Namespace) -> int:
    from serving.release.bill_of_materials import write_bills

    print(*write_bills(options.lock, options.out), sep="\n")
    return 0


def do_audit(options: argparse.Namespace) -> int:
    from serving.release.advisories import audit

    return audit(options.lock, options.advisories)


if __name__ == "__main__":
    sys.exit(main())
