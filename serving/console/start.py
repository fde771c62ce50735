"""Runs `python -m serving console`: the page, until interrupted."""

from __future__ import annotations

import argparse
import warnings
import webbrowser


def start(options: argparse.Namespace) -> int:
    """Opens the page and serves it until Ctrl-C; returns the exit code. options: parsed by
    serving/__main__.py. Raises ValueError, OSError for what cannot start.
    """
    if not 0 <= options.port <= 65535:
        raise ValueError(f"a port is 0 (any free one) to 65535, got {options.port}")
    if options.model_base_path is not None and not options.model_base_path.is_dir():
        raise NotADirectoryError(f"{options.model_base_path}: no such folder")
    from PIL import Image

    from serving.client.client import Client
    from serving.console.console import Console
    from serving.console.door import Door

    # pictures between Pillow's two limits are scaled down, and a note says so
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

    def connect() -> Client:
        # two attempts, not the client's eight: a person waits
        return Client(options.server, options.model_name, options.deadline, attempts=2)

    console = Console(connect, options.server, options.model_name, options.model_base_path)
    try:
        door = Door(console, options.port)
    except OSError as error:
        raise OSError(f"port {options.port}: {error.strerror}; give another --port") from error
    # bound already: the address that is printed answers
    with door:
        print(f"live page {door.address} asks {options.server}; Ctrl-C ends it", flush=True)
        if options.open:
            webbrowser.open(door.address)
        try:
            door.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0
