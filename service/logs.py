"""Logging: every line on standard output, one JSON object each, whoever wrote it."""

import json
import logging
import sys
from datetime import UTC, datetime

#: What BentoML gives handlers of its own, beside those of the root.
_THEIRS = ("bentoml", "circus", "uvicorn.error")


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        told = record.msg if isinstance(record.msg, dict) else {"message": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line | told)


def configure() -> None:
    """Write what the service, uvicorn, BentoML and their libraries log, each line once.

    To be called after BentoML has set up its own logging.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Json())
    logging.getLogger().handlers = [handler]
    for name in _THEIRS:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("service").setLevel(logging.INFO)
