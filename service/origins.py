"""Protection against web pages of other origins: checks of a request, and headers of each answer.

Any web page can make a browser inside the network send a POST, and so have a report filed in the
PACS. The headers Origin (RFC 6454) and Sec-Fetch-Site (Fetch Metadata) say where the page comes
from; no page can write either.
"""

from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.limits import EXEMPT
from service.options import quoted
from service.problems import ForbiddenOriginError, UnknownHostError
from service.settings import Settings
from service.synthesize import HEADERS

#: Nothing is written or pulled by these.
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: Sent by the service's own pages, or by a person.
_OWN = frozenset({"same-origin", "none"})
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}

#: What the script of an allowed origin may send, asked for before it does.
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Encoding, Content-Type",
    "Access-Control-Max-Age": "600",
}
#: And read of an answer, beyond what any script may.
_EXPOSED = ", ".join([*HEADERS, "Content-Disposition", "Retry-After"]).encode()

_NOSNIFF = (b"x-content-type-options", b"nosniff")
_NO_STORE = (b"cache-control", b"no-store")
#: Of what is no page: nothing in it is loaded or run.
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


class Origins:
    """Refuses what pages of other origins may not ask, and names that are not the service's."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._origins = frozenset(settings.allowed_origins or ())
        self._hosts = frozenset(settings.allowed_hosts or ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer what a browser asks ahead of it (preflight)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        if self._hosts and scope["path"] not in EXEMPT:
            _check_host(headers.get("host", ""), self._hosts)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            if headers.get("origin") not in self._origins:
                raise _forbidden(headers)
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send)
            return
        if scope["method"] not in _SAFE and headers.get("origin") not in self._origins:
            _check_own(headers)
        await self._app(scope, receive, send)


class BrowserHeaders:
    """Tells browsers how each answer may be used, problems too."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._origins = frozenset(settings.allowed_origins or ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add to its answer's headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def telling_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._added(scope, message)]
            await send(message)

        await self._app(scope, receive, telling_send)

    def _added(self, scope: Scope, message: Message) -> list[tuple[bytes, bytes]]:
        added = [_NOSNIFF]
        if all(name != _POLICY[0] for name, _ in message.get("headers", ())):
            added.append(_POLICY)
        if scope["path"] == "/classify":
            added.append(_NO_STORE)
        if self._origins:
            added.append((b"vary", b"Origin"))
            origin = _headers(scope).get("origin")
            if origin in self._origins:
                added.append((b"access-control-allow-origin", origin.encode()))
                added.append((b"access-control-expose-headers", _EXPOSED))
        return added


def _headers(scope: Scope) -> dict[str, str]:
    """Return each header by its name; of several, the last."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _check_host(host: str, known: frozenset[str]) -> None:
    """Raise `UnknownHostError` unless the name, whatever the port, is one of those known."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        name = None
    if name not in known:
        raise UnknownHostError(
            f"Host: found {quoted(host)}, expected one of HEPATICA_ALLOWED_HOSTS"
        )


def _check_own(headers: dict[str, str]) -> None:
    """Raise `ForbiddenOriginError` where a page asks that is not the service's own.

    Browsers say so by Sec-Fetch-Site; old ones, and all over plain HTTP, by Origin alone. What is
    no browser says neither.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is not None:
        scheme, _, address = origin.partition("://")
        host = headers.get("host", "").lower().removesuffix(_DEFAULT_PORTS.get(scheme, ""))
        own = address == host != ""
    else:
        own = site is None or site in _OWN
    if not own:
        raise _forbidden(headers)


def _forbidden(headers: dict[str, str]) -> ForbiddenOriginError:
    return ForbiddenOriginError(
        f"Origin: found {quoted(headers.get('origin', 'none'))}, expected the service's own or one "
        "of HEPATICA_ALLOWED_ORIGINS"
    )
