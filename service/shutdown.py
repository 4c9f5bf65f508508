"""SIGTERM: requests in flight finish, new connections are refused at once."""

import contextlib
import os
import signal
import socket
import stat
from pathlib import Path
from types import FrameType


def refuse_connections_on_sigterm() -> None:
    """Close the listening sockets as soon as SIGTERM comes, then let the server do as it would.

    The parent process holds the socket too: a server that closes its own copy alone leaves new
    connections waiting in the kernel for nobody. Shutting the socket down refuses them.
    """
    before = signal.getsignal(signal.SIGTERM)

    def on_sigterm(number: int, frame: FrameType | None) -> None:
        _shut_listeners()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, on_sigterm)


def _shut_listeners() -> None:
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed since it was listed
            if not stat.S_ISSOCK(entry.stat().st_mode):
                continue
            with socket.socket(fileno=os.dup(int(entry.name))) as candidate:
                if candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    candidate.shutdown(socket.SHUT_RDWR)
