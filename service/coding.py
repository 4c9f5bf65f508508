"""Content codings of a request (RFC 9110, 8.4): gzip is decoded while it arrives, piece by piece.

What was decoded counts as the body, so that the bounds of `service.limits` hold for it.
"""

import asyncio
import zlib
from collections.abc import Callable

from starlette.requests import Request
from starlette.types import Message, Receive

from service.limits import HOLD
from service.options import quoted
from service.problems import UnknownCodingError, UnreadableBodyError

_PLAIN = frozenset({"", "identity"})
_GZIP = frozenset({"gzip", "x-gzip"})
#: Bytes that are decoded at once, between which others are answered.
_PIECE = 256 * 1024
#: A gzip file may be several in a row; each costs time, and need not bring a byte.
_MOST_MEMBERS = 1000
_WITH_HEADER = zlib.MAX_WBITS | 16  # gzip's, that is, and not zlib's


def decoded(request: Request) -> Request:
    """Return the request with its body as it was before it was coded.

    Raise `UnknownCodingError` where we do not know how. What is wrong with the body itself is
    raised to whoever reads it: `UnreadableBodyError`, or `TooLargeError`.
    """
    transfer = request.headers.get("transfer-encoding", "chunked")
    if transfer.lower() != "chunked":  # coded on its way alone; nearly nobody does it
        raise UnknownCodingError(f"Transfer-Encoding: found {quoted(transfer)}, expected chunked")
    coding = ",".join(request.headers.getlist("content-encoding")).strip().lower()
    if coding in _PLAIN:
        return request
    if coding not in _GZIP:
        raise UnknownCodingError(f"Content-Encoding: found {quoted(coding)}, expected gzip")
    return Request(request.scope, _Gunzip(request.receive, request.scope[HOLD]))


class _Gunzip:
    """Receives a body that is gzip, as what it was."""

    def __init__(self, receive: Receive, hold: Callable[[int], None]) -> None:
        self._receive = receive
        self._hold = hold
        self._member = zlib.decompressobj(_WITH_HEADER)
        self._members = 1
        self._ahead = b""  # what was received and is still to be decoded
        self._whole = False
        self._received = self._made = self._held = 0

    async def __call__(self) -> Message:
        """Return the next piece of the body."""
        made = b""
        while not made:
            if self._ahead:
                await asyncio.sleep(0)
            elif self._whole:
                return await self._receive()  # a disconnect
            else:
                message = await self._receive()
                if message["type"] != "http.request":
                    return message
                self._whole = not message.get("more_body", False)
                self._ahead = message.get("body", b"")
                self._received += len(self._ahead)
            made = self._decode()
            if self._whole and not self._ahead:
                made += self._end()
                break
        self._count(len(made))
        return {
            "type": "http.request",
            "body": made,
            "more_body": bool(self._ahead) or not self._whole,
        }

    def _decode(self) -> bytes:
        if self._member.eof and self._ahead:
            self._members += 1
            self._member = zlib.decompressobj(_WITH_HEADER)
        if self._members > _MOST_MEMBERS:
            raise UnreadableBodyError(f"gzip: found more than {_MOST_MEMBERS} members")
        try:
            made = self._member.decompress(self._ahead, _PIECE)
        except zlib.error:
            raise UnreadableBodyError(
                f"gzip: found what is none after {self._made} bytes decoded, expected gzip alone"
            ) from None
        self._ahead = self._member.unused_data or self._member.unconsumed_tail
        return made

    def _end(self) -> bytes:
        """Return what the decoder still keeps, less than a piece of it; see that all has come."""
        made = self._member.flush()
        if self._received and not self._member.eof:
            raise UnreadableBodyError(
                f"gzip: found its end missing after {self._made} bytes decoded, expected all of it"
            )
        return made

    def _count(self, size: int) -> None:
        """Hold what was decoded as well, as far as it is more than what was received."""
        self._made += size
        more = max(0, self._made - self._received) - self._held
        self._held += more
        self._hold(more)
