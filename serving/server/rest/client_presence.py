"""Tells whether the client of a connection is still there. This is asked before its request is run:
an answer that nobody reads is not worth its cost.
"""

from __future__ import annotations

import socket


def present(connection: socket.socket) -> bool:
    """Returns False once the other side has closed or reset the connection, or it is closed here;
    takes nothing from the stream and never waits.

    A side that closes its sending direction alone looks the same as one that left, and counts as
    left (nginx does so too). Bytes that were sent ahead of the close hide it: such a client counts
    as present.
    """
    try:
        # PEEK leaves the byte for the next request, DONTWAIT asks without waiting
        return bool(connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        # nothing to read: there, and silent
        return True
    except OSError:
        return False
