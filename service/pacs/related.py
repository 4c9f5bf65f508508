"""multipart/related (PS3.18, 8.6.1.2): one DICOM object in, one or several out."""

from secrets import token_hex

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

MEDIA_TYPE = "multipart/related"
DICOM = "application/dicom"


class UnreadableAnswerError(ValueError):
    """The body is not one DICOM object in multipart/related."""


class OnePart:
    """Reads the one part of an answer, as it arrives. `content_type` is the answer's header."""

    def __init__(self, content_type: str) -> None:
        media_type, options = parse_options_header(content_type)
        if media_type != MEDIA_TYPE.encode() or not options.get(b"boundary"):
            found = media_type.decode("latin-1")[:60]
            raise UnreadableAnswerError(
                f"found Content-Type {found!a}, expected {MEDIA_TYPE} with its boundary"
            )
        self.data = bytearray()
        self._parts = 0
        self._field = self._value = b""
        self._types: list[bytes] = []
        self._complete = False
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._name,
                    "on_header_value": self._text,
                    "on_header_end": self._header,
                    "on_part_data": self._data,
                    "on_end": self._end,
                },
            )
        except FormParserError:
            raise UnreadableAnswerError("found a boundary too long") from None

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise UnreadableAnswerError(f"found a malformed {MEDIA_TYPE}") from None

    def object(self) -> bytes:
        """Return the object once all is fed."""
        if not self._complete or self._parts != 1:
            state = "its end" if self._complete else "no end"
            raise UnreadableAnswerError(
                f"found {self._parts} parts and {state}, expected one whole part"
            )
        declared = [parse_options_header(value)[0] for value in self._types]
        if declared != [DICOM.encode()]:
            raise UnreadableAnswerError(
                f"found a part declared as {ascii(declared)[:80]}, expected {DICOM}"
            )
        return bytes(self.data)

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > 1:
            raise UnreadableAnswerError("found more than one part, expected one")

    def _name(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _text(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header(self) -> None:
        if self._field.lower() == b"content-type":
            self._types.append(self._value)
        self._field = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self.data += data[start:end]

    def _end(self) -> None:
        self._complete = True


def encode(*files: bytes) -> tuple[bytes, str]:
    """Return a body that holds Part 10 files, and its Content-Type."""
    boundary = token_hex(16)
    head = f"--{boundary}\r\nContent-Type: {DICOM}\r\n\r\n".encode()
    content_type = f'{MEDIA_TYPE}; type="{DICOM}"; boundary={boundary}'
    parts = [head + file + b"\r\n" for file in files]
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), content_type
