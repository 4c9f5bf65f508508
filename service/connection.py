"""Bounds that uvicorn lacks: on all of a request but its body, and on clients that do not read.

uvicorn's parser takes a head of any size, in time that grows with its square, and waits for it for
ever; it keeps trailers as if they were headers of the request that is already being answered. So
one client could stop the event loop for all, or fill the memory. An answer is written into memory
as a whole and waits there for its reader, for ever too, and with it the end of the process.
uvicorn's settings do not reach this far.

What is refused here is handed to the application as a request of its own, or with the request that
it is reading, so that it is answered, counted and logged as any other problem.
"""

import asyncio
from types import SimpleNamespace
from typing import Any

import uvicorn.config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from lesion.errors import InputError
from service.limits import REFUSAL
from service.problems import InvalidRequestError, OverheadError
from service.settings import KEEP_ALIVE_S

#: Of all that is no body: the request line, header fields, chunk sizes and extensions, trailers.
MOST_BYTES = 64 * 1024
#: So many more for each byte of the body: a chunk of one byte takes five.
MORE_BYTES = 6
#: From a connection, or a head's first byte, to its last; from an answer to the end of its request.
MOST_SECONDS = 30.0
#: Requests that are sent before the one ahead of them is answered.
MOST_QUEUED = 64
#: What a reader has to take of an answer that waits, within each of its pauses.
LEAST_TAKEN = 64 * 1024


def bound(pause_s: float, keep_alive_s: float) -> None:
    """Have every server that is configured from now on bound its connections."""
    uvicorn.config.HTTP_PROTOCOLS["auto"] = bounded(pause_s, keep_alive_s)  # type: ignore[assignment] # a class will do


def bounded(pause_s: float, keep_alive_s: float = KEEP_ALIVE_S) -> type["BoundedConnection"]:
    """Return the protocol for readers that pause and connections that idle no longer than this."""
    bounds = {"pause_s": pause_s, "keep_alive_s": keep_alive_s}
    return type("BoundedConnection", (BoundedConnection,), bounds)


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's protocol, which gives up on a request too large or too slow around its body."""

    pause_s = 60.0
    keep_alive_s = KEEP_ALIVE_S
    _spare = MOST_BYTES  # of what may come and be no body
    _in_body = False  # or in the trailers behind it
    _body_bytes = 0  # in the piece that is being parsed
    _ended = False  # a request, in that piece
    _refused = False
    _deadline: asyncio.TimerHandle | None = None
    _reader: asyncio.TimerHandle | None = None
    _closing: Any  # what the application writes to: a transport that closes with care

    def connection_made(self, transport: Any) -> None:  # uvloop's is no asyncio.Transport
        """Wait for the first head, and for no WebSocket: those have other bounds, or none."""
        super().connection_made(transport)
        self.ws_protocol_class = None
        self.timeout_keep_alive = self.keep_alive_s  # type: ignore[assignment] # a float will do
        self._closing = SimpleNamespace(
            write=transport.write, is_closing=transport.is_closing, close=self._hang_up
        )
        self._begin_deadline()

    def data_received(self, data: bytes) -> None:
        """Parse, and count what is no body."""
        if not self._refused:
            self._body_bytes, self._ended = 0, False
            super().data_received(data)
            self._judge_piece(len(data))

    def on_message_begin(self) -> None:
        """Wait for the rest of a head."""
        super().on_message_begin()
        self._begin_deadline()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; drop a trailer: whoever reads headers may have read them already."""
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Wait no longer: what follows is the application's affair, until it has answered."""
        if len(self.pipeline) >= MOST_QUEUED:
            raise BufferError  # the parser stops, and says that the request is not valid
        super().on_headers_complete()
        self.cycle.transport = self._closing
        self._end_deadline()
        self._in_body = True
        if self.parser.should_upgrade():  # to what we do not speak; the parser skips what follows
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Count what is a body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Count for the next request."""
        super().on_message_complete()
        self._end_deadline()
        self._in_body, self._ended, self._spare = False, True, MOST_BYTES

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 # uvicorn's own words
        """Refuse what the parser does not take."""
        self._refuse(InvalidRequestError("request: found what is no HTTP/1.1, expected a request"))

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: whoever offers an upgrade need not get one (RFC 9110, 7.8)."""

    def pause_writing(self) -> None:
        """Wait for the reader of an answer whose rest is to follow."""
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        """Wait no longer: it reads."""
        self._end_reader()
        super().resume_writing()

    def on_response_complete(self) -> None:
        """Wait for the reader of the answer's end, and for the rest of a request nobody reads."""
        super().on_response_complete()
        self._wait_for_reader()
        if self._refused:
            self._unset_keepalive_if_required()  # there is a deadline already
        elif self._in_body and not self._answers():
            self._begin_deadline()

    def shutdown(self) -> None:
        """Hang up on whoever still sends at once: the process ends."""
        self._closing.close = self.transport.close
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._end_deadline()
        self._end_reader()
        super().connection_lost(exc)

    def _answers(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _judge_piece(self, size: int) -> None:
        if not self._ended:  # where in the piece one ended, the parser does not say
            self._spare += (1 + MORE_BYTES) * self._body_bytes - size
            self._spare = min(MOST_BYTES, self._spare)
        if self._refused:
            return
        if self._spare < 0:
            self._refuse(
                OverheadError(
                    "request: found more bytes around its body, in its head, chunks and trailers, "
                    f"than expected: {MOST_BYTES} and {MORE_BYTES} for each of the body's"
                )
            )
        elif not (self._in_body or self._deadline or self._answers()):
            self._begin_deadline()  # line breaks, or the end of what was answered before

    def _refuse(self, error: InputError) -> None:
        """Have the application answer with an error, in its turn; read no further."""
        self._refused = True
        self._end_deadline()
        if not self._in_body:
            self._answer_in_turn(error)
        elif self.cycle.response_started:
            self.transport.close()
        else:
            self.cycle.keep_alive = False
            self.cycle.scope[REFUSAL] = error  # type: ignore[literal-required]
            self.cycle.message_event.set()  # whoever waits for the body sees it

    def _answer_in_turn(self, error: InputError) -> None:
        """Make a request of what is none."""
        answering = self._answers()
        HttpToolsProtocol.on_message_begin(self)
        nothing = {"method": "", "path": "", "raw_path": b"", "query_string": b"", REFUSAL: error}
        self.scope.update(nothing)  # type: ignore[typeddict-item]
        self.cycle = RequestResponseCycle(
            scope=self.scope,
            transport=self._closing,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=False,
            on_response=self.on_response_complete,
        )
        if answering:
            self.pipeline.appendleft((self.cycle, self.app))
        else:
            self._start_asgi_task(self.cycle, self.app)

    def _hang_up(self) -> None:
        """Close once the peer has, while it still sends: else it would lose the answer.

        To close with bytes unread resets the connection (RFC 9112, 9.6).
        """
        if (self._in_body or self._refused) and self.transport.can_write_eof():
            self._refused = True
            self.pipeline.clear()
            self.transport.write_eof()
            self.flow.resume_reading()
            self._begin_deadline()
        else:
            self.transport.close()

    def _begin_deadline(self) -> None:
        self._end_deadline()
        self._deadline = self.loop.call_later(MOST_SECONDS, self._expire)

    def _expire(self) -> None:
        if self.flow.read_paused:  # it is we who keep the rest waiting
            self._begin_deadline()
        else:
            self.transport.close()

    def _end_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _wait_for_reader(self) -> None:
        self._end_reader()
        waiting = self.transport.get_write_buffer_size()
        if waiting:
            self._reader = self.loop.call_later(self.pause_s, self._judge_reader, waiting)

    def _judge_reader(self, before: int) -> None:
        waiting = self.transport.get_write_buffer_size()
        if waiting and before - waiting < LEAST_TAKEN:
            self.transport.abort()  # closing would wait for the reader
        else:
            self._wait_for_reader()

    def _end_reader(self) -> None:
        if self._reader:
            self._reader.cancel()
            self._reader = None
