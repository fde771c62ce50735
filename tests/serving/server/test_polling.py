"""The thread that looks for changes outlives what a look ends in."""

import threading
from types import SimpleNamespace

from waiting import wait_for

from serving.server.polling import keep_polling


def test_polling_goes_on_after_an_unexpected_error(capfd):
    errors, looks = [RuntimeError("two\nlines"), RuntimeError("two\nlines"), KeyError("a")], []

    def poll():
        looks.append(1)
        if len(looks) <= len(errors):
            raise errors[len(looks) - 1]

    stop = threading.Event()
    thread = keep_polling(SimpleNamespace(poll=poll), 0.01, stop)
    wait_for(lambda: len(looks) > len(errors) or not thread.is_alive())
    assert thread.is_alive() and len(looks) > len(errors)
    stop.set()
    thread.join(60)
    assert capfd.readouterr().err.splitlines() == [
        "a look for changes failed, the next one comes: RuntimeError: two",
        "a look for changes failed, the next one comes: KeyError: 'a'",
    ], "a line for each error, not for each look"
