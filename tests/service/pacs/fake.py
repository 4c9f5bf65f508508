"""A small PACS that can have a bad day."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from io import BytesIO

from pydicom import dcmread

RELATED = 'multipart/related; type="application/dicom"; boundary="edge"'

Answer = Callable[[BaseHTTPRequestHandler], None]


def part(data: bytes, content_type: str = "application/dicom") -> bytes:
    head = f"\r\n--edge\r\nContent-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n"
    return head.encode() + data + b"\r\n--edge--\r\n"


def reply(status: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer so, with the headers named in Python's way."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in ({"content_length": str(len(body))} | headers).items():
            if value:
                handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def slow(seconds: float) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)

    return answer


@dataclass
class FakePacs:
    """Keeps objects by their WADO-RS path; `days` are answers to give before it is well again."""

    url: str = ""
    kept: dict[str, bytes] = field(default_factory=dict)
    stored: list[bytes] = field(default_factory=list)
    days: list[Answer] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def keep(self, data: bytes) -> dict[str, str]:
        """Keep an object and return the reference to it."""
        found = dcmread(BytesIO(data))
        study, series, instance = (
            str(found.get(keyword))
            for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
        )
        self.kept[f"/dicom-web/studies/{study}/series/{series}/instances/{instance}"] = data
        return {"study": study, "series": series, "instance": instance}

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        self.seen.append((handler.command, handler.path, dict(handler.headers)))
        if self.days:
            with suppress(ConnectionError):  # whoever asked has heard enough
                self.days.pop(0)(handler)
        elif handler.command == "POST":
            self.stored.append(body)
            done = {"00081199": {"vr": "SQ", "Value": [{}]}}
            reply(200, json.dumps(done).encode(), content_type="application/dicom+json")(handler)
        elif handler.path in self.kept:
            reply(200, part(self.kept[handler.path]), content_type=RELATED)(handler)
        else:
            reply(404)(handler)
