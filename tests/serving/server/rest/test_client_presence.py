"""Is the client of a connection still there?"""

import socket

from serving.server.rest.client_presence import present


def test_a_client_is_present_until_it_closes_and_its_bytes_stay_for_the_reader():
    here, there = socket.socketpair()
    assert present(here)
    there.sendall(b"next")
    assert present(here) and here.recv(4) == b"next"
    there.shutdown(socket.SHUT_WR)
    assert not present(here)
    there.close()
    here.close()
    assert not present(here)
