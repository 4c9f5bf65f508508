"""Logging of a worker: our own lines on standard output, one JSON object each."""

import json
import logging
import sys
from datetime import UTC, datetime


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        told = record.msg if isinstance(record.msg, dict) else {"message": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line | told)


def configure() -> None:
    """Send what the service logs to standard output, and nothing of it to BentoML's loggers."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Json())
    ours = logging.getLogger("service")
    ours.handlers = [handler]
    ours.setLevel(logging.INFO)
    ours.propagate = False
