"""The BentoML service. HTTP is answered ahead of BentoML's own layers, in one worker.

    python -m service                     one process (`service.server`)
    bentoml serve service.bento:Hepatica  BentoML's command, with a parent process and a worker

HTTP goes straight to `service.app`: BentoML's middleware costs more than the classifier does,
labels its metrics with raw paths, and its landing page loads a third party's script. That
`service_class` and `to_asgi` work together so is not promised by BentoML: a contract test holds it.
"""

import os
import sys

import bentoml
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import environment, logs, shutdown
from service.settings import Settings

# BentoML reports each start to its makers, unless told not to. Its command asks before it loads
# this module, and remembers the answer.
os.environ["BENTOML_DO_NOT_TRACK"] = "True"
if usage_stats := sys.modules.get("bentoml._internal.utils.analytics.usage_stats"):
    usage_stats.do_not_track.cache_clear()

# The command and the worker load this module after BentoML has set up its logging in them.
logs.configure()

#: Read when the module is loaded, so that a wrong value stops the command and not its worker.
SETTINGS = environment.read(Settings)

_COMPLETE = "lifespan.shutdown.complete"


class Application:
    """BentoML's lifespan inside ours, HTTP ours alone."""

    def __init__(self, ours: Starlette, bentos: ASGIApp) -> None:
        self._ours, self._bentos = ours, bentos
        self.runtime = ours.state.runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or live from the server's start to its end."""
        if scope["type"] != "lifespan":
            await self._ours(scope, receive, send)
            return
        shutdown.refuse_connections_on_sigterm(self.runtime.drain)

        async def send_but_the_end(message: Message) -> None:
            if message["type"] != _COMPLETE:  # a server that hears it ends what still runs
                await send(message)

        async with self._ours.router.lifespan_context(self._ours):
            await self._bentos(scope, receive, send_but_the_end)
        await send({"type": _COMPLETE})


class _Ahead(bentoml.Service):  # type: ignore[misc]  # BentoML comes untyped
    """A service whose HTTP is answered by our own application."""

    def to_asgi(self, is_main: bool = True) -> Application:
        """Return the application of a worker."""
        # The command that starts the worker loads this module too, and needs none of these.
        from service import app, connection  # noqa: PLC0415

        environment.warn_of_unknown(Settings)
        connection.bound(SETTINGS.send_timeout_s, SETTINGS.keep_alive_s)
        return Application(app.create(SETTINGS), super().to_asgi(is_main))


@bentoml.service(
    name="hepatica",
    service_class=_Ahead,
    workers=1,
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class Hepatica:
    """Liver lesions on CT: classification and synthesis. Research only."""
