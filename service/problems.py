"""Errors as RFC 9457 problem details: the one place that knows the HTTP status of an error.

A problem's `type` is `urn:hepatica:problem:` and the slug of the error, its `detail` the error's
message. The service's own errors stand here, beside those of `lesion.errors`:

ServiceError                     the request cannot be answered, whatever image it brings
├── NotFoundError, MethodNotAllowedError, NotAcceptableError, SlowBodyError
├── ForbiddenOriginError         a web page asks that may not
├── UnknownHostError             the service is called by a name that is not its
├── OverheadError                the head, the chunks or the trailers are too large
├── BusyError                    full: come again
├── NotReadyError                no bundle is loaded (yet)
├── PacsError                    a PACS that the request names fails us
│   ├── PacsConnectionError, PacsTimeoutError, PacsBusyError: worth another attempt
│   └── PacsRefusedError, PacsRedirectError, PacsAnswerError, PacsMismatchError, PacsStoreError
└── InternalError                a fault of ours; says nothing of it
UnreadableBodyError              a body that is not in the coding it declares
UnknownCodingError               a coding that is not read here
InvalidRequestError              what came is no HTTP request
ParameterError                   a parameter of /synthesize with a value that is not allowed
└── UnknownClassError, CountError, SeedError, StartError, OutputFormatError
UnusableError
├── ReportError                  classified it could be, but no report can refer to it
└── UnknownPacsError, PacsMissingError: a name or an instance that is not there
"""

import json
from collections.abc import Mapping

from starlette.responses import Response

from lesion.errors import (
    InputError,
    MalformedError,
    TooLargeError,
    UnsupportedError,
    UnusableError,
)

MEDIA_TYPE = "application/problem+json"
URN = "urn:hepatica:problem:"


class ServiceError(InputError):
    """The request cannot be answered."""


class NotFoundError(ServiceError):
    """There is nothing at this address."""


class MethodNotAllowedError(ServiceError):
    """The method is not allowed here."""

    def __init__(self, method: str, allow: str) -> None:
        super().__init__(f"method: found {method[:20]!r}, expected {allow}")
        self.allow = allow


class NotAcceptableError(ServiceError):
    """Nothing that the request accepts can be answered."""


class SlowBodyError(ServiceError):
    """The request's body did not arrive in time."""


class ForbiddenOriginError(ServiceError):
    """Web pages of this origin may not ask for this."""


class UnknownHostError(ServiceError):
    """The service does not answer by this name."""


class OverheadError(ServiceError):
    """The request is too large around its body."""


class BusyError(ServiceError):
    """The service is full."""


class NotReadyError(ServiceError):
    """The service is not ready."""


class PacsError(ServiceError):
    """The PACS failed."""


class PacsConnectionError(PacsError):
    """The PACS cannot be reached, or broke off."""


class PacsTimeoutError(PacsError):
    """The PACS did not answer in time."""


class PacsBusyError(PacsError):
    """The PACS is not available."""


class PacsRefusedError(PacsError):
    """The PACS refused the service's credentials."""


class PacsRedirectError(PacsError):
    """The PACS redirects to another host."""


class PacsAnswerError(PacsError):
    """The PACS answered something else than was asked for."""


class PacsMismatchError(PacsError):
    """The PACS answered another instance than was asked for."""


class PacsStoreError(PacsError):
    """The PACS refused to store the report."""


#: What may be over the next moment.
PASSING = (PacsConnectionError, PacsTimeoutError, PacsBusyError)


class InternalError(ServiceError):
    """The service failed."""


class InvalidRequestError(MalformedError):
    """The request is not valid HTTP."""


class UnreadableBodyError(MalformedError):
    """The body is not coded as its Content-Encoding says."""


class UnknownCodingError(UnsupportedError):
    """The Content-Encoding is not read here."""


class ReportError(UnusableError):
    """The image cannot be reported on."""


class UnknownPacsError(UnusableError):
    """The PACS is not one that the configuration names for this."""


class PacsMissingError(UnusableError):
    """The PACS holds no such instance."""


class ParameterError(UnusableError):
    """A parameter has a value that is not allowed."""


class UnknownClassError(ParameterError):
    """The class is not one of the bundle's."""


class CountError(ParameterError):
    """The count is not allowed."""


class SeedError(ParameterError):
    """The seed is not allowed."""


class StartError(ParameterError):
    """The start is not allowed."""


class OutputFormatError(ParameterError):
    """The format is not one that is written here."""


STATUS: Mapping[type[InputError], int] = {
    MalformedError: 400,
    ForbiddenOriginError: 403,
    NotFoundError: 404,
    MethodNotAllowedError: 405,
    NotAcceptableError: 406,
    SlowBodyError: 408,
    TooLargeError: 413,
    UnsupportedError: 415,
    UnknownHostError: 421,
    UnusableError: 422,
    OverheadError: 431,
    InternalError: 500,
    PacsError: 502,
    PacsTimeoutError: 504,
    BusyError: 503,
    NotReadyError: 503,
}


def status_of(error: type[InputError]) -> int:
    """Return the HTTP status of an error: that of its nearest ancestor in the table."""
    return next(STATUS[base] for base in error.__mro__ if base in STATUS)


def details(error: InputError) -> dict[str, str | int]:
    """Return the problem as the members of its JSON."""
    return {
        "type": URN + error.slug,
        "title": error.title,
        "status": status_of(type(error)),
        "detail": str(error),
    }


def response(error: InputError, *, retry_after_s: int = 1) -> Response:
    """Return the problem as an answer."""
    status = status_of(type(error))
    headers = {}
    if status == 503:
        headers["Retry-After"] = str(retry_after_s)
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = error.allow
    if isinstance(error, UnknownCodingError):
        headers["Accept-Encoding"] = "gzip"  # what it could be instead (RFC 9110, 15.5.16)
    if status in {408, 413, 503}:
        # The rest of the body is not read. This keeps a full service answering: to read what it
        # refused would cost more than to answer (`python -m benchmarks.overload`).
        headers["Connection"] = "close"
    return Response(json.dumps(details(error)), status, headers, MEDIA_TYPE)
