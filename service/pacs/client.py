"""One PACS over DICOMweb (PS3.18): an instance pulled, a report stored, within bounds.

Nothing that is logged or raised here holds a URL, a UID, or more of the PACS's answer than a media
type: it says which PACS by its configured name, and what happened.
"""

import asyncio
import logging
import random
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx

from lesion.errors import InputError, TooLargeError
from lesion.image.file_meta import is_part10
from service.pacs import related
from service.pacs.checks import Instance, refusal
from service.pacs.config import Pacs
from service.problems import (
    PASSING,
    PacsAnswerError,
    PacsBusyError,
    PacsConnectionError,
    PacsError,
    PacsMissingError,
    PacsRedirectError,
    PacsRefusedError,
    PacsStoreError,
    PacsTimeoutError,
)

T = TypeVar("T")
logger = logging.getLogger(__name__)

# They log URLs, which hold UIDs, and headers, which hold credentials.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

#: As the PACS keeps it: with no syntax named, it would be decompressed on the way.
_ACCEPT = f'{related.MEDIA_TYPE}; type="{related.DICOM}"; transfer-syntax=*'
_MOST_REDIRECTS = 3
#: Of a STOW-RS answer, which lists what was stored: ours is one object.
_MOST_SAID_BYTES = 256 * 1024
#: What a PACS answers that looked at the object and did not want it.
_UNWANTED = {400, 409, 413, 415, 422}


class Client:
    """One PACS, and the connections to it. To be used from one event loop."""

    def __init__(self, name: str, pacs: Pacs) -> None:
        self.name = name
        self._pacs = pacs
        self._http = httpx.AsyncClient(
            verify=pacs.tls(),
            timeout=httpx.Timeout(pacs.read_timeout_s, connect=pacs.connect_timeout_s),
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=4),
            trust_env=False,  # no proxy and no .netrc that the configuration does not name
        )

    async def close(self) -> None:
        """End the connections."""
        await self._http.aclose()

    async def retrieve(
        self, asked: Instance, *, most_bytes: int, hold: Callable[[int], None]
    ) -> bytes:
        """Pull one instance (WADO-RS, PS3.18, 10.4) as a Part 10 file, not yet looked into.

        `hold` is told the bytes that are held, as they come; it may raise. Raise `TooLargeError`
        above `most_bytes`, `PacsMissingError`, or the `PacsError` that says what failed.
        """
        path = "/studies/{}/series/{}/instances/{}".format(*asked)

        async def attempt() -> bytes:
            request = self._request("GET", path, headers={"Accept": _ACCEPT})
            async with self._answer(request) as answer:
                self._check_status(answer, {200})
                try:
                    return await self._object(answer, most_bytes, hold)
                except related.UnreadableAnswerError as error:
                    raise PacsAnswerError(f"PACS {self.name}: {error}") from None

        return await self._patiently(attempt, self.deadline())

    def deadline(self) -> float:
        """Return when what begins now must have ended, on the clock of the event loop."""
        return asyncio.get_running_loop().time() + self._pacs.deadline_s

    async def store(self, data: bytes, *, until: float | None = None) -> None:
        """Store one Part 10 file (STOW-RS, PS3.18, 10.5).

        One of several is stored `until` the `deadline` that they share. To store the same object
        twice changes nothing, so that a broken attempt is made again. Raise `PacsStoreError` if
        the PACS refuses it, or the `PacsError` that says what failed.
        """
        if not is_part10(data):
            raise ValueError("expected a Part 10 file")
        # Some PACS keep what the preamble holds, and their clients stumble over it later.
        body, content_type = related.encode(bytes(128) + data[128:])
        headers = {"Content-Type": content_type, "Accept": "application/dicom+json"}

        async def attempt() -> None:
            request = self._request("POST", "/studies", headers=headers, content=body)
            async with self._answer(request) as answer:
                if answer.status_code not in _UNWANTED:
                    self._check_status(answer, {200, 202}, absent=PacsAnswerError)
                if reason := refusal(answer.status_code, await self._said(answer)):
                    raise PacsStoreError(self._words(reason, "the report stored"))

        await self._patiently(attempt, self.deadline() if until is None else until)

    async def _patiently(self, attempt: Callable[[], Awaitable[T]], until: float) -> T:
        """Attempt it until it is done, condemned, or out of attempts or time."""
        pacs = self._pacs
        try:
            async with asyncio.timeout_at(until):
                for pause_s in _pauses(pacs):
                    try:
                        return await attempt()
                    except PASSING as error:
                        self._log(error)
                    await asyncio.sleep(pause_s)
                return await attempt()
        except TimeoutError:
            late = PacsTimeoutError(
                self._words(f"no whole answer after {pacs.deadline_s:g} s", "one")
            )
            self._log(late)
            raise late from None
        except PacsError as error:
            self._log(error)
            raise

    def _log(self, error: PacsError) -> None:
        logger.warning({"pacs": self.name, "problem": error.slug, "message": str(error)})

    def _request(self, method: str, path: str, **parts: Any) -> httpx.Request:
        # No encoding: what is deflated on the way could be inflated without bound.
        headers = {"Accept-Encoding": "identity", **parts.pop("headers"), **self._credentials()}
        return self._http.build_request(method, self._pacs.url + path, headers=headers, **parts)

    def _credentials(self) -> dict[str, str]:
        pacs = self._pacs
        try:
            if pacs.token:
                return {"Authorization": f"Bearer {pacs.token.read()}"}
            if pacs.username and pacs.password:
                pair = f"{pacs.username}:{pacs.password.read()}".encode()
                return {"Authorization": f"Basic {b64encode(pair).decode()}"}
        except (KeyError, OSError, UnicodeDecodeError):
            raise PacsRefusedError(self._words("no credentials to send", "some")) from None
        return {}

    @asynccontextmanager
    async def _answer(self, request: httpx.Request) -> AsyncIterator[httpx.Response]:
        """Send a request, follow redirects within the PACS, and turn failures into ours."""
        try:
            answer = await self._http.send(request, stream=True)
            for _ in range(_MOST_REDIRECTS):
                if not answer.is_redirect:
                    break
                answer = await self._http.send(await self._redirected(answer), stream=True)
            try:
                yield answer
            finally:
                await answer.aclose()
        except httpx.TimeoutException as error:
            raise PacsTimeoutError(self._words(type(error).__name__, "an answer")) from None
        # TLS 1.3 tells after the handshake that it wanted a certificate; HTTPX lets that through.
        except (httpx.TransportError, ssl.SSLError) as error:
            raise PacsConnectionError(self._words(type(error).__name__, "an answer")) from None

    async def _redirected(self, answer: httpx.Response) -> httpx.Request:
        """Return the request that a redirect asks for, if it stays where it is and what it is."""
        asked, request = answer.request, answer.next_request
        await answer.aclose()
        if request is None or _origin(request.url) != _origin(asked.url):
            raise PacsRedirectError(
                self._words("a redirect to another host", "an answer of its own")
            )
        if request.method != asked.method:
            raise PacsRedirectError(self._words("a redirect that changes the method", "an answer"))
        return request

    def _check_status(
        self,
        answer: httpx.Response,
        expected: set[int],
        *,
        absent: type[InputError] = PacsMissingError,
    ) -> None:
        status = answer.status_code
        if status in expected:
            return
        kind: type[InputError] = PacsAnswerError
        if status in {401, 403, 407}:
            kind = PacsRefusedError
        elif status in {404, 410}:
            kind = absent
        elif status in {429, 502, 503, 504}:
            kind = PacsBusyError
        elif answer.is_redirect:
            kind = PacsRedirectError
        raise kind(self._words(f"status {status}", " or ".join(map(str, sorted(expected)))))

    async def _object(
        self, answer: httpx.Response, most_bytes: int, hold: Callable[[int], None]
    ) -> bytes:
        """Read the body as far as the limit; let go of it where that fails."""
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise PacsAnswerError(self._words("an encoded body", "one as it was asked for"))
        part = related.OnePart(answer.headers.get("content-type", ""))
        declared = answer.headers.get("content-length", "")
        self._check_size(int(declared) if declared.isdecimal() else 0, most_bytes)
        held = 0
        try:
            async for chunk in answer.aiter_raw():
                held += len(chunk)
                self._check_size(held, most_bytes)
                hold(len(chunk))
                part.feed(chunk)
            return part.object()
        except BaseException:
            hold(-held)
            raise

    def _check_size(self, size: int, most: int) -> None:
        if size > most:
            raise TooLargeError(self._words(f"{size} bytes or more", f"at most {most}"))

    async def _said(self, answer: httpx.Response) -> bytes:
        """Return the beginning of what a PACS says of a store."""
        said = b""
        async for chunk in answer.aiter_raw():
            said += chunk
            if len(said) > _MOST_SAID_BYTES:
                break
        return said

    def _words(self, found: str, expected: str) -> str:
        return f"PACS {self.name}: found {found}, expected {expected}"


def _pauses(pacs: Pacs) -> Iterator[float]:
    """Return the seconds before each retry: doubling up to the cap, and no two callers' alike."""
    for retry in range(pacs.retries):
        longest = min(pacs.backoff_s * 2**retry, pacs.backoff_cap_s)
        yield longest * random.uniform(0.5, 1.0)  # noqa: S311  # spread, not secrecy


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
