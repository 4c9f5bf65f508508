"""The process that decodes compressed frames for `lesion.image.sandbox`, and does nothing else.

It reads requests from its standard input and answers on its standard output until the input ends.
A request is a header (`REQUEST`) and the frame; an answer a header (`ANSWER`) and the pixels as
16-bit words, or an error's message. The kernel limits its memory, and the processor time of each
frame: a frame that needs more ends as an error, or ends the process.
"""

import os
import resource
import struct
import sys
from math import ceil
from pathlib import Path
from time import process_time
from typing import BinaryIO, Final

from lesion.errors import InputError, TooLargeError
from lesion.image.frames import Layout, decode_frame

#: Transfer syntax UID, rows, columns, bits stored, signed, bytes of the frame.
REQUEST: Final = struct.Struct("<64sHHB?I")

#: Outcome, bytes that follow.
ANSWER: Final = struct.Struct("<BI")
PIXELS, UNREADABLE, TOO_LARGE = range(3)

#: Address space beyond that of the idle process; the largest slice needs about 80 MB.
MEMORY_BYTES = 256 * 1024 * 1024

#: Processor seconds for a frame. One of 512x512 takes 0.03.
CPU_SECONDS = 3


def main() -> None:
    """Answer requests until the input ends."""
    answers = _private_output()
    _limit_for_good()
    while header := sys.stdin.buffer.read(REQUEST.size):
        syntax, rows, columns, bits_stored, signed, size = REQUEST.unpack(header)
        layout = Layout(syntax.rstrip(b"\0").decode("ascii"), rows, columns, bits_stored, signed)
        _limit_next_frame()
        outcome, body = _decode(sys.stdin.buffer.read(size), layout)
        answers.write(ANSWER.pack(outcome, len(body)) + body)
        answers.flush()


def _decode(frame: bytes, layout: Layout) -> tuple[int, bytes]:
    try:
        return PIXELS, decode_frame(frame, layout).tobytes()
    except TooLargeError as error:
        return TOO_LARGE, str(error).encode()
    except InputError as error:
        return UNREADABLE, str(error).encode()


def _private_output() -> BinaryIO:
    """Keep the pipe for answers: what a decoder prints must not be taken for one."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return answers


def _limit_for_good() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_next_frame() -> None:
    """Move the soft limit on, so that each frame has the same time however many came before."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (ceil(process_time()) + CPU_SECONDS, hard))


if __name__ == "__main__":
    main()
