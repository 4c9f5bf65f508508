"""Faults of ours in the log: which and where, never in the words of an exception.

Those may quote what a file holds, and so a patient.
"""

import logging
import sys
import threading
import traceback
import warnings
from pathlib import Path

logger = logging.getLogger(__name__)

_ROOT = Path(__file__).parents[2]


def tell(message: str, error: BaseException) -> None:
    """Log that something failed: the kind of the exception, and where in the code it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    at = [f"{_short(frame.filename)}:{frame.lineno}" for frame in frames[-5:]]
    logger.error({"message": message, "error": type(error).__name__, "at": " ".join(at)})


def keep_out_of_sight() -> None:
    """Log what would be printed: what threads raise, and nothing that libraries warn of."""
    warnings.simplefilter("ignore")

    def log_thread(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            tell("a thread ended", arguments.exc_value)

    def log_main(_: object, error: BaseException, __: object) -> None:
        tell("the listener ended", error)

    threading.excepthook = log_thread
    sys.excepthook = log_main


def _short(path: str) -> str:
    found = Path(path)
    return str(found.relative_to(_ROOT)) if found.is_relative_to(_ROOT) else found.name
