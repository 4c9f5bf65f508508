"""Bounds on what a client can make us hold or wait for, before anything reads its request."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lesion.errors import InputError, TooLargeError
from service.metrics import Metrics
from service.problems import BusyError, SlowBodyError
from service.settings import Settings

#: Whoever operates a full service must still see it.
EXEMPT = frozenset({"/livez", "/readyz", "/metrics"})

#: Key of the scope: a function that counts bytes which a request made us fetch as its body's own.
HOLD = "hepatica.hold"

#: Key of the scope: the error that refuses a request whose rest is not read.
REFUSAL = "hepatica.refusal"


class Limits:
    """Bounds a request's body, all bodies together, the requests at once, and slow clients.

    What a declared length condemns is refused unread. What shows later is raised to whoever reads
    the body.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._requests = 0
        self._held_bytes = 0
        metrics.in_flight.set_function(lambda: self._requests)
        metrics.held_bytes.set_function(lambda: self._held_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on within its bounds."""
        _check_refusal(scope)
        if scope["type"] != "http" or scope["path"] in EXEMPT:
            await self._app(scope, receive, send)
            return
        settings = self._settings
        if self._requests >= settings.max_requests:
            raise BusyError(f"requests: found {self._requests} running, expected fewer")
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal():
            self._check_size(int(declared))
        held = 0
        complete = False
        deadline = asyncio.get_running_loop().time() + settings.receive_timeout_s

        def hold(size: int) -> None:
            nonlocal held
            held += size
            self._held_bytes += size
            if size > 0:
                self._check_size(held)

        async def bounded_receive() -> Message:
            nonlocal complete
            if complete:  # only a disconnect can still come, whenever it likes
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise SlowBodyError(
                    f"body: found {held} bytes after {settings.receive_timeout_s:g} s, "
                    "expected all of it"
                ) from None
            _check_refusal(scope)
            complete = not message.get("more_body", False)
            hold(len(message.get("body", b"")))
            return message

        self._requests += 1
        try:
            await self._app({**scope, HOLD: hold}, bounded_receive, send)
        finally:
            self._requests -= 1
            self._held_bytes -= held

    def _check_size(self, size: int) -> None:
        most = self._settings.max_body_bytes
        if size > most:
            raise TooLargeError(f"body: found {size} bytes or more, expected at most {most}")
        if self._held_bytes > self._settings.max_held_bytes:
            raise BusyError(f"memory: found {self._held_bytes} bytes of requests, expected fewer")


def _check_refusal(scope: Scope) -> None:
    refusal: InputError | None = scope.get(REFUSAL)
    if refusal:
        raise refusal
