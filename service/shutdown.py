"""Signals: during the start they end the process; later, requests in flight are answered first."""

import contextlib
import os
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType


def end_on_signals() -> None:
    """End with status 0 on SIGTERM and SIGINT, until a server takes these over.

    To be called before anything that takes time: the kernel gives process 1 no signal that it has
    no handler for.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))


def refuse_connections_on_sigterm(drain: Callable[[], None]) -> None:
    """Shut the sockets that listen by now as soon as SIGTERM comes, and call `drain`.

    Then the server does as it would. Under BentoML the parent process holds the socket too: a
    server that closes its own copy alone leaves new connections waiting in the kernel for nobody.
    Shutting the socket down refuses them.
    """
    before = signal.getsignal(signal.SIGTERM)
    listeners = [number for number in _open_files() if _listens(number)]

    def on_sigterm(number: int, frame: FrameType | None) -> None:
        drain()
        for listener in listeners:
            _shut(listener)
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, on_sigterm)


def _open_files() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc/self/fd").iterdir())


def _listens(number: int) -> bool:
    with contextlib.suppress(OSError):  # closed since it was listed
        if stat.S_ISSOCK(os.fstat(number).st_mode):
            with socket.socket(fileno=os.dup(number)) as found:
                return bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    return False


def _shut(number: int) -> None:
    if _listens(number):
        with socket.socket(fileno=os.dup(number)) as listener:
            listener.shutdown(socket.SHUT_RDWR)
