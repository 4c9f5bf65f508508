"""Logging: every line on standard output, one JSON object each, whoever wrote it."""

import json
import logging
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

logger = logging.getLogger(__name__)

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
    warnings.showwarning = _log_warning


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Log what kind of warning a library gives and where, but not its words: they may quote a file.

    Python would write them to standard error.
    """
    del message, file, line
    logger.warning({"warning": category.__name__, "where": f"{Path(filename).name}:{lineno}"})
