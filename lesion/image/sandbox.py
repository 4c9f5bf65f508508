"""Compressed frames decoded where memory and time are limited.

Decoders are C and C++ that parse hostile bytes: a frame can ask for gigabytes, never end, or crash.
So they run in a process of their own (`lesion.image.decoder`), which can be lost.
"""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from signal import SIGABRT, SIGKILL, SIGXCPU
from threading import Lock, Timer
from typing import IO

import numpy as np
from jaxtyping import UInt16

import lesion
from lesion.errors import TooLargeError, UnreadableImageError
from lesion.image.decoder import ANSWER, PIXELS, REQUEST, TOO_LARGE
from lesion.image.frames import Layout

#: Seconds for a frame by the clock, whatever else the machine does.
WALL_SECONDS = 10.0

#: How a process ends that has used up its time, or memory that its decoder could not do without.
_STOPPED = (-SIGKILL, -SIGXCPU, -SIGABRT)

_LONGEST_MESSAGE = 4096


class Sandbox:
    """A decoder process: pass it as `decode` to `lesion.image.dicom.read_ct`.

    It is started by the first compressed frame, kept for the next, and replaced when it is lost.
    One frame is decoded at a time, for any thread. Close it when done: `contextlib.closing` does.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, frame: bytes, layout: Layout) -> UInt16[np.ndarray, "rows cols"]:
        """Decode a frame to uint16 words [rows, cols].

        Raise `UnreadableImageError` if it cannot be decoded, `TooLargeError` if that takes more
        memory or time than the limits allow.
        """
        with self._lock:
            process = self._running()
            timer = Timer(WALL_SECONDS, process.kill)
            timer.start()
            try:
                return _ask(process, frame, layout)
            except (OSError, EOFError):
                self._stop()
                stopped = process.returncode in _STOPPED
                raise (TooLargeError if stopped else UnreadableImageError)(
                    f"compressed frame: its decoder ended with status {process.returncode}, "
                    "expected pixels within the limits of memory and time"
                ) from None
            finally:
                timer.cancel()

    def close(self) -> None:
        """End the process, if one was started."""
        with self._lock:
            self._stop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self._stop()
        if self._process is None:
            self._process = _start()
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):  # what a lost process has not read cannot be flushed
                    _pipe(pipe).close()


def _start() -> subprocess.Popen[bytes]:
    """Start the decoder with none of this process's environment, which may hold secrets."""
    package = Path(lesion.__file__).resolve().parents[1]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "lesion.image.decoder"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # decoders quote what they read
        cwd=os.sep,
        env={"PYTHONPATH": str(package), "OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,  # Ctrl-C is for the server to handle
    )


def _ask(
    process: subprocess.Popen[bytes], frame: bytes, layout: Layout
) -> UInt16[np.ndarray, "rows cols"]:
    requests, answers = _pipe(process.stdin), _pipe(process.stdout)
    syntax = layout.transfer_syntax.encode("ascii")
    requests.write(
        REQUEST.pack(
            syntax, layout.rows, layout.columns, layout.bits_stored, layout.signed, len(frame)
        )
    )
    requests.write(frame)
    requests.flush()
    outcome, size = ANSWER.unpack(_read(answers, ANSWER.size))
    if size > max(layout.raw_bytes, _LONGEST_MESSAGE):
        raise EOFError
    body = _read(answers, size)
    if outcome == PIXELS:
        return np.frombuffer(body, np.uint16).reshape(layout.rows, layout.columns)
    message = body.decode(errors="replace")
    raise TooLargeError(message) if outcome == TOO_LARGE else UnreadableImageError(message)


def _read(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the decoder was started without its pipes")
    return pipe
