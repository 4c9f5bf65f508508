"""The outermost layer: counts and logs each request, and turns what it raises into a problem.

One JSON line a request on the logger `service.requests`: route, method, status, problem, bytes and
milliseconds. Never a path, a query, a header or a body: those could name a patient.
"""

import logging
import time
import traceback
from collections.abc import Collection

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lesion.errors import InputError
from service import problems
from service.metrics import METHODS, Metrics
from service.problems import InternalError
from service.settings import Settings

logger = logging.getLogger("service.requests")

#: Asked every few seconds by machines: logged only where they fail.
_PROBES = frozenset({"/livez", "/readyz", "/metrics"})
_CLIENT_LEFT = 499


class Watch:
    """Sees every request from its start to its end."""

    def __init__(
        self, app: ASGIApp, settings: Settings, metrics: Metrics, routes: Collection[str]
    ) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._routes = frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer what it raises."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status, size, problem = 0, 0, ""

        async def recording_send(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, recording_send)
        except ClientDisconnect:
            status = status or _CLIENT_LEFT
        except Exception as error:
            refused = error if isinstance(error, InputError) else _internal(error)
            problem = refused.slug
            if not status:
                answer = problems.response(refused, retry_after_s=self._settings.retry_after_s)
                await answer(scope, receive, recording_send)
        finally:
            self._record(scope, status, problem, size, time.perf_counter() - began)

    def _record(self, scope: Scope, status: int, problem: str, size: int, seconds: float) -> None:
        route = scope["path"] if scope["path"] in self._routes else "other"
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._metrics.requests.labels(route, method, f"{status // 100}xx").inc()
        if problem:
            self._metrics.problems.labels(problem).inc()
        if route in _PROBES and status < 400:
            return
        logger.info(
            {
                "route": route,
                "method": method,
                "status": status,
                "problem": problem,
                "bytes": size,
                "ms": round(seconds * 1000, 2),
            }
        )


def _internal(error: Exception) -> InternalError:
    """Log where an unexpected error arose, but not its message: it could quote a patient."""
    where = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    logger.error({"unexpected": type(error).__name__, "where": where[-12:]})
    return InternalError("the fault is ours, and is in the server's log")
