"""Serves the application in this process, by uvicorn, without BentoML's parent process."""

import os
import resource
import socket
from types import FrameType
from typing import Any

import uvicorn

from service.bento import Hepatica
from service.runtime import Runtime


def run(listener: socket.socket) -> int:
    """Serve until a signal; return the exit status, 1 where it can never be ready."""
    _allow_many_connections()
    hepatica: Any = Hepatica  # a service now, whatever its types say
    application = hepatica.to_asgi()  # it bounds connections, too
    config = uvicorn.Config(
        application,
        ws="none",
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    server = _Server(config, application.runtime)
    server.run(sockets=[listener])
    return 1 if application.runtime.failed else 0


class _Server(uvicorn.Server):
    """Ends with status 0 on a signal, at once on a second, and where it can never be ready."""

    def __init__(self, config: uvicorn.Config, runtime: Runtime) -> None:
        super().__init__(config)
        self._runtime = runtime

    def handle_exit(self, sig: int, _: FrameType | None) -> None:
        """Finish what is in flight. uvicorn would end by the signal then, with status 143."""
        if self.should_exit:
            os._exit(128 + sig)
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Say whether to end."""
        return await super().on_tick(counter) or self._runtime.failed


def _allow_many_connections() -> None:
    """Raise the soft limit on open files to the hard one.

    Clients that take all of them would shut out probes, too.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
