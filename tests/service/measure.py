"""What a request costs a real server: of the processor, whatever else runs, and of memory."""

from collections.abc import Callable
from pathlib import Path

import httpx
import psutil

MB = 1 << 20

#: Of the processor; most hostile requests take less than one. Of memory beyond that of before.
MOST_SECONDS = 5
MOST_BYTES = 250 * MB


def check_cost(pid: int, send: Callable[[], httpx.Response]) -> httpx.Response:
    """Send a request to the server of a process; return its answer, if it cost little."""
    server = psutil.Process(pid)
    processes = [server, *server.children(recursive=True)]
    for process in processes:
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # its peak begins anew
    held = sum(process.memory_info().rss for process in processes)
    began = _seconds(processes)
    answer = send()
    assert _seconds(processes) - began < MOST_SECONDS
    assert sum(map(_peak_bytes, processes)) - held < MOST_BYTES
    return answer


def _seconds(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def _peak_bytes(process: psutil.Process) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024
