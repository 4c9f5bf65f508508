"""The process: one BentoML service with one worker, HTTP answered ahead of BentoML's own layers.

    bentoml serve service.bento:Hepatica

BentoML owns the command, the socket, the worker and its lifespan. HTTP goes straight to
`service.app`: BentoML's middleware costs more than the classifier does, labels its metrics with raw
paths, and its landing page loads a third party's script. That `service_class` and `to_asgi` work
together so is not promised by BentoML: a contract test holds it.
"""

import os
import sys

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from service import logs
from service.settings import Settings

# BentoML reports each start to its makers, unless told not to. Its command asks before it loads
# this module, and remembers the answer.
os.environ["BENTOML_DO_NOT_TRACK"] = "True"
if usage_stats := sys.modules.get("bentoml._internal.utils.analytics.usage_stats"):
    usage_stats.do_not_track.cache_clear()

# The command and the worker load this module after BentoML has set up its logging in them.
logs.configure()

#: Read when the module is loaded, so that a wrong value stops the command and not its worker.
SETTINGS = Settings()


class _Ahead(bentoml.Service):  # type: ignore[misc]  # BentoML comes untyped
    """A service whose HTTP is answered by our own application."""

    def to_asgi(self, is_main: bool = True) -> ASGIApp:
        """Return the application of a worker: BentoML's lifespan inside ours, HTTP ours alone."""
        # The command that starts the worker loads this module too, and needs none of these.
        from service import app, connection, shutdown  # noqa: PLC0415

        connection.bound(SETTINGS.send_timeout_s)
        ours = app.create(SETTINGS)
        bentos = super().to_asgi(is_main)

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "lifespan":
                await ours(scope, receive, send)
                return
            async with ours.router.lifespan_context(ours):
                shutdown.refuse_connections_on_sigterm()
                await bentos(scope, receive, send)

        return serve


@bentoml.service(
    name="hepatica",
    service_class=_Ahead,
    workers=1,
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class Hepatica:
    """Liver lesions on CT: classification and synthesis. Research only."""
