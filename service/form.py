"""multipart/form-data (RFC 7578), as clients send it rather than as browsers do."""

import logging
from typing import Final

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from lesion.errors import UnreadableParameterError
from service.options import OPTIONS, quoted
from service.settings import Settings

FORM: Final = "multipart/form-data"
#: Parts that are files.
FILES = ("image", "mask", "annotation")
#: Files of a series in one request.
MOST_IMAGES = 512
CHARSETS = ("utf-8", "iso-8859-1", "us-ascii")

# Its warnings quote bytes of the body, which may name a patient.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


async def read_form(request: Request, settings: Settings) -> FormData:
    """Read a form whole: files as `UploadFile`, which the caller closes, and texts.

    Raise `UnreadableParameterError` that says what is wrong with it.
    """
    _check_charset(request.headers["content-type"])
    parser = _ByName(
        request.headers,
        request.stream(),
        max_files=len(FILES) + MOST_IMAGES - 1,
        max_fields=len(OPTIONS) + settings.max_lesions,
    )
    parser.spool_max_size = settings.max_body_bytes + 1  # patient data never touches a disk
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise UnreadableParameterError(f"{FORM}: {error.message}") from error
    if not parser.ended:  # the last part is lost then, which may say which lesion is meant
        await form.close()
        raise UnreadableParameterError(f"{FORM}: found no closing boundary, expected one")
    return form


class _ByName(MultiPartParser):
    """Takes a part for a file or for text by its name.

    Starlette goes by the file name, which is optional (RFC 7578, 4.2): programs leave it out of a
    file, and give one to JSON.
    """

    ended = False

    def on_end(self) -> None:
        """Remember that the closing boundary came."""
        self.ended = True

    def on_headers_finished(self) -> None:
        """Have the part say by a file name, or none, what its name says."""
        part = self._current_part
        _, told = parse_options_header(part.content_disposition)
        name = told.get(b"name", b"").decode("latin-1")
        if name in FILES and b"filename" not in told:
            part.content_disposition = f'form-data; name="{name}"; filename=""'.encode()
        elif name in OPTIONS:
            part.content_disposition = f'form-data; name="{name}"'.encode()
        super().on_headers_finished()


def _check_charset(content_type: str) -> None:
    """Refuse all but what clients do send: some of Python's codecs take forever, or raise."""
    charset = parse_options_header(content_type)[1].get(b"charset", b"utf-8").decode("latin-1")
    if charset.lower() not in CHARSETS:
        raise UnreadableParameterError(
            f"{FORM}: found charset {quoted(charset)}, expected none or one of {CHARSETS}"
        )
